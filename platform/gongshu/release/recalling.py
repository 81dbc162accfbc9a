"""Recall of a release, and its reversal by two different people.

It decides who may take a released output back at once, and that one person alone never undoes it.
"""

from __future__ import annotations

from sqlalchemy import select

from gongshu.audit import Event, EventType, UnitOfWork
from gongshu.errors import Conflict, Denied, Invalid, Words
from gongshu.identity import Actor, Role, require_role
from gongshu.release.drafting import absent
from gongshu.release.models import ReleaseRecall, ReleaseRequest
from gongshu.release.states import State, Step, next_state


def recall(work: UnitOfWork, actor: Actor, release_id: str, reason: str) -> None:
    """Take a release back: no more downloads, the certificate reads recalled. Raises Denied, NotFound, Conflict."""
    require_role(actor, Role.OFFICER)
    request = _locked(work, release_id)
    _require_reason(reason)
    request.state = next_state(State(request.state), Step.RECALL)
    request.version += 1
    entry_id = _record(work, EventType.RELEASE_RECALLED, actor, request, reason)
    request.entry_id = entry_id
    work.session.add(
        ReleaseRecall(
            request=request.id, by=actor.pseudonym, reason=reason.strip(), at=work.clock.now(), entry_id=entry_id
        )
    )


def propose_restore(work: UnitOfWork, actor: Actor, release_id: str, reason: str) -> None:
    """First of two people: say why the recall should be undone."""
    require_role(actor, Role.OFFICER)
    request = _locked(work, release_id)
    _require_reason(reason)
    open_recall = _open_recall(work, request)
    if open_recall.restore_proposed_by is not None:
        raise Conflict(
            "release.restore.proposed",
            Words("已有人提出撤销召回,等另一人确认。", "A reversal has been proposed; it waits for another person."),
        )
    open_recall.restore_proposed_by = actor.pseudonym
    open_recall.restore_reason = reason.strip()
    _record(work, EventType.RELEASE_RESTORE_PROPOSED, actor, request, reason)


def confirm_restore(work: UnitOfWork, actor: Actor, release_id: str) -> None:
    """Second, different person: undo the recall. Raises Denied for the proposer."""
    require_role(actor, Role.OFFICER)
    request = _locked(work, release_id)
    open_recall = _open_recall(work, request)
    if open_recall.restore_proposed_by is None:
        raise Conflict("release.restore.none", Words("还没有人提出撤销召回。", "Nobody has proposed a reversal yet."))
    if open_recall.restore_proposed_by == actor.pseudonym:
        raise Denied(
            "release.restore.same_person",
            Words("撤销召回要由另一人确认(职责分离)。", "Another person must confirm a reversal (separation of duty)."),
            Words("请另一位官员确认", "Ask another officer"),
        )
    open_recall.restored_by = actor.pseudonym
    open_recall.restored_at = work.clock.now()
    request.state = next_state(State(request.state), Step.RESTORE)
    request.version += 1
    request.entry_id = _record(work, EventType.RELEASE_RESTORED, actor, request, open_recall.restore_reason)


def _locked(work: UnitOfWork, release_id: str) -> ReleaseRequest:
    request = work.session.scalars(
        select(ReleaseRequest).where(ReleaseRequest.id == release_id).with_for_update()
    ).one_or_none()
    if request is None or request.state not in (State.RELEASED, State.RECALLED):
        raise absent(release_id)
    return request


def _open_recall(work: UnitOfWork, request: ReleaseRequest) -> ReleaseRecall:
    query = select(ReleaseRecall).where(ReleaseRecall.request == request.id, ReleaseRecall.restored_at.is_(None))
    found = work.session.scalars(query.with_for_update()).one_or_none()
    if found is None:
        raise Conflict("release.not_recalled", Words("这份成果没有被召回。", "This release is not recalled."))
    return found


def _require_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > 4_000:
        raise Invalid(
            "release.recall.reason",
            Words("请写明原因(最长 4000 字)。", "A reason is needed (at most 4000 characters)."),
        )


def _record(work: UnitOfWork, kind: EventType, actor: Actor, request: ReleaseRequest, reason: str) -> str:
    return work.record(
        Event(
            kind,
            actor=actor.pseudonym,
            organisation=request.organisation,
            scenario=request.scenario,
            public={"release": request.id, "reason": reason.strip()},
        )
    )
