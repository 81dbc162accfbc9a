"""Pages and API of the reviewer, and of the officer who recalls a release.

A reviewer is shown evidence, checks and earlier releases; never another reviewer's vote before both are in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from gongshu import release
from gongshu.errors import GongshuError
from gongshu.identity import Role
from gongshu.portal import todo
from gongshu.portal.edge import Context, Ctx, Form
from gongshu.portal.forms import parse
from gongshu.portal.language import _
from gongshu.portal.releases import (
    highlight,
    item_store,
    named,
    names_of,
    preview,
    request_facts,
    review_facts,
    status_of,
    view_facts,
)

pages = APIRouter()
api = APIRouter()


class VoteIn(BaseModel):
    """item: its number. vote: approve, change or reject; the latter two need a reason or a comment."""

    model_config = ConfigDict(extra="forbid")
    item: int
    vote: release.Vote
    reason: str = Field("", max_length=4000)


class ReviewIn(BaseModel):
    """expected_version: the `version` of the request that was read. override: why a failed check may stand."""

    model_config = ConfigDict(extra="forbid")
    votes: list[VoteIn] = Field(min_length=1, max_length=100)
    comment: str = Field("", max_length=4000)
    override: str = Field("", max_length=4000)
    expected_version: int


class ReasonIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=4000)


def _store(ctx: Context) -> release.ItemStore:
    assert ctx.settings.store is not None
    return item_store(ctx.settings.store)


# --- Pages -----------------------------------------------------------------------------------------------------


@pages.get("/reviews")
def list_reviews(ctx: Ctx) -> Response:
    ctx.require(Role.REVIEWER)
    return ctx.render(
        "reviewer/reviews.html",
        queue=release.queue(ctx.session, ctx.actor),
        done=release.reviewed_by(ctx.session, ctx.actor),
        status_of=status_of,
    )


@pages.get("/reviews/{number}")
def show_review(ctx: Ctx, number: str, flagged: str = "") -> Response:
    return _review_page(ctx, number, None, {}, flagged_only=bool(flagged))


@pages.post("/reviews/{number}/vote")
def vote_page(ctx: Ctx, number: str, form: Form) -> Response:
    sent = {key: str(value) for key, value in form.items()}
    votes = [
        {
            "item": key.removeprefix("vote-"),
            "vote": value,
            "reason": sent.get(f"reason-{key.removeprefix('vote-')}", ""),
        }
        for key, value in sent.items()
        if key.startswith("vote-")
    ]
    plain = {key: sent.get(key, "") for key in ("comment", "override", "expected_version")}
    try:
        _vote(ctx, number, parse(ReviewIn, {**plain, "votes": votes}))
    except GongshuError as error:
        return _review_page(ctx, number, error, sent, flagged_only=False)
    return ctx.redirect(f"/reviews/{number}")


@pages.post("/releases/{number}/recall")
def recall_page(ctx: Ctx, number: str, form: Form) -> Response:
    release.recall(ctx.work, ctx.actor, number, str(form.get("reason", "")))
    ctx.commit()
    return ctx.redirect(f"/releases/{number}")


@pages.post("/releases/{number}/restore")
def restore_page(ctx: Ctx, number: str, form: Form) -> Response:
    release.propose_restore(ctx.work, ctx.actor, number, str(form.get("reason", "")))
    ctx.commit()
    return ctx.redirect(f"/releases/{number}")


@pages.post("/releases/{number}/restore/confirm")
def confirm_page(ctx: Ctx, number: str) -> Response:
    release.confirm_restore(ctx.work, ctx.actor, number)
    ctx.commit()
    return ctx.redirect(f"/releases/{number}")


def _review_page(
    ctx: Context, number: str, error: GongshuError | None, kept: dict[str, str], *, flagged_only: bool
) -> Response:
    view = release.review_for(ctx.session, ctx.actor, number)
    store = _store(ctx)
    tables = {
        item.number: preview(
            item, view.checks_of(item.number), store.read_quarantined(item.sha256), flagged_only=flagged_only
        )
        for item in view.items
    }
    return ctx.render(
        "reviewer/review.html",
        names=names_of(ctx.session),
        status=error.status if error else 200,
        error=error,
        kept=kept,
        view=view,
        request=view.request,
        tables=tables,
        flagged_only=flagged_only,
        code={item.number: highlight(item.plan_text) for item in view.items},
        earlier=release.earlier_releases(ctx.session, view.request),
        open=release.can_vote(ctx.session, ctx.actor, view.request),
        status_of=status_of,
        finding_words=release.finding_words,
        check_words=release.check_words,
        verdict_words=release.VERDICTS,
    )


# --- API -------------------------------------------------------------------------------------------------------


@api.get("/reviews")
def reviews_json(ctx: Ctx) -> dict[str, Any]:
    """The queue of this reviewer by due time; requests with a conflict of interest are not offered."""
    ctx.require(Role.REVIEWER)
    return {"reviews": [request_facts(one) for one in release.queue(ctx.session, ctx.actor)]}


@api.get("/reviews/{number}")
def review_json(ctx: Ctx, number: str) -> dict[str, Any]:
    """A request on this reviewer's desk; `mine` is the own vote, `reviews` only those of completed rounds."""
    view = release.review_for(ctx.session, ctx.actor, number)
    store = _store(ctx)
    tables = {}
    for item in view.items:
        shown = preview(item, view.checks_of(item.number), store.read_quarantined(item.sha256))
        tables[str(item.number)] = {
            "columns": list(shown.columns),
            "rows": [[cell.text for cell in cells] for _row, cells in shown.rows],
            "total": shown.total,
        }
    return {
        **view_facts(view, with_reviewer=True),
        "mine": review_facts(view.mine, with_reviewer=True) if view.mine else None,
        "tables": tables,
        "evidence": {str(item.number): item.evidence for item in view.items},
        "can_vote": release.can_vote(ctx.session, ctx.actor, view.request),
    }


@api.post("/reviews/{number}/vote")
def vote_json(ctx: Ctx, number: str, body: ReviewIn) -> dict[str, Any]:
    """Submit the own review. With the second one the request is decided."""
    request, index = _vote(ctx, number, body)
    return {**request_facts(request), "log_index": index}


@api.post("/releases/{number}/recall")
def recall_json(ctx: Ctx, number: str, body: ReasonIn) -> dict[str, Any]:
    """Recall a release at once (an officer)."""
    release.recall(ctx.work, ctx.actor, number, body.reason)
    return {"release": number, "state": "recalled", "log_index": ctx.commit()[0].index}


@api.post("/releases/{number}/restore")
def restore_json(ctx: Ctx, number: str, body: ReasonIn) -> dict[str, Any]:
    """First of two people: propose to undo a recall."""
    release.propose_restore(ctx.work, ctx.actor, number, body.reason)
    return {"release": number, "state": "recalled", "log_index": ctx.commit()[0].index}


@api.post("/releases/{number}/restore/confirm")
def confirm_json(ctx: Ctx, number: str) -> dict[str, Any]:
    """Second, different person: undo the recall."""
    release.confirm_restore(ctx.work, ctx.actor, number)
    return {"release": number, "state": "released", "log_index": ctx.commit()[0].index}


def _vote(ctx: Context, number: str, body: ReviewIn) -> tuple[Any, int]:
    votes = tuple(release.ItemVote(vote.item, vote.vote, vote.reason) for vote in body.votes)
    review = release.Review(votes, body.comment, body.override, body.expected_version)
    request = release.submit_review(ctx.work, ctx.actor, number, review, ctx.opa, _store(ctx))
    return request, ctx.commit()[0].index


# --- Home page -------------------------------------------------------------------------------------------------


@todo.provides(Role.REVIEWER)
def waiting_reviews(ctx: Context) -> Iterable[todo.Todo]:
    for request in release.queue(ctx.session, ctx.actor):
        note = _("第 %(turn)s 轮", turn=request.turn)
        yield todo.Todo(named(request), f"/reviews/{request.id}", "in-review", due=request.due_at, note=note)
