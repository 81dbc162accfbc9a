"""The database's history, one file per room; forward only (a rollback is a restore).

Run by `migrate` as the owner role; the parts' roles get only what each room's file grants them.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine

ROOMS = ("identity", "audit", "catalogue", "authorization", "release", "gateway", "revenue", "portal")


def import_models() -> None:
    """Import every room's models, so that their tables are known to the metadata."""
    for room in ROOMS:
        name = f"gongshu.{room}.models"
        if importlib.util.find_spec(name) is not None:  # a room may hold no tables
            importlib.import_module(name)


def migrate(owner_url: str) -> None:
    """Bring the database to the newest state. Idempotent."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with create_engine(owner_url, poolclass=NullPool).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
