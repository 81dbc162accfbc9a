"""The portal's sessions. Only the portal's role may read or change them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "portal_session",
        sa.Column("id_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("person", sa.String(40), sa.ForeignKey("identity_person.name"), nullable=False, index=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("appointments", sa.String(2000), nullable=False),
    )
    op.execute("REVOKE ALL ON portal_session FROM gongshu_gateway, gongshu_worker")
