"""What a scenario used today: read by pages, reserved and settled by the gateway under a row lock.

It never decides whether that is too much: the policy compares it with the agreement's quota.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from gongshu.gateway.models import QuotaDay

LOCK = text(
    "INSERT INTO gateway_quota_day AS q (scenario, day, statements, reserved_bytes, billed_bytes)"
    " VALUES (:scenario, :day, 0, 0, 0)"
    " ON CONFLICT (scenario, day) DO UPDATE SET statements = q.statements"
    " RETURNING statements, reserved_bytes, billed_bytes"
)


@dataclass(frozen=True)
class LockedDay:
    """The day's counts, read under its row lock."""

    scenario: str
    day: date
    statements: int
    reserved_bytes: int
    billed_bytes: int


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


def lock_day(session: Session, scenario: str, day: date) -> LockedDay:
    """The day's row, made if need be, under a lock that lasts until the transaction ends (one round trip)."""
    found = session.execute(LOCK, {"scenario": scenario, "day": day}).one()
    return LockedDay(scenario, day, found.statements, found.reserved_bytes, found.billed_bytes)
