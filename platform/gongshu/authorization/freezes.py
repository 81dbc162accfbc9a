"""The switch that stops an organisation at once, and the two people it takes to lift it (document 13 §5).

It decides who may freeze and unfreeze; a frozen organisation's statements, spawns and downloads are
refused by the policy from the next question on.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork
from gongshu.authorization.grants import is_frozen
from gongshu.authorization.models import Freeze
from gongshu.authorization.numbering import next_number, take_turns
from gongshu.errors import Conflict, Denied, Invalid, Words
from gongshu.identity import Actor, OrganisationKind, Role, find_organisation, require_role

FREEZABLE = (OrganisationKind.OPERATOR, OrganisationKind.PARTNER)


def freeze_organisation(work: UnitOfWork, actor: Actor, code: str, reason: str) -> Freeze:
    """Put an operator on hold, effective at once. One officer suffices. Raises Conflict when it is frozen already."""
    _require_officer(actor, code)
    organisation = find_organisation(work.session, code)
    if OrganisationKind(organisation.kind) not in FREEZABLE:
        raise Invalid(
            "authorization.freeze.kind",
            Words("只能冻结运营单位和协作单位。", "Only operators and partners can be frozen."),
        )
    _require_reason(reason)
    take_turns(work.session, "freeze")
    if is_frozen(work.session, code):
        raise Conflict("authorization.freeze.already", Words("该机构已被冻结。", "The organisation is frozen already."))
    now = work.clock.now()
    number = next_number(work.session, Freeze.id, "F", now)
    entry_id = work.record(_event(EventType.ORGANISATION_FROZEN, actor, code, number, reason))
    row = Freeze(
        id=number,
        organisation=code,
        reason=reason,
        frozen_by=actor.pseudonym,
        frozen_at=now,
        lift_reason="",
        entry_id=entry_id,
    )
    work.session.add(row)
    work.session.flush()
    return row


def unfreeze_organisation(work: UnitOfWork, actor: Actor, code: str, reason: str) -> Freeze:
    """The first officer asks, a second one lifts. Raises Denied for the same person twice, Conflict when not frozen."""
    _require_officer(actor, code)
    _require_reason(reason)
    query = select(Freeze).where(Freeze.organisation == code, Freeze.lifted_at.is_(None)).with_for_update()
    row = work.session.scalar(query)
    if row is None:
        raise Conflict("authorization.freeze.none", Words("该机构没有被冻结。", "The organisation is not frozen."))
    if row.lift_asked_by is None:
        row.lift_asked_by, row.lift_asked_at, row.lift_reason = actor.pseudonym, work.clock.now(), reason
        row.entry_id = work.record(_event(EventType.UNFREEZE_ASKED, actor, code, row.id, reason))
        return row
    if row.lift_asked_by == actor.pseudonym:
        raise Denied(
            "authorization.unfreeze.same_person",
            Words("解除冻结须由另一人办理,您已提出申请。", "You asked to lift the freeze; a second person must do it."),
            Words("请另一位官员办理", "Another officer must confirm"),
        )
    row.lifted_by, row.lifted_at = actor.pseudonym, work.clock.now()
    row.entry_id = work.record(_event(EventType.ORGANISATION_UNFROZEN, actor, code, row.id, reason))
    return row


def open_freeze(session: Session, code: str) -> Freeze | None:
    """The freeze that holds the organisation now, or None."""
    return session.scalar(select(Freeze).where(Freeze.organisation == code, Freeze.lifted_at.is_(None)))


def require_not_frozen(session: Session, organisation: str) -> None:
    """Raise Denied while the organisation is on hold."""
    if is_frozen(session, organisation):
        raise Denied(
            "authorization.frozen",
            Words("贵机构的授权运营已被冻结,操作没有执行。", "Your organisation is frozen; nothing was done."),
            Words("请联系实施机构;解除须两人办理", "Contact the agency; two officers must lift it"),
        )


def _require_officer(actor: Actor, code: str) -> None:
    require_role(actor, Role.OFFICER, actor.organisation)
    if actor.organisation == code:
        raise Denied(
            "authorization.freeze.own", Words("不能办理本机构的冻结。", "You cannot decide on your own organisation.")
        )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid(
            "authorization.freeze.reason",
            Words("请写明理由。", "Give a reason."),
            Words("填写理由后再办理", "Write the reason"),
        )


def _event(kind: EventType, actor: Actor, code: str, number: str, reason: str) -> Event:
    return Event(
        kind,
        actor=actor.pseudonym,
        organisation=code,
        public={"freeze": number, "by": actor.organisation},
        private={"reason": Private({"reason": reason}, (code, actor.organisation))},
    )
