"""Tables of the identity room, the parts' roles, and what each part's role may do with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

PARTS = ("gongshu_portal", "gongshu_gateway", "gongshu_worker")


def upgrade() -> None:
    _create_roles()
    op.create_table(
        "identity_organisation",
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("name_zh", sa.String(120), nullable=False),
        sa.Column("name_en", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("duties", postgresql.ARRAY(sa.String(40)), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_identity_organisation"),
    )
    op.create_table(
        "identity_person",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("pseudonym", sa.String(40), nullable=False),
        sa.Column("display_zh", sa.String(60), nullable=False),
        sa.Column("display_en", sa.String(60), nullable=False),
        sa.Column("organisation", sa.String(60), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_identity_person"),
        sa.UniqueConstraint("pseudonym", name="uq_identity_person_pseudonym"),
        sa.ForeignKeyConstraint(
            ["organisation"], ["identity_organisation.code"], name="fk_identity_person_organisation"
        ),
    )
    op.create_index("ix_identity_person_organisation", "identity_person", ["organisation"])
    op.create_table(
        "identity_appointment",
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("organisation", sa.String(60), nullable=False),
        sa.PrimaryKeyConstraint("person", "role", "organisation", name="pk_identity_appointment"),
        sa.ForeignKeyConstraint(["person"], ["identity_person.name"], name="fk_identity_appointment_person"),
        sa.ForeignKeyConstraint(
            ["organisation"], ["identity_organisation.code"], name="fk_identity_appointment_organisation"
        ),
    )
    # The gateway and the worker only look people up.
    op.execute(
        "REVOKE INSERT, UPDATE, DELETE ON identity_organisation, identity_person, identity_appointment "
        "FROM gongshu_gateway, gongshu_worker"
    )


def _create_roles() -> None:
    """One role per part (log-in and password are given at set-up), with plain rights that each room narrows."""
    for role in PARTS:
        absent = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"  # the owner may not create roles
        op.execute(f"DO $$ BEGIN IF {absent} THEN CREATE ROLE {role} NOLOGIN; END IF; END $$")
        op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        op.execute(
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}"
        )
        op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}")
