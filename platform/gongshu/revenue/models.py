"""Tables of ceilings, price books, closed runs, invoices, splits and the journal. Written once, never edited.

The ceilings bind in the database too: a price names the ceiling it stands under by a foreign key that
carries the ceiling's figure, and a check compares the two; an invoice line does the same with its price.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Integer,
    Numeric,
    Sequence,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from gongshu.database import Base

CEILING_NUMBERS = Sequence("revenue_ceiling_number", metadata=Base.metadata)
EXACT = Numeric(30, 0)
MOMENT = DateTime(timezone=True)


class Ceiling(Base):
    """The most one unit of a product or service may cost, set by the office; a newer one replaces it."""

    __tablename__ = "revenue_ceiling"
    __table_args__ = (UniqueConstraint("id", "price", "meter", "unit", "microfen"),)
    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    price: Mapped[str] = mapped_column(String(80), index=True)
    meter: Mapped[str] = mapped_column(String(40))
    unit: Mapped[int] = mapped_column(BigInteger)
    unit_name: Mapped[str] = mapped_column(String(20))
    microfen: Mapped[int] = mapped_column(BigInteger)
    valid_from: Mapped[datetime] = mapped_column(MOMENT)
    valid_until: Mapped[datetime] = mapped_column(MOMENT)
    basis: Mapped[str] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(String(40))
    entry_id: Mapped[str] = mapped_column(String(26))


class PriceBook(Base):
    """One published version, in its exact bytes."""

    __tablename__ = "revenue_price_book"
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    effective_from: Mapped[datetime] = mapped_column(MOMENT)
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    published_by: Mapped[str] = mapped_column(String(40))
    published_at: Mapped[datetime] = mapped_column(MOMENT)
    entry_id: Mapped[str] = mapped_column(String(26))


class BookedPrice(Base):
    """One price of one version, as far as the database checks it."""

    __tablename__ = "revenue_price"
    __table_args__ = (
        ForeignKeyConstraint(
            ["ceiling", "price", "meter", "unit", "ceiling_microfen"],
            [f"revenue_ceiling.{column}" for column in ("id", "price", "meter", "unit", "microfen")],
            name="fk_revenue_price_ceiling",
        ),
        UniqueConstraint("version", "price", "unit", "ceiling_microfen"),
        CheckConstraint("lowest_microfen >= 0", name="not_negative"),
        CheckConstraint(
            "highest_microfen = 0 OR (ceiling IS NOT NULL AND highest_microfen <= ceiling_microfen)",
            name="under_ceiling",
        ),
    )
    version: Mapped[int] = mapped_column(
        ForeignKey("revenue_price_book.version"), primary_key=True, autoincrement=False
    )
    price: Mapped[str] = mapped_column(String(80), primary_key=True)
    meter: Mapped[str] = mapped_column(String(40))
    unit: Mapped[int] = mapped_column(BigInteger)
    lowest_microfen: Mapped[int] = mapped_column(BigInteger)
    highest_microfen: Mapped[int] = mapped_column(BigInteger)
    ceiling: Mapped[str | None] = mapped_column(String(20))
    ceiling_microfen: Mapped[int | None] = mapped_column(BigInteger)


class SettlementRun(Base):
    """One closing of a service month, for the entries from first_size up to log_size."""

    __tablename__ = "revenue_run"
    __table_args__ = (
        UniqueConstraint("period", "first_size"),
        CheckConstraint("first_size < log_size", name="forward"),
    )
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    first_size: Mapped[int] = mapped_column(BigInteger)
    log_size: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[int] = mapped_column(Integer)
    lines_root: Mapped[str] = mapped_column(String(64))
    closed_by: Mapped[str] = mapped_column(String(40))
    closed_at: Mapped[datetime] = mapped_column(MOMENT)
    entry_id: Mapped[str] = mapped_column(String(26))


class InvoiceRow(Base):
    __tablename__ = "revenue_invoice"
    __table_args__ = (
        ForeignKeyConstraint(
            ["period", "run"], ["revenue_run.period", "revenue_run.number"], name="fk_revenue_invoice_run"
        ),
        UniqueConstraint("period", "run", "payer"),
    )
    number: Mapped[str] = mapped_column(String(20), primary_key=True)
    period: Mapped[str] = mapped_column(String(7))
    run: Mapped[int] = mapped_column(Integer)
    payer: Mapped[str] = mapped_column(String(60), index=True)
    fen: Mapped[int] = mapped_column(BigInteger)
    shadow_fen: Mapped[int] = mapped_column(BigInteger)
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    issued_at: Mapped[datetime] = mapped_column(MOMENT)
    entry_id: Mapped[str] = mapped_column(String(26))


class InvoiceLineRow(Base):
    """A line under its price and ceiling. price_version None: no price was in force, so nothing is charged."""

    __tablename__ = "revenue_invoice_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["price_version", "price", "unit", "ceiling_microfen"],
            [f"revenue_price.{column}" for column in ("version", "price", "unit", "ceiling_microfen")],
            name="fk_revenue_invoice_line_price",
        ),
        # One micro-fen of slack: a later part of a month starts at a rounded-down running total.
        CheckConstraint(
            "charged_microfen = 0 OR (price_version IS NOT NULL AND ceiling_microfen IS NOT NULL"
            " AND charged_microfen * unit <= ceiling_microfen * quantity + unit)",
            name="under_ceiling",
        ),
        CheckConstraint(
            "charged_microfen >= 0 AND abs(fen * 1000000::numeric - charged_microfen) < 1000000", name="rounded_once"
        ),
    )
    invoice: Mapped[str] = mapped_column(ForeignKey("revenue_invoice.number"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    scenario: Mapped[str] = mapped_column(String(80), index=True)
    agreement: Mapped[str] = mapped_column(String(80))
    price: Mapped[str] = mapped_column(String(80))
    price_version: Mapped[int | None] = mapped_column(Integer)
    unit: Mapped[int] = mapped_column(BigInteger)
    ceiling_microfen: Mapped[int | None] = mapped_column(BigInteger)
    quantity: Mapped[int] = mapped_column(EXACT)
    charged_microfen: Mapped[int] = mapped_column(EXACT)
    fen: Mapped[int] = mapped_column(BigInteger)
    shadow_fen: Mapped[int] = mapped_column(BigInteger)


class AllocationRow(Base):
    """One party's part of an invoice line."""

    __tablename__ = "revenue_allocation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["invoice", "line"],
            ["revenue_invoice_line.invoice", "revenue_invoice_line.number"],
            name="fk_revenue_allocation_line",
        ),
    )
    invoice: Mapped[str] = mapped_column(String(20), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    party: Mapped[str] = mapped_column(String(60), primary_key=True, index=True)
    dataset: Mapped[str] = mapped_column(String(120), primary_key=True)
    fen: Mapped[int] = mapped_column(BigInteger)
    accounted: Mapped[bool] = mapped_column(Boolean)


class Posting(Base):
    """Double entry: the postings of one transaction sum to zero (a deferred trigger checks it at commit)."""

    __tablename__ = "revenue_posting"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    transaction: Mapped[str] = mapped_column(String(40), index=True)
    account: Mapped[str] = mapped_column(String(160), index=True)
    fen: Mapped[int] = mapped_column(BigInteger)
    entry_id: Mapped[str] = mapped_column(String(26))
