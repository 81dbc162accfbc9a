"""Tables of the revenue room, its constraints on money, and what each part's role may do with them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateSequence

revision = "0007"
down_revision = "0006"

TABLES = ("ceiling", "price_book", "price", "run", "invoice", "invoice_line", "allocation", "posting")
EXACT = sa.Numeric(30, 0)


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("revenue_ceiling_number")))
    _create_prices()
    _create_runs()
    _create_invoice_lines()
    _create_journal()
    everything = ", ".join(f"revenue_{name}" for name in TABLES)
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {everything} FROM gongshu_portal, gongshu_gateway, gongshu_worker")
    op.execute(f"REVOKE INSERT ON {everything} FROM gongshu_gateway, gongshu_worker")


def _time(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=nullable)


def _whole(name: str, kind: type[sa.Integer] = sa.BigInteger, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, kind(), nullable=nullable, autoincrement=False)


def _create_prices() -> None:
    ceiling_key = ["id", "price", "meter", "unit", "microfen"]
    op.create_table(
        "revenue_ceiling",
        _text("id", 20),
        _text("price", 80),
        _text("meter", 40),
        _whole("unit"),
        _text("unit_name", 20),
        _whole("microfen"),
        _time("valid_from"),
        _time("valid_until"),
        _text("basis"),
        _text("set_by", 40),
        _text("entry_id", 26),
        sa.PrimaryKeyConstraint("id", name="pk_revenue_ceiling"),
        sa.UniqueConstraint(*ceiling_key, name="uq_revenue_ceiling_id_price_meter_unit_microfen"),
        sa.CheckConstraint(
            "microfen >= 0 AND unit > 0 AND valid_from < valid_until", name=op.f("ck_revenue_ceiling_sound")
        ),
    )
    op.create_index("ix_revenue_ceiling_price", "revenue_ceiling", ["price"])
    op.create_table(
        "revenue_price_book",
        _whole("version", sa.Integer),
        _time("effective_from"),
        _text("document"),
        _text("sha256", 64),
        _text("published_by", 40),
        _time("published_at"),
        _text("entry_id", 26),
        sa.PrimaryKeyConstraint("version", name="pk_revenue_price_book"),
        sa.CheckConstraint("effective_from >= published_at", name=op.f("ck_revenue_price_book_never_backwards")),
    )
    op.create_table(
        "revenue_price",
        _whole("version", sa.Integer),
        _text("price", 80),
        _text("meter", 40),
        _whole("unit"),
        _whole("lowest_microfen"),
        _whole("highest_microfen"),
        _text("ceiling", 20, nullable=True),
        _whole("ceiling_microfen", nullable=True),
        sa.PrimaryKeyConstraint("version", "price", name="pk_revenue_price"),
        sa.ForeignKeyConstraint(["version"], ["revenue_price_book.version"], name="fk_revenue_price_version"),
        sa.ForeignKeyConstraint(
            ["ceiling", "price", "meter", "unit", "ceiling_microfen"],
            [f"revenue_ceiling.{column}" for column in ceiling_key],
            name="fk_revenue_price_ceiling",
        ),
        sa.UniqueConstraint(
            "version", "price", "unit", "ceiling_microfen", name="uq_revenue_price_version_price_unit_ceiling_microfen"
        ),
        sa.CheckConstraint("lowest_microfen >= 0", name=op.f("ck_revenue_price_not_negative")),
        sa.CheckConstraint(
            "highest_microfen = 0 OR (ceiling IS NOT NULL AND highest_microfen <= ceiling_microfen)",
            name=op.f("ck_revenue_price_under_ceiling"),
        ),
    )


def _create_runs() -> None:
    op.create_table(
        "revenue_run",
        _text("period", 7),
        _whole("number", sa.Integer),
        _whole("first_size"),
        _whole("log_size"),
        _whole("lines", sa.Integer),
        _text("lines_root", 64),
        _text("closed_by", 40),
        _time("closed_at"),
        _text("entry_id", 26),
        sa.PrimaryKeyConstraint("period", "number", name="pk_revenue_run"),
        sa.UniqueConstraint("period", "first_size", name="uq_revenue_run_period_first_size"),
        sa.CheckConstraint("first_size < log_size", name=op.f("ck_revenue_run_forward")),
    )
    op.create_table(
        "revenue_invoice",
        _text("number", 20),
        _text("period", 7),
        _whole("run", sa.Integer),
        _text("payer", 60),
        _whole("fen"),
        _whole("shadow_fen"),
        _text("document"),
        _text("sha256", 64),
        _time("issued_at"),
        _text("entry_id", 26),
        sa.PrimaryKeyConstraint("number", name="pk_revenue_invoice"),
        sa.ForeignKeyConstraint(
            ["period", "run"], ["revenue_run.period", "revenue_run.number"], name="fk_revenue_invoice_run"
        ),
        sa.UniqueConstraint("period", "run", "payer", name="uq_revenue_invoice_period_run_payer"),
    )
    op.create_index("ix_revenue_invoice_payer", "revenue_invoice", ["payer"])


def _create_invoice_lines() -> None:
    op.create_table(
        "revenue_invoice_line",
        _text("invoice", 20),
        _whole("number", sa.Integer),
        _text("scenario", 80),
        _text("agreement", 80),
        _text("price", 80),
        _whole("price_version", sa.Integer, nullable=True),
        _whole("unit"),
        _whole("ceiling_microfen", nullable=True),
        sa.Column("quantity", EXACT, nullable=False),
        sa.Column("charged_microfen", EXACT, nullable=False),
        _whole("fen"),
        _whole("shadow_fen"),
        sa.PrimaryKeyConstraint("invoice", "number", name="pk_revenue_invoice_line"),
        sa.ForeignKeyConstraint(["invoice"], ["revenue_invoice.number"], name="fk_revenue_invoice_line_invoice"),
        sa.ForeignKeyConstraint(
            ["price_version", "price", "unit", "ceiling_microfen"],
            [f"revenue_price.{column}" for column in ("version", "price", "unit", "ceiling_microfen")],
            name="fk_revenue_invoice_line_price",
        ),
        # One micro-fen of slack: a later part of a month starts at a rounded-down running total.
        sa.CheckConstraint(
            "charged_microfen = 0 OR (price_version IS NOT NULL AND ceiling_microfen IS NOT NULL"
            " AND charged_microfen * unit <= ceiling_microfen * quantity + unit)",
            name=op.f("ck_revenue_invoice_line_under_ceiling"),
        ),
        sa.CheckConstraint(
            "charged_microfen >= 0 AND abs(fen * 1000000::numeric - charged_microfen) < 1000000",
            name=op.f("ck_revenue_invoice_line_rounded_once"),
        ),
    )
    op.create_index("ix_revenue_invoice_line_scenario", "revenue_invoice_line", ["scenario"])
    op.create_table(
        "revenue_allocation",
        _text("invoice", 20),
        _whole("line", sa.Integer),
        _text("party", 60),
        _text("dataset", 120),
        _whole("fen"),
        sa.Column("accounted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("invoice", "line", "party", "dataset", name="pk_revenue_allocation"),
        sa.ForeignKeyConstraint(
            ["invoice", "line"],
            ["revenue_invoice_line.invoice", "revenue_invoice_line.number"],
            name="fk_revenue_allocation_line",
        ),
    )
    op.create_index("ix_revenue_allocation_party", "revenue_allocation", ["party"])


def _create_journal() -> None:
    op.create_table(
        "revenue_posting",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        _text("transaction", 40),
        _text("account", 160),
        _whole("fen"),
        _text("entry_id", 26),
        sa.PrimaryKeyConstraint("id", name="pk_revenue_posting"),
    )
    op.create_index("ix_revenue_posting_transaction", "revenue_posting", ["transaction"])
    op.create_index("ix_revenue_posting_account", "revenue_posting", ["account"])
    op.execute(
        """
        CREATE FUNCTION revenue_require_balance() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF (SELECT sum(fen) FROM revenue_posting WHERE transaction = NEW.transaction) <> 0 THEN
            RAISE EXCEPTION 'postings of % do not sum to zero', NEW.transaction USING ERRCODE = 'check_violation';
          END IF;
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER revenue_posting_balanced AFTER INSERT OR UPDATE ON revenue_posting"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION revenue_require_balance()"
    )
