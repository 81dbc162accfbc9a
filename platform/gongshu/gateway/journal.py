"""The statement's three entries: intent, denial, outcome; each in one transaction with what it changes.

No statement runs before its intent is durable, no last batch leaves before its outcome is. It decides
what the log says of a statement; it never decides whether the statement may run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork, Value
from gongshu.gateway import quota
from gongshu.gateway.models import QuotaDay, Statement
from gongshu.identity import Actor
from gongshu.policy import Decision


@dataclass(frozen=True)
class Opening:
    """What is known of a statement before it runs. kind: query, analyze, release-table, view."""

    statement: str
    kind: str
    actor: Actor
    scenario: str
    text: Mapping[str, str]
    digest: str
    datasets: tuple[tuple[str, int], ...]
    columns: Mapping[str, Sequence[str]]
    grants: Mapping[str, Mapping[str, Any]]
    instance: str

    @property
    def agreement(self) -> str:
        return next((str(grant["agreement_id"]) for grant in self.grants.values()), "")

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(sorted({str(grant["provider"]) for grant in self.grants.values()}))


@dataclass(frozen=True)
class Outcome:
    """How a statement ended. datasets: usage per dataset; engine: raw facts for the regulators only."""

    status: str
    rows_out: int = 0
    bytes_out: int = 0
    duration_ms: int = 0
    result_digest: str = ""
    datasets: tuple[Mapping[str, Value], ...] = ()
    engine: Mapping[str, Value] = field(default_factory=dict)
    reason: str = ""

    @property
    def billable_bytes(self) -> int:
        return sum(int(str(one["billable_bytes"])) for one in self.datasets)


def log_intent(work: UnitOfWork, opening: Opening, decision: Decision, reserved_bytes: int, day: QuotaDay) -> None:
    """Record an allowed statement and reserve its bytes. `day` must be locked in this unit."""
    entry = work.record(_decided(EventType.STATEMENT_INTENT, opening, decision))
    day.statements += 1
    day.reserved_bytes += reserved_bytes
    work.session.add(_row(work, opening, "open", entry, day, reserved_bytes))


def log_denial(work: UnitOfWork, opening: Opening, decision: Decision, day: QuotaDay) -> None:
    """Record a denied statement; it counts in the quota of statements, with no bytes."""
    entry = work.record(_decided(EventType.STATEMENT_DENIAL, opening, decision))
    day.statements += 1
    row = _row(work, opening, "denied", entry, day, 0)
    row.ended_at = work.clock.now()
    work.session.add(row)


def log_outcome(work: UnitOfWork, statement: str, outcome: Outcome, denied: Mapping[str, str] | None = None) -> bool:
    """Close an open statement and settle its quota. Returns False when it is closed already.

    denied: the reason of a denial that only showed while securing; it gets an entry of its own.
    """
    query = select(Statement).where(Statement.id == statement, Statement.state == "open")
    row = work.session.scalars(query.with_for_update()).one_or_none()
    if row is None:
        return False
    public: dict[str, Value] = {
        "statement": row.id,
        "intent": row.intent,
        "status": outcome.status,
        "result_digest": outcome.result_digest,
    }
    if outcome.reason:
        public["reason"] = outcome.reason
    usage: dict[str, Value] = {
        "rows_out": outcome.rows_out,
        "bytes_out": outcome.bytes_out,
        "billable_bytes": outcome.billable_bytes,
        "duration_ms": outcome.duration_ms,
        "datasets": list(outcome.datasets),
    }
    event = Event(
        EventType.STATEMENT_OUTCOME,
        actor=row.person,
        organisation=row.organisation,
        scenario=row.scenario,
        public=public,
        private={"usage": Private(usage, audience=(row.organisation,)), "engine": Private(outcome.engine)},
    )
    if denied is not None:
        work.record(_late_denial(row, denied))
    row.outcome = work.record(event)
    row.state = outcome.status
    row.ended_at = work.clock.now()
    row.rows_out, row.bytes_out, row.billable_bytes = outcome.rows_out, outcome.bytes_out, outcome.billable_bytes
    if outcome.status != "unknown":  # an unknown statement keeps its reservation (document 13 §14)
        quota.settle(quota.lock_day(work.session, row.scenario, row.day), row.reserved_bytes, outcome.billable_bytes)
    return True


def log_refusal(
    work: UnitOfWork, actor: Actor, scenario: str, code: str, text: Mapping[str, str], repeated: int
) -> None:
    """Record what was refused before the policy could be asked. repeated: how many like it since the last entry."""
    work.record(
        Event(
            EventType.STATEMENT_DENIAL,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            scenario=scenario,
            public={
                "kind": "protocol",
                "allowed": False,
                "reasons": [{"code": code, "clause": "", "dataset": ""}],
                "repeated": repeated,
            },
            private={"statement": Private(text, audience=(actor.organisation,))},
        )
    )


def _late_denial(row: Statement, denied: Mapping[str, str]) -> Event:
    """The dataset was granted, a column was not; the decision that replay covers stands in the intent."""
    return Event(
        EventType.STATEMENT_DENIAL,
        actor=row.person,
        organisation=row.organisation,
        scenario=row.scenario,
        public={
            "statement": row.id,
            "intent": row.intent,
            "kind": row.kind,
            "allowed": False,
            "reasons": [dict(denied)],
        },
    )


def open_statements(session: Session, instance: str) -> Sequence[str]:
    """Statements of this gateway that have an intent and no outcome."""
    query = select(Statement.id).where(Statement.instance == instance, Statement.state == "open")
    return session.scalars(query.order_by(Statement.id)).all()


def _row(work: UnitOfWork, opening: Opening, state: str, intent: str, day: QuotaDay, reserved_bytes: int) -> Statement:
    return Statement(
        id=opening.statement,
        instance=opening.instance,
        person=opening.actor.pseudonym,
        organisation=opening.actor.organisation,
        scenario=opening.scenario,
        kind=opening.kind,
        state=state,
        day=day.day,
        reserved_bytes=reserved_bytes,
        intent=intent,
        started_at=work.clock.now(),
    )


def _decided(kind: EventType, opening: Opening, decision: Decision) -> Event:
    public, private = decision.evidence()
    own = (opening.actor.organisation,)
    return Event(
        kind,
        actor=opening.actor.pseudonym,
        organisation=opening.actor.organisation,
        scenario=opening.scenario,
        public={
            **public,
            "statement": opening.statement,
            "kind": opening.kind,
            "agreement": opening.agreement,
            "grants": sorted(str(grant["grant"]) for grant in opening.grants.values()),
            "statement_digest": opening.digest,
            "datasets": [{"dataset": name, "version": version} for name, version in opening.datasets],
        },
        private={
            **{name: Private(payload, audience=own) for name, payload in private.items()},
            "statement": Private(opening.text, audience=own),
            "columns": Private(
                {name: list(columns) for name, columns in opening.columns.items()}, audience=own + opening.providers
            ),
        },
    )
