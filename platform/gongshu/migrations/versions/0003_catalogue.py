"""Tables of the catalogue room. The gateway and the worker only read them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _create_dataset()
    _create_version()
    _create_parts()
    op.execute(
        "REVOKE INSERT, UPDATE, DELETE ON catalogue_dataset, catalogue_version, catalogue_column, catalogue_file "
        "FROM gongshu_gateway, gongshu_worker"
    )
    # Nothing registered is ever unmade: a version's files and digests stay as they were signed.
    op.execute("REVOKE DELETE ON catalogue_dataset, catalogue_version, catalogue_file FROM gongshu_portal")


def _create_dataset() -> None:
    op.create_table(
        "catalogue_dataset",
        sa.Column("name", sa.String(90), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(60), nullable=False),
        sa.Column("title_zh", sa.String(120), nullable=False),
        sa.Column("title_en", sa.String(120), nullable=False),
        sa.Column("legal_grade", sa.String(20), nullable=False),
        sa.Column("sharing", sa.String(20), nullable=False),
        sa.Column("opening", sa.String(20), nullable=False),
        sa.Column("update_frequency", sa.String(20), nullable=False),
        sa.Column("registration_code", sa.String(60), nullable=False),
        sa.Column("registration_valid_until", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_id", sa.String(26), nullable=False),
        sa.ForeignKeyConstraint(["provider"], ["identity_organisation.code"], name="fk_catalogue_dataset_provider"),
        sa.UniqueConstraint("number", name="uq_catalogue_dataset_number"),
    )
    op.create_index("ix_catalogue_dataset_provider", "catalogue_dataset", ["provider"])


def _create_version() -> None:
    op.create_table(
        "catalogue_version",
        sa.Column("dataset", sa.String(90), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("base_key", sa.String(200), nullable=False),
        sa.Column("partition_columns", postgresql.ARRAY(sa.String(64)), nullable=False),
        sa.Column("entity_column", sa.String(64)),
        sa.Column("original_key", sa.String(200), nullable=False),
        sa.Column("original_sha256", sa.String(64), nullable=False),
        sa.Column("original_bytes", sa.BigInteger(), nullable=False),
        sa.Column("original_format", sa.String(10), nullable=False),
        sa.Column("prepared_by", sa.String(40), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_off_by", sa.String(40)),
        sa.Column("signed_off_at", sa.DateTime(timezone=True)),
        sa.Column("return_reason", sa.String(1000), nullable=False),
        sa.Column("entry_id", sa.String(26), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "number", name="pk_catalogue_version"),
        sa.ForeignKeyConstraint(["dataset"], ["catalogue_dataset.name"], name="fk_catalogue_version_dataset"),
        sa.CheckConstraint("state in ('draft', 'prepared', 'signed-off')", name="ck_catalogue_version_state"),
        sa.CheckConstraint(
            "signed_off_by is null or signed_off_by <> prepared_by", name="ck_catalogue_version_two_people"
        ),
    )


def _create_parts() -> None:
    op.create_table(
        "catalogue_column",
        sa.Column("dataset", sa.String(90), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("comment_zh", sa.String(200), nullable=False),
        sa.Column("comment_en", sa.String(200), nullable=False),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("level", sa.String(2), nullable=False),
        sa.Column("dimension", sa.Boolean(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "version", "name", name="pk_catalogue_column"),
        sa.ForeignKeyConstraint(
            ["dataset", "version"],
            ["catalogue_version.dataset", "catalogue_version.number"],
            name="fk_catalogue_column_dataset_version",
        ),
    )
    op.create_table(
        "catalogue_file",
        sa.Column("key", sa.String(300), primary_key=True),
        sa.Column("dataset", sa.String(90), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("partition", postgresql.JSONB(), nullable=False),
        sa.Column("version_id", sa.String(80), nullable=False),
        sa.Column("etag", sa.String(80), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset", "version"],
            ["catalogue_version.dataset", "catalogue_version.number"],
            name="fk_catalogue_file_dataset_version",
        ),
    )
    op.create_index("ix_catalogue_file_dataset", "catalogue_file", ["dataset"])
