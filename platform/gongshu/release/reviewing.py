"""Two people's votes, and what follows from them.

It decides who may review; exactly two different people of another organisation than the author's
count. A failed check stands until both have overridden it in writing; a changed byte voids every vote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork
from gongshu.errors import Conflict, Denied, Invalid, Words
from gongshu.identity import Actor, Role, require_role
from gongshu.policy import Opa
from gongshu.release.drafting import absent
from gongshu.release.models import ReleaseCheck, ReleaseItem, ReleaseRequest, ReleaseReview
from gongshu.release.outcome import REVIEWERS, Outcome, Vote, derive
from gongshu.release.releasing import release_approved
from gongshu.release.states import State, Step, may_follow, next_state
from gongshu.release.store import ItemChanged, ItemStore
from gongshu.release.submission import current_items, require_version

MAX_TEXT = 4_000


@dataclass(frozen=True)
class ItemVote:
    item: int
    vote: Vote
    reason: str = ""


@dataclass(frozen=True)
class Review:
    """One person's review as submitted. comment: for the author. override: why a failed check may stand."""

    votes: tuple[ItemVote, ...]
    comment: str = ""
    override: str = ""
    expected_version: int | None = None

    @property
    def ballot(self) -> dict[int, Vote]:
        return {vote.item: vote.vote for vote in self.votes}


def submit_review(
    work: UnitOfWork, actor: Actor, release_id: str, review: Review, opa: Opa, store: ItemStore
) -> ReleaseRequest:
    """Take one person's votes; with the second one the request is decided.

    Raises NotFound, Denied (who), Conflict (state, version, voted already), Invalid (votes, reasons,
    overrides), Unavailable. Changed bytes void all votes of the turn and return the request.
    """
    request = _locked(work.session, release_id)
    require_can_review(actor, request)
    require_version(request, review.expected_version)
    request.state = next_state(State(request.state), Step.VOTE)
    earlier = live_reviews(work.session, request)
    _require_seat(work.session, actor, request, earlier)
    items = current_items(work.session, request.id)
    _require_complete(review, items, _failed(work.session, request))
    if not _intact(items, store):
        _void(work, request)
        return request
    mine = _keep(work, actor, request, review, items)
    _conclude(work, request, items, [*earlier, mine], opa, store)
    return request


def can_review(actor: Actor, request: ReleaseRequest) -> bool:
    """Whether this person may be offered the request at all."""
    try:
        require_can_review(actor, request)
    except Denied:
        return False
    return may_follow(State(request.state), Step.VOTE)


def require_can_review(actor: Actor, request: ReleaseRequest) -> None:
    """Raise Denied for the author, the author's organisation, and anyone who is no reviewer (document 5)."""
    require_role(actor, Role.REVIEWER)
    if actor.pseudonym == request.author or actor.organisation == request.organisation:
        raise Denied(
            "release.review.conflict",
            Words(
                "您与申请人同属一个机构,不能审核(职责分离)。",
                "You belong to the applicant's organisation, so you cannot review this (separation of duty).",
            ),
            Words("这件由其他审核员办理", "Another reviewer handles it"),
        )


def live_reviews(session: Session, request: ReleaseRequest) -> list[ReleaseReview]:
    """The submitted reviews of the present turn and round, in order; voided ones do not count."""
    query = select(ReleaseReview).where(
        ReleaseReview.request == request.id,
        ReleaseReview.turn == request.turn,
        ReleaseReview.round == request.round,
        ~ReleaseReview.voided,
    )
    return list(session.scalars(query.order_by(ReleaseReview.id)))


def _locked(session: Session, release_id: str) -> ReleaseRequest:
    request = session.scalars(
        select(ReleaseRequest).where(ReleaseRequest.id == release_id).with_for_update()
    ).one_or_none()
    if request is None or request.state in (State.DRAFT, State.WITHDRAWN):
        raise absent(release_id)
    return request


def _require_seat(session: Session, actor: Actor, request: ReleaseRequest, earlier: Sequence[ReleaseReview]) -> None:
    if any(review.reviewer == actor.pseudonym for review in earlier):
        raise Conflict(
            "release.review.twice",
            Words(
                "您已提交过本轮审核意见,一人只计一次。",
                "You have submitted your review of this round; one person counts once.",
            ),
            Words("等待另一位审核员", "Wait for the other reviewer"),
        )
    taken = len(earlier) >= REVIEWERS or (request.round > 1 and actor.pseudonym not in _first_round(session, request))
    if taken:
        raise Conflict(
            "release.review.seats",
            Words("这件已有两位审核员办理。", "Two reviewers are already on this request."),
            Words("请办理队列中的下一件", "Take the next one in the queue"),
        )


def _first_round(session: Session, request: ReleaseRequest) -> set[str]:
    query = select(ReleaseReview.reviewer).where(
        ReleaseReview.request == request.id,
        ReleaseReview.turn == request.turn,
        ReleaseReview.round == 1,
        ~ReleaseReview.voided,
    )
    return set(session.scalars(query))


def _failed(session: Session, request: ReleaseRequest) -> set[int]:
    query = select(ReleaseCheck.item).where(
        ReleaseCheck.request == request.id, ReleaseCheck.turn == request.turn, ReleaseCheck.verdict == "fail"
    )
    return set(session.scalars(query))


def _require_complete(review: Review, items: Sequence[ReleaseItem], failed: set[int]) -> None:
    if len(review.votes) != len(review.ballot) or set(review.ballot) != {item.number for item in items}:
        raise Invalid(
            "release.review.items",
            Words("每一项成果都要有一个意见。", "Every item needs exactly one vote."),
            Words("请逐项选择", "Choose for each item"),
        )
    if any(
        vote.vote is not Vote.APPROVE and not (vote.reason.strip() or review.comment.strip()) for vote in review.votes
    ):
        raise Invalid(
            "release.review.reason",
            Words(
                "「请修改」和「不同意」要写明理由,申请人看得到。",
                "A change or a refusal needs a reason that the author can read.",
            ),
            Words("请填写理由", "Write the reason"),
        )
    if (
        max((len(t) for t in (review.comment, review.override, *(v.reason for v in review.votes))), default=0)
        > MAX_TEXT
    ):
        raise Invalid(
            "release.review.long", Words(f"意见最长 {MAX_TEXT} 字。", f"A comment has at most {MAX_TEXT} characters.")
        )
    standing = sorted(item for item in failed if review.ballot.get(item) is Vote.APPROVE)
    if standing and not review.override.strip():
        raise Denied(
            "release.review.override_needed",
            Words(
                f"不能「同意」:第 {standing} 项有检查未过,需两位审核员都书面说明。",
                f"Cannot approve: items {standing} have a failed check, which both reviewers must override in writing.",
            ),
            Words("写明为什么仍可出域,或选择「请修改」", "Write why it may leave all the same, or ask for a change"),
            items=standing,
        )


def _intact(items: Sequence[ReleaseItem], store: ItemStore) -> bool:
    try:
        for item in items:
            store.read_quarantined(item.sha256)
    except ItemChanged:
        return False
    return True


def _keep(
    work: UnitOfWork, actor: Actor, request: ReleaseRequest, review: Review, items: Sequence[ReleaseItem]
) -> ReleaseReview:
    digests = {item.number: item.sha256 for item in items}
    votes = {
        str(v.item): {"vote": v.vote.value, "reason": v.reason.strip(), "sha256": digests[v.item]} for v in review.votes
    }
    said: dict[str, Any] = {"votes": votes, "comment": review.comment.strip(), "override": review.override.strip()}
    entry_id = work.record(
        Event(
            EventType.RELEASE_REVIEWED,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            scenario=request.scenario,
            public={"release": request.id, "turn": request.turn, "round": request.round},
            private={"review": Private(said)},  # regulators only: the other reviewer must not read it in the log
        )
    )
    row = ReleaseReview(
        request=request.id,
        turn=request.turn,
        round=request.round,
        reviewer=actor.pseudonym,
        organisation=actor.organisation,
        votes=votes,
        comment=said["comment"],
        override=said["override"],
        submitted_at=work.clock.now(),
        entry_id=entry_id,
    )
    work.session.add(row)
    work.session.flush()
    return row


def _conclude(
    work: UnitOfWork,
    request: ReleaseRequest,
    items: Sequence[ReleaseItem],
    reviews: Sequence[ReleaseReview],
    opa: Opa,
    store: ItemStore,
) -> None:
    ballots = [{int(number): Vote(said["vote"]) for number, said in review.votes.items()} for review in reviews]
    outcome = derive(ballots, request.round)
    if outcome is Outcome.WAITING:
        return  # the version stays: the other reviewer's page must not tell that this one has voted
    request.version += 1
    if outcome is Outcome.CONSOLIDATE:
        request.round += 1
    elif outcome is Outcome.APPROVED:
        release_approved(work, request, items, reviews, opa, store)
    else:
        _close(work, request, Step.RETURN if outcome is Outcome.RETURNED else Step.REJECT)


def _close(work: UnitOfWork, request: ReleaseRequest, step: Step) -> None:
    request.state = next_state(State(request.state), step)
    request.decided_at = work.clock.now()
    kind = EventType.RELEASE_RETURNED if step is Step.RETURN else EventType.RELEASE_REJECTED
    request.entry_id = work.record(
        Event(
            kind,
            actor="system:reviewers",
            organisation=request.organisation,
            scenario=request.scenario,
            public={"release": request.id, "turn": request.turn},
        )
    )


def _void(work: UnitOfWork, request: ReleaseRequest) -> None:
    """A byte is not the one that was voted on: every vote of the turn is void and the author must add again."""
    for review in live_reviews(work.session, request):
        review.voided = True
    work.record(
        Event(
            EventType.RELEASE_ITEM_CHANGED,
            actor=f"system:{work.writer}",
            organisation=request.organisation,
            scenario=request.scenario,
            public={"release": request.id, "turn": request.turn},
        )
    )
    request.version += 1
    _close(work, request, Step.RETURN)
