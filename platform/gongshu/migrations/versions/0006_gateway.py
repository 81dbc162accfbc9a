"""Tables of the gateway room, and what each part's role may do with them: the gateway writes, others read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "gateway_statement",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("instance", sa.String(60), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("organisation", sa.String(60), nullable=False),
        sa.Column("scenario", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reserved_bytes", sa.BigInteger(), nullable=False),
        sa.Column("billable_bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows_out", sa.BigInteger(), nullable=False),
        sa.Column("bytes_out", sa.BigInteger(), nullable=False),
        sa.Column("intent", sa.String(26), nullable=False),
        sa.Column("outcome", sa.String(26), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_gateway_statement"),
        sa.CheckConstraint(
            "state in ('open', 'finished', 'failed', 'cancelled', 'unknown', 'denied')",
            name=op.f("ck_gateway_statement_state"),
        ),
    )
    for column in ("person", "organisation", "scenario"):
        op.create_index(f"ix_gateway_statement_{column}", "gateway_statement", [column])
    op.create_index(
        "ix_gateway_statement_open", "gateway_statement", ["instance"], postgresql_where=sa.text("state = 'open'")
    )
    op.create_table(
        "gateway_quota_day",
        sa.Column("scenario", sa.String(80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("statements", sa.Integer(), nullable=False),
        sa.Column("reserved_bytes", sa.BigInteger(), nullable=False),
        sa.Column("billed_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scenario", "day", name="pk_gateway_quota_day"),
        sa.CheckConstraint(
            "statements >= 0 and reserved_bytes >= 0 and billed_bytes >= 0",
            name=op.f("ck_gateway_quota_day_counts"),
        ),
    )
    op.execute("REVOKE DELETE ON gateway_statement, gateway_quota_day FROM gongshu_gateway")
    op.execute(
        "REVOKE INSERT, UPDATE, DELETE ON gateway_statement, gateway_quota_day FROM gongshu_portal, gongshu_worker"
    )
