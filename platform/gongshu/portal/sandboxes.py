"""The analyst's sandboxes: one card per scenario with term, use of today, and the way to the Hub's start page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gongshu import authorization
from gongshu.authorization.models import Scenario
from gongshu.errors import GongshuError
from gongshu.gateway.quota import UsedToday, used_today
from gongshu.identity import Role
from gongshu.portal import todo
from gongshu.portal.edge import Context, Ctx
from gongshu.portal.formats import size
from gongshu.portal.language import _

pages = APIRouter()
api = APIRouter()


@dataclass(frozen=True)
class Card:
    """A scenario of this analyst. refusal: why its sandbox cannot start now (by which clause, or which part
    is down); None when it can."""

    row: Scenario
    ends_at: datetime | None
    used: UsedToday
    refusal: GongshuError | None
    start_url: str

    @property
    def state(self) -> str:
        code = self.refusal.code.rpartition(".")[2] if self.refusal else "active"
        return {
            "term-over": "expired",
            "revoked": "revoked",
            "frozen": "frozen",
            "active": "active",
            "policy": "unknown",
        }.get(code, "not-started")


def cards_of(ctx: Context) -> list[Card]:
    """The analyst's scenarios, those that can start first."""
    rows = authorization.scenarios_of_analyst(ctx.session, ctx.actor.pseudonym)
    cards = [_card(ctx, row) for row in rows if row.submitted_at is not None]
    return sorted(cards, key=lambda card: (card.refusal is not None, card.row.code))


def _card(ctx: Context, row: Scenario) -> Card:
    grants = authorization.grants_in_force(ctx.session, ctx.actor.pseudonym, row.code, ctx.now)
    return Card(
        row=row,
        ends_at=max((grant.valid_until for grant in grants), default=None),
        used=used_today(ctx.session, row.code, ctx.now, ctx.settings.time_zone),
        refusal=_refusal(ctx, row.code),
        start_url=f"{ctx.settings.hub_url or '/'}hub/sandbox/{row.code}",
    )


def _refusal(ctx: Context, code: str) -> GongshuError | None:
    """Reading goes on when the policy is down: the card says so instead of the whole page."""
    try:
        authorization.may_stay(ctx.session, ctx.opa, ctx.actor, code, ctx.now).require()
    except GongshuError as error:
        return error
    return None


@pages.get("/sandboxes")
def sandboxes_page(ctx: Ctx) -> Response:
    ctx.require(Role.ANALYST)
    return ctx.render("sandboxes.html", cards=cards_of(ctx))


@api.get("/sandboxes")
def list_sandboxes(ctx: Ctx) -> dict[str, Any]:
    """The analyst's scenarios: whether their sandbox can start, until when, and today's use."""
    ctx.require(Role.ANALYST)
    return {"sandboxes": [_facts(card) for card in cards_of(ctx)]}


def _facts(card: Card) -> dict[str, Any]:
    message = card.refusal.message if card.refusal else None
    return {
        "scenario": card.row.code,
        "state": card.state,
        "ends_at": card.ends_at.isoformat() if card.ends_at else None,
        "quota": card.row.quota,
        "used_today": {"statements": card.used.statements, "billable_bytes": card.used.billable_bytes},
        "refusal": {"zh": message.zh, "en": message.en} if message else None,
        "start_url": card.start_url,
    }


@todo.facts(Role.ANALYST)
def use_today(ctx: Context) -> list[todo.Fact]:
    """Today's use against the quota of each scenario that can run."""
    found = []
    for card in cards_of(ctx):
        if card.refusal is None:
            limit = size(card.row.quota["billable_bytes_per_day"])
            label = _("今日计费数据量 · %(scenario)s", scenario=card.row.code)
            found.append(todo.Fact(label, f"{size(card.used.billable_bytes)} / {limit}", "/sandboxes"))
    return found


@todo.provides(Role.ANALYST)
def refused_scenarios(ctx: Context) -> list[todo.Todo]:
    """Scenarios whose term is over: the manager's move, said before somebody tries in vain."""
    return [
        todo.Todo(
            _("等待续期:%(title)s", title=card.row.title_en if ctx.language == "en" else card.row.title_zh),
            "/sandboxes",
            "expired",
            mine=False,
        )
        for card in cards_of(ctx)
        if card.state == "expired"
    ]
