"""How the log is: whether it takes entries, how far publication is, what was left open.

It reads; `audit_append` decides (migration 0002). Pages show this so that people know before they act.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gongshu.audit.event import EventType
from gongshu.audit.models import LogCheckpoint, LogEntry, LogHead
from gongshu.audit.watch import LOCK

WRITABLE = text(
    "SELECT p.state = 'never' OR (p.state = 'running' AND p.beat_at > clock_timestamp() - interval '5 seconds'"
    " AND EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock AND objsubid = 1 AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))"
    " FROM audit_publisher p WHERE p.id = 1"
)


@dataclass(frozen=True)
class LogHealth:
    """writable: whether the publisher lives. size: entries; published: covered by the newest checkpoint."""

    writable: bool
    size: int
    published: int
    published_at: datetime | None
    open_intents: int
    denials: int


def is_writable(session: Session) -> bool:
    """Whether the log would take an entry now, as far as its publisher is concerned."""
    return bool(session.execute(WRITABLE, {"lock": LOCK}).scalar())


def log_health(session: Session, since: datetime) -> LogHealth:
    """since: from when denials are counted."""
    newest = session.scalars(select(LogCheckpoint).order_by(LogCheckpoint.size.desc()).limit(1)).one_or_none()
    denied = select(func.count()).where(LogEntry.allowed.is_(False), LogEntry.time >= since)
    return LogHealth(
        writable=is_writable(session),
        size=session.scalars(select(LogHead.size)).one(),
        published=newest.size if newest else 0,
        published_at=newest.published_at if newest else None,
        open_intents=_count(session, EventType.STATEMENT_INTENT) - _count(session, EventType.STATEMENT_OUTCOME),
        denials=session.scalars(denied).one(),
    )


def _count(session: Session, kind: EventType) -> int:
    total: int = session.scalars(select(func.count()).select_from(LogEntry).where(LogEntry.event == kind)).one()
    return total
