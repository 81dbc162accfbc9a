"""The migrated database is exactly what the rooms' models say."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from gongshu import migrations
from gongshu.database import Base


def test_migrations_lead_to_the_models(database: Engine) -> None:
    migrations.import_models()
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
    assert not differences
