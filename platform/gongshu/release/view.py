"""What each person may see of a request.

It decides visibility: an author never sees a reviewer's name, a reviewer never another's vote before
both are in, another company nothing at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.identity import Actor, Role
from gongshu.release.drafting import absent
from gongshu.release.models import (
    ReleaseCertificate,
    ReleaseCheck,
    ReleaseComment,
    ReleaseItem,
    ReleaseRecall,
    ReleaseRequest,
    ReleaseReview,
)
from gongshu.release.outcome import REVIEWERS
from gongshu.release.reviewing import can_review, require_can_review
from gongshu.release.states import State
from gongshu.release.submission import current_items

DECIDED = {State.RETURNED, State.REJECTED, State.RELEASED, State.RECALLED, State.APPROVED}


@dataclass(frozen=True)
class RequestView:
    """A request as one person may see it. reviews: only those this person may see."""

    request: ReleaseRequest
    items: Sequence[ReleaseItem]
    checks: Sequence[ReleaseCheck]
    reviews: Sequence[ReleaseReview] = field(default=())
    mine: ReleaseReview | None = None
    comments: Sequence[ReleaseComment] = field(default=())
    recalls: Sequence[ReleaseRecall] = field(default=())

    def checks_of(self, number: int) -> list[ReleaseCheck]:
        return [check for check in self.checks if check.item == number]

    def failed(self, number: int) -> bool:
        return any(check.verdict == "fail" for check in self.checks_of(number))


def requests_for(
    session: Session, actor: Actor, *, scenario: str | None = None, state: str | None = None
) -> Sequence[ReleaseRequest]:
    """What a person may list: an analyst the own, a manager the company's, officers and regulators what left draft."""
    query = select(ReleaseRequest).order_by(ReleaseRequest.created_at.desc())
    if actor.has(Role.REGULATOR) or actor.has(Role.OFFICER):
        query = query.where(ReleaseRequest.state.not_in((State.DRAFT.value, State.WITHDRAWN.value)))
    elif actor.has(Role.MANAGER):
        query = query.where(ReleaseRequest.organisation == actor.organisation)
    else:
        query = query.where(ReleaseRequest.author == actor.pseudonym)
    if scenario:
        query = query.where(ReleaseRequest.scenario == scenario)
    if state:
        query = query.where(ReleaseRequest.state == state)
    return session.scalars(query.limit(500)).all()


def request_for(session: Session, actor: Actor, release_id: str) -> RequestView:
    """A request for its author, its company's manager, an officer or a regulator. Raises NotFound."""
    request = session.get(ReleaseRequest, release_id)
    if request is None or not _may_see(actor, request):
        raise absent(release_id)
    supervises = actor.has(Role.REGULATOR) or actor.has(Role.OFFICER)
    decided = _closed_rounds(session, request)
    return _view(
        session,
        request,
        decided if supervises or State(request.state) in DECIDED else _earlier_turns(decided, request),
        None,
    )


def queue(session: Session, actor: Actor) -> list[ReleaseRequest]:
    """What this reviewer can still vote on, by due time; own organisation's requests are not offered."""
    query = (
        select(ReleaseRequest)
        .where(ReleaseRequest.state == State.IN_REVIEW.value)
        .order_by(ReleaseRequest.due_at, ReleaseRequest.id)
    )
    return [request for request in session.scalars(query) if can_vote(session, actor, request)]


def can_vote(session: Session, actor: Actor, request: ReleaseRequest) -> bool:
    """Whether this reviewer's vote is awaited now: for buttons, the same rule as the queue."""
    return can_review(actor, request) and _seat_open(session, actor, request)


def reviewed_by(session: Session, actor: Actor) -> Sequence[ReleaseRequest]:
    """What this reviewer has voted on, newest first."""
    mine = select(ReleaseReview.request).where(ReleaseReview.reviewer == actor.pseudonym)
    return session.scalars(
        select(ReleaseRequest).where(ReleaseRequest.id.in_(mine)).order_by(ReleaseRequest.id.desc()).limit(200)
    ).all()


def review_for(session: Session, actor: Actor, release_id: str) -> RequestView:
    """A request on a reviewer's desk. Others' votes only of rounds that are complete. Raises NotFound, Denied."""
    request = session.get(ReleaseRequest, release_id)
    if request is None or request.state in (State.DRAFT, State.WITHDRAWN, State.SUBMITTED, State.CHECKED):
        raise absent(release_id)
    require_can_review(actor, request)
    mine = session.scalars(
        select(ReleaseReview).where(
            ReleaseReview.request == request.id,
            ReleaseReview.turn == request.turn,
            ReleaseReview.round == request.round,
            ReleaseReview.reviewer == actor.pseudonym,
        )
    ).one_or_none()
    return _view(session, request, _closed_rounds(session, request), mine)


def earlier_releases(session: Session, request: ReleaseRequest) -> Sequence[ReleaseRequest]:
    """What the scenario asked for before, decided either way, newest first."""
    states = (State.RELEASED.value, State.RECALLED.value, State.REJECTED.value)
    query = select(ReleaseRequest).where(
        ReleaseRequest.scenario == request.scenario, ReleaseRequest.id != request.id, ReleaseRequest.state.in_(states)
    )
    return session.scalars(query.order_by(ReleaseRequest.decided_at.desc()).limit(50)).all()


def certificate_of(session: Session, actor: Actor | None, release_id: str) -> tuple[ReleaseRequest, ReleaseCertificate]:
    """The certificate for its holder, a reviewer, an officer or a regulator. Raises NotFound."""
    request = session.get(ReleaseRequest, release_id)
    kept = session.get(ReleaseCertificate, release_id)
    if request is None or kept is None or actor is None or not (_may_see(actor, request) or actor.has(Role.REVIEWER)):
        raise absent(release_id)
    return request, kept


def certificate_state(session: Session, release_id: str) -> tuple[str, datetime] | None:
    """valid or recalled, since when: what anyone may know of a certificate number; None when there is none."""
    request, kept = session.get(ReleaseRequest, release_id), session.get(ReleaseCertificate, release_id)
    if request is None or kept is None:
        return None
    return ("recalled" if request.state == State.RECALLED else "valid"), kept.issued_at


def _may_see(actor: Actor, request: ReleaseRequest) -> bool:
    if request.author == actor.pseudonym:
        return True
    if actor.has(Role.MANAGER) and request.organisation == actor.organisation:
        return True
    submitted = request.state not in (State.DRAFT, State.WITHDRAWN)
    return submitted and (actor.has(Role.REGULATOR) or actor.has(Role.OFFICER))


def _seat_open(session: Session, actor: Actor, request: ReleaseRequest) -> bool:
    reviews = session.scalars(
        select(ReleaseReview).where(
            ReleaseReview.request == request.id, ReleaseReview.turn == request.turn, ~ReleaseReview.voided
        )
    ).all()
    now = [review.reviewer for review in reviews if review.round == request.round]
    first = [review.reviewer for review in reviews if review.round == 1]
    if actor.pseudonym in now or len(now) >= REVIEWERS:
        return False
    return request.round == 1 or actor.pseudonym in first


def _closed_rounds(session: Session, request: ReleaseRequest) -> list[ReleaseReview]:
    """Reviews of rounds in which both are in; of earlier turns all."""
    found = session.scalars(
        select(ReleaseReview).where(ReleaseReview.request == request.id).order_by(ReleaseReview.id)
    ).all()
    counts: dict[tuple[int, int], int] = {}
    for review in found:
        counts[(review.turn, review.round)] = counts.get((review.turn, review.round), 0) + 1
    return [r for r in found if counts[(r.turn, r.round)] >= REVIEWERS or r.turn < request.turn]


def _earlier_turns(reviews: Sequence[ReleaseReview], request: ReleaseRequest) -> list[ReleaseReview]:
    return [review for review in reviews if review.turn < request.turn]


def _view(
    session: Session, request: ReleaseRequest, reviews: Sequence[ReleaseReview], mine: ReleaseReview | None
) -> RequestView:
    checks = (
        select(ReleaseCheck)
        .where(ReleaseCheck.request == request.id, ReleaseCheck.turn == request.turn)
        .order_by(ReleaseCheck.id)
    )
    comments = select(ReleaseComment).where(ReleaseComment.request == request.id).order_by(ReleaseComment.id)
    recalls = select(ReleaseRecall).where(ReleaseRecall.request == request.id).order_by(ReleaseRecall.id)
    return RequestView(
        request=request,
        items=current_items(session, request.id),
        checks=session.scalars(checks).all(),
        reviews=reviews,
        mine=mine,
        comments=session.scalars(comments).all(),
        recalls=session.scalars(recalls).all(),
    )
