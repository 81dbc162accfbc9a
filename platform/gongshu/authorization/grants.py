"""Grants: an agreement compiled for one scenario and one dataset, as the policy sees it.

It decides nothing about validity: lapsed and revoked grants are handed out too, and Rego compares
their terms with the moment in the question, so that a refusal can cite the clause that ended them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from gongshu.authorization.models import Agreement, Freeze, GrantRow, Scenario, ScenarioAnalyst
from gongshu.clock import to_text


@dataclass(frozen=True)
class Grant:
    """One dataset of one agreement. columns: those agreed; masks, row_filter: by the vocabulary of `gongshu.policy`."""

    grant: str
    agreement: str
    agreement_id: str
    scenario: str
    operator: str
    provider: str
    dataset: str
    version: int
    purpose: str
    use: str
    columns: tuple[str, ...]
    row_filter: Mapping[str, Any] | None
    masks: Mapping[str, Mapping[str, Any]]
    output_kinds: tuple[str, ...]
    quota: Mapping[str, int]
    price: str
    clauses: Mapping[str, str]
    valid_from: datetime
    valid_until: datetime
    revoked_at: datetime | None
    asked_at: datetime

    @property
    def revoked(self) -> bool:
        return self.revoked_at is not None and self.revoked_at <= self.asked_at

    @property
    def in_force(self) -> bool:
        """For pages only; what may run is decided by the policy."""
        return not self.revoked and self.valid_from <= self.asked_at < self.valid_until

    def snapshot(self) -> dict[str, Any]:
        """The grant as it stands in a question (contract of `policies/schemas/authorization.json`)."""
        return {
            "grant": self.grant,
            "agreement": self.agreement,
            "agreement_id": self.agreement_id,
            "scenario": self.scenario,
            "operator": self.operator,
            "provider": self.provider,
            "dataset": self.dataset,
            "version": self.version,
            "purpose": self.purpose,
            "use": self.use,
            "columns": list(self.columns),
            "row_filter": self.row_filter,
            "masks": {column: dict(mask) for column, mask in self.masks.items()},
            "output_kinds": list(self.output_kinds),
            "quota": dict(self.quota),
            "price": self.price,
            "valid_from": to_text(self.valid_from),
            "valid_until": to_text(self.valid_until),
            "revoked": self.revoked,
            "clauses": dict(self.clauses),
        }


def grants_in_force(session: Session, person: str | None, scenario: str, now: datetime) -> list[Grant]:
    """All grants of a scenario whose agreement was signed by both sides, lapsed and revoked ones included.

    person: a pseudonym, who must be an analyst of the scenario, else there are none; None for any.
    """
    query = (
        select(*GrantRow.__table__.columns, Agreement.revoked_at)
        .join(Agreement, Agreement.id == GrantRow.agreement)
        .where(GrantRow.scenario == scenario)
        .order_by(GrantRow.id)
    )
    if person is not None:
        analyst = select(ScenarioAnalyst.person).where(
            ScenarioAnalyst.scenario == scenario, ScenarioAnalyst.pseudonym == person
        )
        query = query.where(analyst.exists())
    return [to_grant(row, row.revoked_at, now) for row in session.execute(query)]


def grants_on_dataset(session: Session, dataset: str, now: datetime) -> list[Grant]:
    """Every grant that was ever given on a dataset (its provider's and the regulators' view)."""
    rows = session.execute(
        select(GrantRow, Agreement.revoked_at)
        .join(Agreement, Agreement.id == GrantRow.agreement)
        .where(GrantRow.dataset == dataset)
        .order_by(GrantRow.id)
    )
    return [to_grant(row, revoked_at, now) for row, revoked_at in rows]


def is_analyst(session: Session, person: str, scenario: str) -> bool:
    """Whether the pseudonym is one of the scenario's analysts."""
    found = session.scalar(
        select(ScenarioAnalyst.person).where(ScenarioAnalyst.scenario == scenario, ScenarioAnalyst.pseudonym == person)
    )
    return found is not None


def scenarios_of_analyst(session: Session, person: str) -> Sequence[Scenario]:
    """The scenarios in which the pseudonym is an analyst, by code."""
    return session.scalars(
        select(Scenario).join(ScenarioAnalyst).where(ScenarioAnalyst.pseudonym == person).order_by(Scenario.code)
    ).all()


def is_frozen(session: Session, organisation: str) -> bool:
    """Whether the organisation is on hold now. Read it in the transaction that relies on it."""
    open_freeze = select(Freeze.id).where(Freeze.organisation == organisation, Freeze.lifted_at.is_(None))
    return session.scalar(open_freeze) is not None


def to_grant(row: GrantRow | Row[*tuple[Any, ...]], revoked_at: datetime | None, now: datetime) -> Grant:
    kept = row.snapshot
    return Grant(
        grant=row.id,
        agreement=kept["agreement"],
        agreement_id=row.agreement,
        scenario=row.scenario,
        operator=kept["operator"],
        provider=row.provider,
        dataset=row.dataset,
        version=kept["version"],
        purpose=kept["purpose"],
        use=kept["use"],
        columns=tuple(kept["columns"]),
        row_filter=kept["row_filter"],
        masks=kept["masks"],
        output_kinds=tuple(kept["output_kinds"]),
        quota=kept["quota"],
        price=kept["price"],
        clauses=kept["clauses"],
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        revoked_at=revoked_at,
        asked_at=now,
    )
