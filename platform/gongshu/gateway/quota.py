"""What a scenario used today: read by pages, reserved and settled by the gateway under a row lock.

It never decides whether that is too much: the policy compares it with the agreement's quota.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gongshu.gateway.models import QuotaDay


@dataclass(frozen=True)
class UsedToday:
    """statements: allowed and denied ones. billable_bytes: settled and still reserved."""

    statements: int = 0
    billable_bytes: int = 0


def day_of(now: datetime, time_zone: str) -> date:
    return now.astimezone(ZoneInfo(time_zone)).date()


def used_today(session: Session, scenario: str, now: datetime, time_zone: str = "Asia/Shanghai") -> UsedToday:
    """What a scenario used on the day of `now`, without a lock (for pages)."""
    row = session.get(QuotaDay, (scenario, day_of(now, time_zone)))
    return UsedToday(row.statements, row.reserved_bytes + row.billed_bytes) if row else UsedToday()


def lock_day(session: Session, scenario: str, day: date) -> QuotaDay:
    """The day's row, made if need be, under a lock that lasts until the transaction ends (one round trip)."""
    fresh = insert(QuotaDay).values(scenario=scenario, day=day, statements=0, reserved_bytes=0, billed_bytes=0)
    held = fresh.on_conflict_do_update(index_elements=["scenario", "day"], set_={"statements": QuotaDay.statements})
    return session.scalars(held.returning(QuotaDay), execution_options={"populate_existing": True}).one()


def settle(row: QuotaDay, reserved_bytes: int, billed_bytes: int) -> None:
    """Turn a reservation into what was really used."""
    row.reserved_bytes = max(0, row.reserved_bytes - reserved_bytes)
    row.billed_bytes += billed_bytes
