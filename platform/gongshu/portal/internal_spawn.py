"""Routes for the Hub and the doors on the internal socket: may this sandbox start, may these go on.

The policy decides; a start is logged whatever the answer. What belongs to another company, or does not
exist, is 404 and says no more.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gongshu.authorization import decide_spawn, find_scenario, may_stay, sandbox_facts
from gongshu.authorization.scenarios import absent
from gongshu.errors import NotFound, Words
from gongshu.identity import find_actor
from gongshu.portal.edge import Context, Public

router = APIRouter()
GONE = Words("用户或应用场景已不存在,沙箱已停止。", "The person or scenario is gone; the sandbox was stopped.")


class Place(BaseModel):
    """A sandbox: one person, one scenario."""

    person: str = Field(max_length=40)
    scenario: str = Field(max_length=60)


class Places(BaseModel):
    sandboxes: list[Place] = Field(max_length=1000)


@router.post("/spawn")
def spawn(ctx: Public, place: Place) -> dict[str, Any]:
    """What the start page shows, once the policy allows. Raises Denied with the clause, NotFound for strangers."""
    try:
        actor = find_actor(ctx.session, place.person)
    except NotFound as error:
        raise absent(place.scenario) from error
    decision = decide_spawn(ctx.work, ctx.opa, actor, place.scenario)
    ctx.commit()
    try:
        scenario = find_scenario(ctx.session, actor, place.scenario)
    except NotFound:
        if not decision.allowed:
            raise
        raise decision.refusal() from None
    decision.require()
    return sandbox_facts(scenario, decision)


@router.post("/sandboxes")
def sandboxes(ctx: Public, places: Places) -> dict[str, Any]:
    """Which of the running sandboxes must close now, and why. Raises Unavailable when nobody can tell."""
    closed = []
    for place in places.sandboxes:
        reason = _why_closed(ctx, place)
        if reason is not None:
            closed.append({**place.model_dump(), "reason": {"zh": reason.zh, "en": reason.en}})
    return {"closed": closed}


def _why_closed(ctx: Context, place: Place) -> Words | None:
    try:
        actor = find_actor(ctx.session, place.person)
    except NotFound:
        return GONE
    decision = may_stay(ctx.session, ctx.opa, actor, place.scenario, ctx.now)
    return None if decision.allowed else decision.message()
