"""Both sides sign, each once; the second signature compiles the grants; an officer may revoke them.

It decides who signs for whom and when a grant begins and ends. It must never sign what does not compile
or differs from what was read, nor let one side sign for the other.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork
from gongshu.authorization.agreements import audience_of, contents_of, locked_agreement
from gongshu.authorization.case import acts_of
from gongshu.authorization.compiling import compile_terms, digest_of, end_of_term, grant_snapshots
from gongshu.authorization.documents import require_documents
from gongshu.authorization.duties import Act, Side, require_separate
from gongshu.authorization.freezes import require_not_frozen
from gongshu.authorization.models import Agreement, GrantRow, Scenario, Signature
from gongshu.authorization.numbering import next_numbers
from gongshu.authorization.scenarios import scenario_row
from gongshu.authorization.states import AgreementState, ScenarioState, require_move
from gongshu.clock import to_text
from gongshu.errors import Conflict, Denied, Invalid, Words
from gongshu.identity import Actor, Role, require_role


def sign_agreement(work: UnitOfWork, actor: Actor, key: str, *, digest: str | None = None) -> Agreement:
    """Sign for the operator (its manager) or the government (the agency's officer); the second makes it binding.

    Raises Conflict when a document is missing, a clause no longer compiles, the text changed since it was
    read (`digest`), or this side signed already; Denied for who may not sign.
    """
    agreement, scenario = locked_agreement(work.session, actor, key)
    side = _side_of(actor, agreement)
    require_not_frozen(work.session, agreement.operator)
    _require_unsigned(agreement, side)
    require_move(scenario.state, "sign")
    require_separate(acts_of(work.session, scenario), Act(side, actor.pseudonym, actor.organisation))
    require_documents(work.session, scenario.code)
    _require_same_text(work.session, agreement, scenario, digest)
    now = work.clock.now()
    entry_id = work.record(
        Event(
            EventType.AGREEMENT_SIGNED,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            scenario=scenario.code,
            public={"agreement": agreement.id, "side": side.value, "digest": agreement.digest},
        )
    )
    agreement.signatures.append(
        Signature(
            side=side.value,
            person=actor.pseudonym,
            organisation=actor.organisation,
            digest=agreement.digest,
            signed_at=now,
            entry_id=entry_id,
        )
    )
    if {one.side for one in agreement.signatures} == {Side.OPERATOR.value, Side.AGENCY.value}:
        _bring_into_force(work, actor, agreement, scenario, now)
    work.session.flush()
    return agreement


def _side_of(actor: Actor, agreement: Agreement) -> Side:
    if actor.has(Role.MANAGER, agreement.operator):
        return Side.OPERATOR
    require_role(actor, Role.OFFICER, actor.organisation, duty="agency")
    return Side.AGENCY


def _require_unsigned(agreement: Agreement, side: Side) -> None:
    if side.value in {one.side for one in agreement.signatures}:
        raise Conflict(
            "authorization.signature.already",
            Words("这一方已经签署,没有再次签署。", "This side has signed already; nothing was signed again."),
            Words("等待另一方签署", "Wait for the other side"),
        )


def _require_same_text(session: Session, agreement: Agreement, scenario: Scenario, digest: str | None) -> None:
    if digest is not None and digest != agreement.digest:
        raise Conflict(
            "authorization.agreement.changed",
            Words("协议文本与您看到的不同,没有签署。", "The agreement differs from what you read; nothing was signed."),
            Words("重新阅读后再签署", "Read it again, then sign"),
        )
    compiled = compile_terms(session, scenario, agreement.number)
    if compiled != agreement.terms or digest_of(agreement, scenario) != agreement.digest:
        raise Conflict(
            "authorization.agreement.stale",
            Words(
                "协议与已审定的内容不再一致,没有签署。",
                "The agreement no longer matches what was decided; nothing was signed.",
            ),
            Words("由实施机构重新拟订", "The agency must draft it again"),
        )


def _bring_into_force(work: UnitOfWork, actor: Actor, agreement: Agreement, scenario: Scenario, now: datetime) -> None:
    """Compile the grants; from the next statement on the policy sees them."""
    until = end_of_term(now, scenario.term_months, scenario.term_minutes)
    numbers = next_numbers(work.session, GrantRow.id, "G", now, len(agreement.terms))
    rows = [
        GrantRow(
            id=number,
            agreement=agreement.id,
            scenario=scenario.code,
            dataset=snapshot["dataset"],
            provider=snapshot["provider"],
            snapshot=snapshot,
            valid_from=now,
            valid_until=until,
        )
        for number, snapshot in zip(numbers, grant_snapshots(agreement.terms, numbers), strict=True)
    ]
    work.session.add_all(rows)
    agreement.state, agreement.valid_from, agreement.valid_until = AgreementState.ACTIVE.value, now, until
    scenario.state = ScenarioState.ACTIVE.value
    scenario.version += 1
    agreement.entry_id = work.record(
        Event(
            EventType.AGREEMENT_COMPILED,
            actor=actor.pseudonym,
            organisation=agreement.operator,
            scenario=scenario.code,
            public={
                "agreement": agreement.id,
                "number": agreement.number,
                "digest": agreement.digest,
                "grants": numbers,
                "datasets": [row.dataset for row in rows],
                "valid_from": to_text(now),
                "valid_until": to_text(until),
            },
            private={"agreement": Private(contents_of(agreement), audience_of(agreement))},
        )
    )


def revoke_agreement(work: UnitOfWork, actor: Actor, key: str, reason: str) -> Agreement:
    """End an agreement now. One officer of the office or the agency suffices: stopping must be quick."""
    require_role(actor, Role.OFFICER, actor.organisation)
    if not {"principal", "agency"} & actor.duties:
        require_role(actor, Role.OFFICER, actor.organisation, duty="agency")
    if not reason.strip():
        raise Invalid(
            "authorization.revoke.reason",
            Words("请写明撤销理由。", "Give a reason for revoking."),
            Words("填写理由后再撤销", "Write the reason"),
        )
    agreement, scenario = locked_agreement(work.session, actor, key)
    require_move(scenario.state, "revoke")
    agreement.state, agreement.revoked_at = AgreementState.REVOKED.value, work.clock.now()
    agreement.revoked_by, agreement.revoked_reason = actor.pseudonym, reason
    scenario.state = ScenarioState.REVOKED.value
    scenario.version += 1
    agreement.entry_id = work.record(
        Event(
            EventType.AGREEMENT_REVOKED,
            actor=actor.pseudonym,
            organisation=agreement.operator,
            scenario=scenario.code,
            public={"agreement": agreement.id, "number": agreement.number, "by": actor.organisation},
            private={"reason": Private({"reason": reason}, audience_of(agreement))},
        )
    )
    return agreement


def can_sign(session: Session, actor: Actor, agreement: Agreement) -> bool:
    """Whether this actor's signature is the one awaited: for buttons and the home page."""
    if agreement.state != AgreementState.TO_BE_SIGNED.value:
        return False
    try:
        side = _side_of(actor, agreement)
        scenario = scenario_row(session, agreement.scenario)
        require_separate(acts_of(session, scenario), Act(side, actor.pseudonym, actor.organisation))
    except Denied:
        return False
    return side.value not in {one.side for one in agreement.signatures}
