"""The home page: what is this person's turn, what waits for others, the facts of the role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from gongshu.authorization import grants_in_force, visible_scenarios
from gongshu.authorization.models import Scenario
from gongshu.errors import Words
from gongshu.identity import ROLE_WORDS, Role, find_organisation
from gongshu.portal import todo
from gongshu.portal.edge import Context, Ctx, Public
from gongshu.portal.session import sessions_of

pages = APIRouter()
api = APIRouter()
SHOWN = 6


@pages.get("/")
def home(ctx: Ctx) -> Response:
    """What is my turn, what waits for others, my scenarios, the facts of my role."""
    lines, missing = todo.todos_for(ctx)
    facts, more_missing = todo.facts_for(ctx)
    return ctx.render(
        "home.html",
        mine=[line for line in lines if line.mine],
        others=[line for line in lines if not line.mine],
        facts=facts,
        missing={error.code: error for error in (*missing, *more_missing)}.values(),
        duties=duties_of(ctx),
        cases=[Case(row, _ends_of(ctx, row)) for row in visible_scenarios(ctx.session, ctx.actor)[:SHOWN]],
    )


@dataclass(frozen=True)
class Case:
    """A scenario on the home page, with the end of its newest grant."""

    row: Scenario
    ends_at: datetime | None


def _ends_of(ctx: Context, row: Scenario) -> datetime | None:
    return max((grant.valid_until for grant in grants_in_force(ctx.session, None, row.code, ctx.now)), default=None)


@pages.get("/me")
def me(ctx: Ctx) -> Response:
    """My session, language, size of type, keys."""
    return ctx.render("me.html", duties=duties_of(ctx), sessions=sessions_of(ctx.session, ctx.actor.name))


@pages.get("/help")
def help_page(ctx: Public) -> Response:
    _ = ctx.actor_or_none
    return ctx.render("help.html")


@api.get("/me")
def whoami(ctx: Ctx) -> dict[str, object]:
    """Who is logged in, with roles and the organisations they hold in."""
    actor = ctx.actor
    return {
        "name": actor.name,
        "pseudonym": actor.pseudonym,
        "organisation": actor.organisation,
        "roles": [{"role": role.value, "organisation": place} for role, place in sorted(actor.appointments)],
    }


def duties_of(ctx: Context) -> list[tuple[Role, Words, list[Words]]]:
    """The person's roles, in words, with the organisations they are held in."""
    found = []
    for role in Role:
        places = sorted(ctx.actor.organisations_as(role))
        if places:
            names = [find_organisation(ctx.session, place) for place in places]
            found.append((role, ROLE_WORDS[role], [Words(row.name_zh, row.name_en) for row in names]))
    return found
