"""Events that Hub and doors report on the internal socket: their own kinds only, written as their own writer.

It decides that a report is about a sandbox that can be named; it must never let them write anything
else (the log's own grants refuse it as well).
"""

from __future__ import annotations

import re

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gongshu.audit import Event, EventType, UnitOfWork
from gongshu.errors import Invalid, NotFound, Words
from gongshu.identity import find_actor
from gongshu.portal.edge import Public

router = APIRouter()
REPORTED = {
    EventType.SANDBOX_STARTED: "hub",
    EventType.SANDBOX_STOPPED: "hub",
    EventType.DOOR_REFUSED: "doors",
}
SANDBOX = re.compile(r"([a-z][a-z0-9]{1,19})--([a-z0-9-]{1,60})")


class Report(BaseModel):
    """type: one of REPORTED. sandbox: `<person>--<scenario>`. public: codes and counts only."""

    type: str = Field(max_length=80)
    sandbox: str = Field("", max_length=90)
    public: dict[str, str | int | bool] = Field(default_factory=dict, max_length=12)
    private: dict[str, str] = Field(default_factory=dict, max_length=0)


class Taken(BaseModel):
    index: int


@router.post("/event")
def report(ctx: Public, told: Report) -> Taken:
    """Log what happened to a sandbox. Raises Invalid for a kind that is not theirs to report."""
    kind = next((kind for kind in REPORTED if kind.value == told.type), None)
    named = SANDBOX.fullmatch(told.sandbox)
    if kind is None or named is None or len(str(told.public)) > 2000:
        raise Invalid(
            "log.report.form", Words("上报的事件不在许可之列。", "This event may not be reported."), type=told.type[:80]
        )
    person, scenario = named.groups()
    try:
        actor = find_actor(ctx.session, person)
        pseudonym, organisation = actor.pseudonym, actor.organisation
    except NotFound:
        pseudonym, organisation = "unknown", ""
    services = ctx.services
    with UnitOfWork(services.sessions, writer=REPORTED[kind], clock=ctx.clock, vault=services.vault) as work:
        public = {key: told.public[key] for key in sorted(told.public)}
        work.record(Event(kind, actor=pseudonym, organisation=organisation, scenario=scenario, public=public))
        return Taken(index=work.commit()[0].index)
