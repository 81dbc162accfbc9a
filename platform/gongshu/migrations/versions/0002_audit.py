"""Tables of the audit room, and what each part's role may do with them: read and add, nothing else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_single")),
    )
    op.execute("INSERT INTO audit_head VALUES (1, 0)")
    op.create_table(
        "audit_entry",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(26), nullable=False),
        sa.Column("event", sa.String(80), nullable=False),
        sa.Column("actor", sa.String(60), nullable=False),
        sa.Column("organisation", sa.String(60), nullable=False),
        sa.Column("scenario", sa.String(80), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("writer", sa.String(30), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name="pk_audit_entry"),
        sa.UniqueConstraint("entry_id", name="uq_audit_entry_entry_id"),
    )
    for column in ("event", "actor", "organisation", "scenario", "time"):
        op.create_index(f"ix_audit_entry_{column}", "audit_entry", [column])
    op.create_table(
        "audit_payload",
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("audience", postgresql.ARRAY(sa.String(60)), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("index", "name", name="pk_audit_payload"),
        sa.ForeignKeyConstraint(["index"], ["audit_entry.index"], name="fk_audit_payload_index"),
    )
    op.create_table(
        "audit_blob",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_audit_blob"),
    )
    op.execute(
        "REVOKE UPDATE, DELETE ON audit_entry, audit_payload, audit_blob FROM gongshu_portal, gongshu_gateway, gongshu_worker"
    )
    op.execute("REVOKE INSERT, DELETE ON audit_head FROM gongshu_portal, gongshu_gateway, gongshu_worker")
