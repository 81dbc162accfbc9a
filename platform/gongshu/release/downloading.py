"""How a released item leaves: one link, one person, one time, counted and logged.

It decides who may fetch it (the policy says so each time); a recalled release gives nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, UnitOfWork
from gongshu.authorization import is_frozen
from gongshu.errors import Conflict, NotFound, Words
from gongshu.identity import Actor
from gongshu.policy import Decision, Opa, Subject, download_question
from gongshu.release.drafting import absent
from gongshu.release.models import ReleaseItem, ReleaseLink, ReleaseRequest
from gongshu.release.question import sealed_evidence
from gongshu.release.states import State
from gongshu.release.store import ItemChanged, ItemStore
from gongshu.release.submission import changed

LINK_MINUTES = 10


@dataclass(frozen=True)
class IssuedLink:
    """The policy's answer and, when it allows, the token; it is never stored or logged."""

    decision: Decision
    token: str = field(repr=False)


@dataclass(frozen=True)
class Download:
    """Bytes on their way out, with the name they carry."""

    name: str
    data: bytes
    sha256: str


def issue_link(work: UnitOfWork, actor: Actor, release_id: str, number: int, opa: Opa) -> IssuedLink:
    """Ask the policy and hand out a token that works once within ten minutes, for this person only.

    A refusal is recorded too: the edge commits, then calls `decision.require()`. Raises NotFound (also for
    another company's release), Unavailable.
    """
    request, item = released_item(work.session, actor, release_id, number)
    now = work.clock.now()
    subject = Subject(actor.pseudonym, actor.organisation, [role.value for role in actor.roles])
    release = {
        "release": request.id,
        "operator": request.organisation,
        "state": _policy_state(request),
        "recalled": request.state == State.RECALLED,
    }
    question = download_question(
        subject, request.scenario, release, frozen=is_frozen(work.session, request.organisation), now=now
    )
    decision = opa.ask("authorization", question)
    public, private = sealed_evidence(decision)
    work.record(
        Event(
            EventType.RELEASE_LINK_ISSUED,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            scenario=request.scenario,
            public={"release": request.id, "number": item.number, "item": item.sha256, **public},
            private=private,
        )
    )
    if not decision.allowed:
        return IssuedLink(decision, "")
    token = secrets.token_urlsafe(32)
    work.session.add(
        ReleaseLink(
            token_sha256=_hash(token),
            request=request.id,
            item=item.number,
            person=actor.pseudonym,
            expires_at=now + timedelta(minutes=LINK_MINUTES),
        )
    )
    work.session.flush()
    return IssuedLink(decision, token)


def use_link(work: UnitOfWork, actor: Actor, release_id: str, number: int, token: str, store: ItemStore) -> Download:
    """Spend a link. Raises NotFound, Conflict when it was used, is too old or is another person's."""
    request, item = released_item(work.session, actor, release_id, number)
    now = work.clock.now()
    link = work.session.scalars(
        select(ReleaseLink)
        .where(ReleaseLink.token_sha256 == _hash(token), ReleaseLink.request == request.id, ReleaseLink.item == number)
        .with_for_update()
    ).one_or_none()
    if (
        link is None
        or link.person != actor.pseudonym
        or link.used_at is not None
        or link.expires_at <= now
        or request.state != State.RELEASED
    ):
        raise Conflict(
            "release.link.spent",
            Words(
                "这个下载链接已用过或已过期,一次有效。", "This download link was used or has expired; it works once."
            ),
            Words("回到成果页,重新领取链接", "Go back to the release and take a new link"),
        )
    try:
        data = store.read_released(item.sha256)
    except ItemChanged as error:
        raise changed(item) from error
    link.used_at = now
    item.downloads += 1
    work.record(
        Event(
            EventType.RELEASE_ITEM_DOWNLOADED,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            scenario=request.scenario,
            public={"release": request.id, "number": item.number, "item": item.sha256, "downloads": item.downloads},
        )
    )
    return Download(f"{request.id}-{item.number}.csv", data, item.sha256)


def released_item(session: Session, actor: Actor, release_id: str, number: int) -> tuple[ReleaseRequest, ReleaseItem]:
    """The item of the person's own company that has left review. Raises NotFound for everything else."""
    request = session.get(ReleaseRequest, release_id)
    if request is None or request.organisation != actor.organisation:
        raise absent(release_id)
    query = select(ReleaseItem).where(
        ReleaseItem.request == release_id, ReleaseItem.number == number, ~ReleaseItem.superseded
    )
    item = session.scalars(query.with_for_update()).one_or_none()
    if item is None or request.state not in (State.RELEASED, State.RECALLED):
        raise NotFound(
            "release.item.not_released",
            Words(
                f"{release_id} 第 {number} 项还没有出域,不能下载。",
                f"Item {number} of {release_id} has not been released, so it cannot be downloaded.",
            ),
            Words("两位审核员同意后即可下载", "It can be downloaded once two reviewers have approved it"),
        )
    return request, item


def _policy_state(request: ReleaseRequest) -> str:
    return State.RELEASED.value if request.state == State.RECALLED else request.state


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
