"""Tables of statements and of what each scenario used today.

A statement's row is open from its intent to its outcome; it is never deleted. What a scenario used is
counted under the row lock of its day, so that parallel statements and crashes cannot overspend it.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, DateTime, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from gongshu.database import Base


class Statement(Base):
    """state: open, finished, failed, cancelled, unknown, denied. intent and outcome: ULIDs of their entries."""

    __tablename__ = "gateway_statement"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    instance: Mapped[str] = mapped_column(String(60))
    person: Mapped[str] = mapped_column(String(40), index=True)
    organisation: Mapped[str] = mapped_column(String(60), index=True)
    scenario: Mapped[str] = mapped_column(String(80), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(12))
    day: Mapped[date] = mapped_column(Date)
    reserved_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    billable_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    rows_out: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes_out: Mapped[int] = mapped_column(BigInteger, default=0)
    intent: Mapped[str] = mapped_column(String(26))
    outcome: Mapped[str | None] = mapped_column(String(26))
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (Index("ix_gateway_statement_open", "instance", postgresql_where=text("state = 'open'")),)


class QuotaDay(Base):
    """What one scenario reserved and used on one day of the agency's time zone."""

    __tablename__ = "gateway_quota_day"
    scenario: Mapped[str] = mapped_column(String(80), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    statements: Mapped[int] = mapped_column(default=0)
    reserved_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    billed_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
