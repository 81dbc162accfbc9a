"""May this person start this scenario's sandbox now? Asked of the policy, logged whatever the answer.

It must never tell a person of one company that another company's scenario exists: it reads as absent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork
from gongshu.authorization.application import is_code
from gongshu.authorization.grants import grants_in_force, is_frozen
from gongshu.authorization.models import Scenario
from gongshu.authorization.scenarios import absent
from gongshu.identity import Actor
from gongshu.policy import Decision, Opa, Subject, spawn_question


def decide_spawn(work: UnitOfWork, opa: Opa, actor: Actor, code: str) -> Decision:
    """Ask and record; the caller commits and then acts. Raises NotFound for a code that cannot be one."""
    if not is_code(code):
        raise absent(code)
    decision = opa.ask("authorization", _question(work.session, actor, code, work.clock.now()))
    public, private = decision.evidence()
    work.record(
        Event(
            EventType.SPAWN_DECIDED,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            scenario=code,
            public=public,
            private={name: Private(payload, (actor.organisation,)) for name, payload in private.items()},
        )
    )
    return decision


def may_stay(session: Session, opa: Opa, actor: Actor, code: str, now: datetime) -> Decision:
    """Whether a running sandbox may go on. It only ever takes away, so it is asked often and not logged;
    the stop that follows is."""
    return opa.ask("authorization", _question(session, actor, code, now))


def _question(session: Session, actor: Actor, code: str, now: datetime) -> dict[str, Any]:
    scenario = session.get(Scenario, code)
    own = scenario is not None and scenario.operator == actor.organisation
    grants = grants_in_force(session, actor.pseudonym, code, now) if own else []
    return spawn_question(
        Subject(actor.pseudonym, actor.organisation, [role.value for role in actor.roles]),
        code,
        [grant.snapshot() for grant in grants],
        frozen=is_frozen(session, actor.organisation),
        now=now,
    )


def sandbox_facts(scenario: Scenario, decision: Decision) -> dict[str, Any]:
    """What the spawn page and the sandbox are told about an allowed scenario."""
    grants = decision.question["grants"]
    ends_at = decision.limits["ends_at"]
    current = next(grant for grant in grants if grant["valid_until"] == ends_at)
    return {
        "scenario": scenario.code,
        "title": {"zh": scenario.title_zh, "en": scenario.title_en},
        "purpose": scenario.purpose,
        "agreement": current["agreement"],
        "ends_at": ends_at,
        "quota": {
            "billable_bytes_per_day": decision.limits["billable_bytes_per_day"],
            "statements_per_day": decision.limits["statements_per_day"],
        },
        "clauses": current["clauses"],
        "datasets": sorted({grant["dataset"] for grant in grants}),
        "decision": decision.decision_id,
    }
