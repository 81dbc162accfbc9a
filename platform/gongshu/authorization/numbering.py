"""Numbers of cases: consecutive per kind and year, without gaps in what was committed.

It decides names like ``A-2026-0001`` and 示数授〔2026〕1号; a number is never used again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import String, cast, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

ZONE = ZoneInfo("Asia/Shanghai")


def next_numbers(
    session: Session, column: InstrumentedAttribute[Any], kind: str, now: datetime, count: int
) -> list[str]:
    """The next `count` numbers of that kind; a transaction lock makes two callers take turns."""
    take_turns(session, kind)
    prefix = f"{kind}-{now.astimezone(ZONE).year}-"
    last = session.scalar(select(func.max(cast(column, String))).where(column.like(f"{prefix}%")))
    start = int(last.rsplit("-", 1)[1]) if last else 0
    return [f"{prefix}{start + offset:04d}" for offset in range(1, count + 1)]


def take_turns(session: Session, name: str) -> None:
    """Hold a lock of that name until the transaction ends, so that of two who ask at once one comes first."""
    session.execute(text("select pg_advisory_xact_lock(hashtext(:name))"), {"name": f"authorization.{name}"})


def next_number(session: Session, column: InstrumentedAttribute[Any], kind: str, now: datetime) -> str:
    return next_numbers(session, column, kind, now, 1)[0]


def agreement_number(agreement_id: str) -> str:
    """``A-2026-0007`` as the number in the agreement's head: 示数授〔2026〕7号."""
    _kind, year, serial = agreement_id.split("-")
    return f"示数授〔{year}〕{int(serial)}号"
