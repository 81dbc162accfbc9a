"""Alembic's entry: forward only, on PostgreSQL, as the owner role."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine

from gongshu import migrations
from gongshu.database import Base

migrations.import_models()
connection = context.config.attributes.get("connection")
if connection is None:
    with create_engine(context.config.get_main_option("sqlalchemy.url") or "").connect() as opened:
        context.configure(connection=opened, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()
        opened.commit()
else:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
