"""Agreements as they are read: by those who may see them, and by other rooms for their split and terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gongshu.authorization.models import Agreement, Scenario
from gongshu.authorization.scenarios import may_see, scenario_row
from gongshu.errors import NotFound, Words
from gongshu.identity import Actor


def find_agreement(session: Session, actor: Actor, key: str) -> Agreement:
    """An agreement by id or number that the actor may see. Raises NotFound."""
    row = session.scalar(select(Agreement).where(or_(Agreement.id == key, Agreement.number == key)))
    if row is None or not may_see(actor, scenario_row(session, row.scenario)):
        raise NotFound(
            "authorization.agreement.absent",
            Words(f"没有协议 {key}。", f"There is no agreement {key}."),
            Words("在应用场景页查看您的协议", "See your agreements on the scenarios page"),
        )
    return row


def agreements_of(session: Session, scenario: str) -> Sequence[Agreement]:
    """The agreements of a scenario, in order."""
    return session.scalars(select(Agreement).where(Agreement.scenario == scenario).order_by(Agreement.id)).all()


def agreement_by_id(session: Session, number: str) -> Agreement:
    """For other rooms: the agreement of that id (its `split`, `clauses`, `terms`). Raises NotFound."""
    row = session.get(Agreement, number)
    if row is None:
        raise NotFound(
            "authorization.agreement.absent", Words(f"没有协议 {number}。", f"There is no agreement {number}.")
        )
    return row


def locked_agreement(session: Session, actor: Actor, key: str) -> tuple[Agreement, Scenario]:
    agreement = find_agreement(session, actor, key)
    scenario = scenario_row(session, agreement.scenario, lock=True)
    session.refresh(agreement)
    return agreement, scenario


def audience_of(agreement: Agreement) -> tuple[str, ...]:
    return (agreement.operator, *sorted({term["provider"] for term in agreement.terms}))


def contents_of(agreement: Agreement) -> dict[str, Any]:
    return {"clauses": agreement.clauses, "terms": agreement.terms, "split": agreement.split}


def facts_of_agreement(agreement: Agreement) -> dict[str, Any]:
    """An agreement as the API tells it."""
    return {
        "id": agreement.id,
        "no": agreement.id,
        "number": agreement.number,
        "scenario": agreement.scenario,
        "operator": agreement.operator,
        "state": agreement.state,
        "digest": agreement.digest,
        "clauses": agreement.clauses,
        "split": agreement.split,
        "valid_from": agreement.valid_from.isoformat() if agreement.valid_from else None,
        "valid_until": agreement.valid_until.isoformat() if agreement.valid_until else None,
        "signatures": [
            {"side": one.side, "organisation": one.organisation, "signed_at": one.signed_at.isoformat()}
            for one in agreement.signatures
        ],
    }
