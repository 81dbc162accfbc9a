"""Scenarios as they are read, and who may see which.

It must never show one operator another's case: what is not the asker's reads as absent. That a code is
taken can be learned; the public register names every scenario that came into force anyway.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.authorization.models import ColumnRequest, Scenario
from gongshu.errors import NotFound, Words
from gongshu.identity import Actor, Role, require_role


def own_scenario(session: Session, actor: Actor, code: str, *, lock: bool = False) -> Scenario:
    """A scenario of the manager's own organisation. Raises NotFound otherwise, Denied without the role."""
    require_role(actor, Role.MANAGER, actor.organisation)
    row = scenario_row(session, code, lock=lock)
    if row.operator != actor.organisation:
        raise absent(code)
    return row


def scenario_row(session: Session, code: str, *, lock: bool = False) -> Scenario:
    """The scenario of that code, locked for this transaction when asked. Raises NotFound."""
    query = select(Scenario).where(Scenario.code == code)
    if lock:  # what was read before the lock may be stale: read it again under the lock
        query = query.with_for_update().execution_options(populate_existing=True)
    row = session.scalar(query)
    if row is None:
        raise absent(code)
    return row


def find_scenario(session: Session, actor: Actor, code: str) -> Scenario:
    """A scenario that the actor may see. Raises NotFound for any other."""
    row = scenario_row(session, code)
    if not may_see(actor, row):
        raise absent(code)
    return row


def visible_scenarios(session: Session, actor: Actor) -> list[Scenario]:
    """The scenarios that the actor may see, the newest first."""
    rows = session.scalars(select(Scenario).order_by(Scenario.created_at.desc(), Scenario.code))
    return [row for row in rows if may_see(actor, row)]


def may_see(actor: Actor, row: Scenario) -> bool:
    """Own company, asked stewards once submitted, officers and reviewers of what was submitted, regulators."""
    if row.operator == actor.organisation:
        return actor.has(Role.MANAGER) or any(one.pseudonym == actor.pseudonym for one in row.analysts)
    if row.submitted_at is None:
        return False
    if actor.has(Role.OFFICER) or actor.has(Role.REGULATOR):
        return True
    provided = actor.organisations_as(Role.STEWARD) | actor.organisations_as(Role.CDO)
    return any(request.provider in provided for request in row.requests)


def absent(code: str) -> NotFound:
    """Absent and another company's read the same."""
    return NotFound(
        "authorization.scenario.absent",
        Words(f"没有应用场景 {code}。", f"There is no scenario {code}."),
        Words("在应用场景页查看您的场景", "See your scenarios on the scenarios page"),
    )


def facts_of(row: Scenario) -> dict[str, Any]:
    """A scenario as the API tells it to those who may see it."""
    return {
        "code": row.code,
        "operator": row.operator,
        "title_zh": row.title_zh,
        "title_en": row.title_en,
        "purpose": row.purpose,
        "beneficiary": row.beneficiary,
        "output_kinds": row.output_kinds,
        "term_months": row.term_months,
        "term_minutes": row.term_minutes,
        "quota": row.quota,
        "state": row.state,
        "version": row.version,
        "analysts": [one.person for one in row.analysts],
        "requests": [request_facts(request) for request in row.requests],
    }


def request_facts(row: ColumnRequest) -> dict[str, Any]:
    """One request with its columns and verdicts."""
    return {
        "id": row.id,
        "scenario": row.scenario,
        "dataset": row.dataset,
        "version": row.dataset_version,
        "provider": row.provider,
        "use": row.use,
        "price": row.price,
        "reason": row.reason,
        "state": row.state,
        "row_filter": row.agreed_filter if row.state == "agreed" else row.row_filter,
        "columns": [
            {"name": one.column, "mask": one.mask, "verdict": one.verdict, "agreed_mask": one.agreed_mask}
            for one in row.columns
        ],
        "decision_reason": row.decision_reason,
    }
