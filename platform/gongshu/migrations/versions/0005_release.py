"""Tables of the release room, and what each part's role may do with them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateSequence

revision = "0005"
down_revision = "0004"

TABLES = ("request", "item", "check", "review", "comment", "certificate", "link", "recall")


def upgrade() -> None:
    op.execute(CreateSequence(sa.Sequence("release_request_number")))
    _create_request_and_items()
    _create_reviews()
    _create_certificates()
    _narrow_rights()


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=False)


def _number() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _of_request(table: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["request"], ["release_request.id"], name=f"fk_{table}_request"),
    ]


def _create_request_and_items() -> None:
    op.create_table(
        "release_request",
        _text("id", 20),
        _text("scenario", 80),
        _text("organisation", 60),
        _text("author", 40),
        _text("agreement", 80),
        _text("title", 200),
        _text("note"),
        _text("state", 20),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        _time("created_at"),
        _time("submitted_at", nullable=True),
        _time("due_at", nullable=True),
        _time("decided_at", nullable=True),
        sa.Column("need", JSONB(none_as_null=True), nullable=True),
        _text("policy_revision", 80),
        _text("entry_id", 26),
        sa.PrimaryKeyConstraint("id", name="pk_release_request"),
    )
    for column in ("scenario", "organisation", "author", "state"):
        op.create_index(f"ix_release_request_{column}", "release_request", [column])
    op.create_table(
        "release_item",
        _number(),
        _text("request", 20),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        _text("role", 20),
        _text("kind", 20),
        _text("title", 200),
        _text("sha256", 64),
        _text("sm3", 64),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("cells", sa.Integer(), nullable=False),
        sa.Column("shape", JSONB(), nullable=False),
        sa.Column("evidence", JSONB(), nullable=False),
        _text("evidence_sha256", 64),
        sa.Column("datasets", JSONB(), nullable=False),
        sa.Column("levels", JSONB(), nullable=False),
        _text("statement", 26),
        _text("statement_entry", 26),
        _text("policy_revision", 80),
        _text("plan_text"),
        _time("added_at"),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.Column("downloads", sa.Integer(), nullable=False),
        _text("entry_id", 26),
        *_of_request("release_item"),
        sa.UniqueConstraint("request", "number", name="uq_release_item_request_number"),
    )
    op.create_index("ix_release_item_request", "release_item", ["request"])
    op.create_index("ix_release_item_sha256", "release_item", ["sha256"])


def _create_reviews() -> None:
    op.create_table(
        "release_check",
        _number(),
        _text("request", 20),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        _text("name", 40),
        _text("verdict", 10),
        sa.Column("findings", JSONB(), nullable=False),
        _text("entry_id", 26),
        *_of_request("release_check"),
    )
    op.create_index("ix_release_check_request", "release_check", ["request"])
    op.create_table(
        "release_review",
        _number(),
        _text("request", 20),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        _text("reviewer", 40),
        _text("organisation", 60),
        sa.Column("votes", JSONB(), nullable=False),
        _text("comment"),
        _text("override"),
        _time("submitted_at"),
        sa.Column("voided", sa.Boolean(), nullable=False),
        _text("entry_id", 26),
        *_of_request("release_review"),
        sa.UniqueConstraint(
            "request", "turn", "round", "reviewer", name="uq_release_review_request_turn_round_reviewer"
        ),
    )
    op.create_index("ix_release_review_request", "release_review", ["request"])
    op.create_table(
        "release_comment",
        _number(),
        _text("request", 20),
        sa.Column("turn", sa.Integer(), nullable=False),
        _text("author", 40),
        _text("text_zh"),
        _text("text_en"),
        _time("at"),
        _text("entry_id", 26),
        *_of_request("release_comment"),
    )
    op.create_index("ix_release_comment_request", "release_comment", ["request"])


def _create_certificates() -> None:
    op.create_table(
        "release_certificate",
        _text("request", 20),
        _text("body"),
        _text("sha256", 64),
        sa.Column("entries", JSONB(), nullable=False),
        _time("issued_at"),
        sa.PrimaryKeyConstraint("request", name="pk_release_certificate"),
        sa.ForeignKeyConstraint(["request"], ["release_request.id"], name="fk_release_certificate_request"),
    )
    op.create_table(
        "release_link",
        _text("token_sha256", 64),
        _text("request", 20),
        sa.Column("item", sa.Integer(), nullable=False),
        _text("person", 40),
        _time("expires_at"),
        _time("used_at", nullable=True),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_release_link"),
        sa.ForeignKeyConstraint(["request"], ["release_request.id"], name="fk_release_link_request"),
    )
    op.create_index("ix_release_link_request", "release_link", ["request"])
    op.create_table(
        "release_recall",
        _number(),
        _text("request", 20),
        _text("by", 40),
        _text("reason"),
        _time("at"),
        sa.Column("restore_proposed_by", sa.String(40), nullable=True),
        _text("restore_reason"),
        sa.Column("restored_by", sa.String(40), nullable=True),
        _time("restored_at", nullable=True),
        _text("entry_id", 26),
        *_of_request("release_recall"),
        sa.CheckConstraint(
            "restored_by IS DISTINCT FROM restore_proposed_by OR restored_by IS NULL",
            name=op.f("ck_release_recall_two_people"),
        ),
    )
    op.create_index("ix_release_recall_request", "release_recall", ["request"])


def _narrow_rights() -> None:
    """Nothing is ever deleted; what was added or voted stays as it is; the gateway only adds items."""
    everything = ", ".join(f"release_{name}" for name in TABLES)
    op.execute(f"REVOKE DELETE, TRUNCATE ON {everything} FROM gongshu_portal, gongshu_gateway, gongshu_worker")
    op.execute(f"REVOKE INSERT, UPDATE ON {everything} FROM gongshu_worker, gongshu_gateway")
    op.execute(
        "REVOKE UPDATE ON release_item, release_check, release_review, release_comment, release_certificate,"
        " release_link FROM gongshu_portal"
    )
    op.execute("GRANT UPDATE (superseded, downloads) ON release_item TO gongshu_portal")
    op.execute("GRANT UPDATE (voided) ON release_review TO gongshu_portal")
    op.execute("GRANT UPDATE (used_at) ON release_link TO gongshu_portal")
    op.execute("GRANT INSERT, UPDATE ON release_request TO gongshu_gateway")
    op.execute("GRANT INSERT, UPDATE (superseded) ON release_item TO gongshu_gateway")
