"""A part's start is logged as soon as the log takes it, and never holds the part up."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import Engine, text

from gongshu.audit.starting import announce_start
from gongshu.settings import DatabaseSettings, Settings
from tests.parts.postgres import Postgres


def test_a_start_is_logged_once_the_log_takes_it(postgres: Postgres, database: Engine, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("00" * 32)
    (tmp_path / "password").write_text("-")
    place = DatabaseSettings(
        host=str(postgres.folder),
        port=postgres.port,
        name=str(database.url.database),
        role="postgres",
        password_file=tmp_path / "password",
    )
    settings = Settings(part="portal", run_dir=tmp_path, database=place, payload_key_file=tmp_path / "key")
    with database.begin() as connection:
        connection.execute(text("UPDATE audit_publisher SET state = 'starting'"))
    announce_start(settings)
    time.sleep(0.5)
    with database.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM audit_entry")) == 0
        connection.execute(text("UPDATE audit_publisher SET state = 'never'"))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with database.connect() as connection:
            if connection.scalar(text("SELECT actor FROM audit_entry")) == "system:portal":
                return
        time.sleep(0.1)
    raise AssertionError("the start was never logged")
