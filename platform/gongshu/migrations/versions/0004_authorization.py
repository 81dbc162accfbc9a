"""Tables of the authorization room, and what each part's role may do with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)
ALL = (
    "authorization_scenario, authorization_analyst, authorization_request, authorization_request_column, "
    "authorization_document, authorization_agreement, authorization_signature, authorization_grant, "
    "authorization_freeze"
)


def upgrade() -> None:
    _case()
    _agreement()
    _freeze()
    # What was attached, signed or compiled stands; nobody deletes; only the portal carries authorization out.
    op.execute(f"REVOKE DELETE ON {ALL} FROM gongshu_portal")
    op.execute(
        "REVOKE UPDATE ON authorization_document, authorization_signature, authorization_grant, authorization_analyst "
        "FROM gongshu_portal"
    )
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON {ALL} FROM gongshu_gateway, gongshu_worker")


def _case() -> None:
    op.create_table(
        "authorization_scenario",
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("operator", sa.String(60), nullable=False),
        sa.Column("applicant", sa.String(40), nullable=False),
        sa.Column("title_zh", sa.String(120), nullable=False),
        sa.Column("title_en", sa.String(120), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("beneficiary", sa.Text(), nullable=False),
        sa.Column("output_kinds", ARRAY(sa.String(20)), nullable=False),
        sa.Column("term_months", sa.Integer(), nullable=True),
        sa.Column("term_minutes", sa.Integer(), nullable=True),
        sa.Column("quota", JSONB(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("submitted_at", MOMENT, nullable=True),
        sa.Column("authorised_by", sa.String(40), nullable=True),
        sa.Column("authorised_organisation", sa.String(60), nullable=True),
        sa.Column("authorised_at", MOMENT, nullable=True),
        sa.Column("entry_id", sa.String(26), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_authorization_scenario"),
        sa.ForeignKeyConstraint(
            ["operator"], ["identity_organisation.code"], name="fk_authorization_scenario_operator"
        ),
        sa.CheckConstraint("term_months between 1 and 60", name="ck_authorization_scenario_term"),
        sa.CheckConstraint("num_nonnulls(term_months, term_minutes) = 1", name="ck_authorization_scenario_one_term"),
    )
    op.create_index("ix_authorization_scenario_operator", "authorization_scenario", ["operator"])
    op.create_table(
        "authorization_analyst",
        sa.Column("scenario", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("pseudonym", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("scenario", "person", name="pk_authorization_analyst"),
        sa.ForeignKeyConstraint(
            ["scenario"], ["authorization_scenario.code"], name="fk_authorization_analyst_scenario"
        ),
    )
    op.create_index("ix_authorization_analyst_pseudonym", "authorization_analyst", ["pseudonym"])
    op.create_table(
        "authorization_request",
        sa.Column("id", sa.String(20), nullable=False),
        sa.Column("scenario", sa.String(40), nullable=False),
        sa.Column("dataset", sa.String(120), nullable=False),
        sa.Column("dataset_version", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(60), nullable=False),
        sa.Column("row_filter", JSONB(), nullable=True),
        sa.Column("use", sa.String(20), nullable=False),
        sa.Column("price", sa.String(80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("decided_by", sa.String(40), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.Column("agreed_filter", JSONB(), nullable=True),
        sa.Column("entry_id", sa.String(26), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_authorization_request"),
        sa.UniqueConstraint("scenario", "dataset", name="uq_authorization_request_dataset"),
        sa.ForeignKeyConstraint(
            ["scenario"], ["authorization_scenario.code"], name="fk_authorization_request_scenario"
        ),
        sa.ForeignKeyConstraint(["provider"], ["identity_organisation.code"], name="fk_authorization_request_provider"),
    )
    op.create_index("ix_authorization_request_scenario", "authorization_request", ["scenario"])
    op.create_index("ix_authorization_request_provider", "authorization_request", ["provider"])
    op.create_table(
        "authorization_request_column",
        sa.Column("request", sa.String(20), nullable=False),
        sa.Column("column", sa.String(120), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("mask", JSONB(), nullable=True),
        sa.Column("verdict", sa.String(10), nullable=False),
        sa.Column("agreed_mask", JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("request", "column", name="pk_authorization_request_column"),
        sa.ForeignKeyConstraint(
            ["request"], ["authorization_request.id"], name="fk_authorization_request_column_request"
        ),
    )
    op.create_table(
        "authorization_document",
        sa.Column("id", sa.String(20), nullable=False),
        sa.Column("scenario", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(60), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("attached_by", sa.String(40), nullable=False),
        sa.Column("attached_organisation", sa.String(60), nullable=False),
        sa.Column("attached_at", MOMENT, nullable=False),
        sa.Column("entry_id", sa.String(26), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_authorization_document"),
        sa.ForeignKeyConstraint(
            ["scenario"], ["authorization_scenario.code"], name="fk_authorization_document_scenario"
        ),
    )
    op.create_index("ix_authorization_document_scenario", "authorization_document", ["scenario"])


def _agreement() -> None:
    op.create_table(
        "authorization_agreement",
        sa.Column("id", sa.String(20), nullable=False),
        sa.Column("number", sa.String(60), nullable=False),
        sa.Column("scenario", sa.String(40), nullable=False),
        sa.Column("operator", sa.String(60), nullable=False),
        sa.Column("clauses", JSONB(), nullable=False),
        sa.Column("terms", JSONB(), nullable=False),
        sa.Column("split", JSONB(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("drafted_by", sa.String(40), nullable=False),
        sa.Column("drafted_at", MOMENT, nullable=False),
        sa.Column("valid_from", MOMENT, nullable=True),
        sa.Column("valid_until", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("revoked_by", sa.String(40), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.String(26), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_authorization_agreement"),
        sa.UniqueConstraint("number", name="uq_authorization_agreement_number"),
        sa.ForeignKeyConstraint(
            ["scenario"], ["authorization_scenario.code"], name="fk_authorization_agreement_scenario"
        ),
        sa.ForeignKeyConstraint(
            ["operator"], ["identity_organisation.code"], name="fk_authorization_agreement_operator"
        ),
        sa.CheckConstraint(
            "valid_until <= valid_from + interval '5 years'", name="ck_authorization_agreement_five_years"
        ),
    )
    op.create_index("ix_authorization_agreement_scenario", "authorization_agreement", ["scenario"])
    op.create_index("ix_authorization_agreement_operator", "authorization_agreement", ["operator"])
    op.create_index(
        "uq_authorization_agreement_live",
        "authorization_agreement",
        ["scenario"],
        unique=True,
        postgresql_where=sa.text("state in ('to-be-signed', 'active')"),
    )
    op.create_table(
        "authorization_signature",
        sa.Column("agreement", sa.String(20), nullable=False),
        sa.Column("side", sa.String(20), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("organisation", sa.String(60), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
        sa.Column("entry_id", sa.String(26), nullable=False),
        sa.PrimaryKeyConstraint("agreement", "side", name="pk_authorization_signature"),
        sa.UniqueConstraint("agreement", "person", name="uq_authorization_signature_person"),
        sa.UniqueConstraint("agreement", "organisation", name="uq_authorization_signature_organisation"),
        sa.ForeignKeyConstraint(
            ["agreement"], ["authorization_agreement.id"], name="fk_authorization_signature_agreement"
        ),
    )
    op.create_table(
        "authorization_grant",
        sa.Column("id", sa.String(20), nullable=False),
        sa.Column("agreement", sa.String(20), nullable=False),
        sa.Column("scenario", sa.String(40), nullable=False),
        sa.Column("dataset", sa.String(120), nullable=False),
        sa.Column("provider", sa.String(60), nullable=False),
        sa.Column("snapshot", JSONB(), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_authorization_grant"),
        sa.ForeignKeyConstraint(["agreement"], ["authorization_agreement.id"], name="fk_authorization_grant_agreement"),
        sa.ForeignKeyConstraint(["scenario"], ["authorization_scenario.code"], name="fk_authorization_grant_scenario"),
        sa.CheckConstraint("valid_until > valid_from", name="ck_authorization_grant_term"),
    )
    for column in ("agreement", "scenario", "dataset", "provider"):
        op.create_index(f"ix_authorization_grant_{column}", "authorization_grant", [column])


def _freeze() -> None:
    op.create_table(
        "authorization_freeze",
        sa.Column("id", sa.String(20), nullable=False),
        sa.Column("organisation", sa.String(60), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("frozen_by", sa.String(40), nullable=False),
        sa.Column("frozen_at", MOMENT, nullable=False),
        sa.Column("lift_asked_by", sa.String(40), nullable=True),
        sa.Column("lift_asked_at", MOMENT, nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=False),
        sa.Column("lifted_by", sa.String(40), nullable=True),
        sa.Column("lifted_at", MOMENT, nullable=True),
        sa.Column("entry_id", sa.String(26), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_authorization_freeze"),
        sa.ForeignKeyConstraint(
            ["organisation"], ["identity_organisation.code"], name="fk_authorization_freeze_organisation"
        ),
        sa.CheckConstraint("lifted_by <> lift_asked_by", name="ck_authorization_freeze_two_people"),
    )
    op.create_index(
        "uq_authorization_freeze_open",
        "authorization_freeze",
        ["organisation"],
        unique=True,
        postgresql_where=sa.text("lifted_at is null"),
    )
