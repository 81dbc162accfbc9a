"""The statement's three entries: intent, denial, outcome; each in one transaction with what it changes.

No statement runs before its intent is durable, no last batch leaves before its outcome is. It decides
what the log says of a statement; it never decides whether the statement may run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork, Value
from gongshu.gateway.models import Statement
from gongshu.gateway.quota import LockedDay
from gongshu.identity import Actor
from gongshu.policy import Decision

# Plain SQL where every statement passes: each is one round trip, and the mapper's work would double its cost.
OPEN = text(
    "WITH counted AS (UPDATE gateway_quota_day SET statements = statements + 1,"
    " reserved_bytes = reserved_bytes + :reserved WHERE scenario = :scenario AND day = :day)"
    " INSERT INTO gateway_statement (id, instance, person, organisation, scenario, kind, state, day, reserved_bytes,"
    " billable_bytes, rows_out, bytes_out, intent, started_at, ended_at)"
    " VALUES (:id, :instance, :person, :organisation, :scenario, :kind, :state, :day, :reserved,"
    " 0, 0, 0, :intent, :now, :ended)"
)
CLOSE = text(
    "UPDATE gateway_statement SET state = :state, ended_at = :now, rows_out = :rows, bytes_out = :bytes,"
    " billable_bytes = :billable WHERE id = :id AND state = 'open'"
    " RETURNING id, person, organisation, scenario, kind, day, reserved_bytes, intent"
)
SETTLE = text(
    "WITH named AS (UPDATE gateway_statement SET outcome = :outcome WHERE id = :id)"
    " UPDATE gateway_quota_day SET reserved_bytes = GREATEST(0, reserved_bytes - :freed),"
    " billed_bytes = billed_bytes + :billed WHERE scenario = :scenario AND day = :day"
)


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


def log_intent(work: UnitOfWork, opening: Opening, decision: Decision, reserved_bytes: int, day: LockedDay) -> None:
    """Record an allowed statement and reserve its bytes. `day` must be locked in this unit."""
    entry = work.record(_decided(EventType.STATEMENT_INTENT, opening, decision))
    _open(work, opening, "open", entry, day, reserved_bytes)


def log_denial(work: UnitOfWork, opening: Opening, decision: Decision, day: LockedDay) -> None:
    """Record a denied statement; it counts in the quota of statements, with no bytes."""
    entry = work.record(_decided(EventType.STATEMENT_DENIAL, opening, decision))
    _open(work, opening, "denied", entry, day, 0)


def log_outcome(work: UnitOfWork, statement: str, outcome: Outcome, denied: Mapping[str, str] | None = None) -> bool:
    """Close an open statement and settle its quota. Returns False when it is closed already.

    denied: the reason of a denial that only showed while securing; it gets an entry of its own.
    """
    closing = {
        "id": statement,
        "state": outcome.status,
        "now": work.clock.now(),
        "rows": outcome.rows_out,
        "bytes": outcome.bytes_out,
        "billable": outcome.billable_bytes,
    }
    row = work.session.execute(CLOSE, closing).one_or_none()
    if row is None:
        return False
    if denied is not None:
        work.record(_late_denial(row, denied))
    entry = work.record(_ended(row, outcome))
    known = outcome.status != "unknown"  # an unknown statement keeps its reservation (document 13 §14)
    settled = {"freed": row.reserved_bytes if known else 0, "billed": outcome.billable_bytes if known else 0}
    place = {"id": statement, "outcome": entry, "scenario": row.scenario, "day": row.day}
    work.session.execute(SETTLE, {**settled, **place})
    return True


def _ended(row: Row[*tuple[Any, ...]], outcome: Outcome) -> Event:
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
    return Event(
        EventType.STATEMENT_OUTCOME,
        actor=row.person,
        organisation=row.organisation,
        scenario=row.scenario,
        public=public,
        private={"usage": Private(usage, audience=(row.organisation,)), "engine": Private(outcome.engine)},
    )


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


def _late_denial(row: Row[*tuple[Any, ...]], denied: Mapping[str, str]) -> Event:
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


def _open(work: UnitOfWork, opening: Opening, state: str, intent: str, day: LockedDay, reserved_bytes: int) -> None:
    now = work.clock.now()
    work.session.execute(
        OPEN,
        {
            "id": opening.statement,
            "instance": opening.instance,
            "person": opening.actor.pseudonym,
            "organisation": opening.actor.organisation,
            "scenario": opening.scenario,
            "kind": opening.kind,
            "state": state,
            "day": day.day,
            "reserved": reserved_bytes,
            "intent": intent,
            "now": now,
            "ended": now if state == "denied" else None,
        },
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
