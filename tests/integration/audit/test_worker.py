"""The real `gongshu worker` as a process: no receipt without it, and it comes back by itself."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from gongshu.audit import Event, EventType, UnitOfWork, Vault
from gongshu.audit.append import EventNotGranted
from gongshu.clock import SystemClock
from gongshu.database import Sessions, open_engine, open_sessions
from gongshu.errors import Unavailable
from tests.parts.postgres import Postgres
from tests.parts.store import Store


@pytest.fixture
def settings_file(store: Store, database: Engine, postgres: Postgres, tmp_path: Path) -> Path:
    """Settings of a worker under its own role, with a bucket of its own."""
    bucket = f"log-{database.url.database}".replace("_", "-")
    store.client().make_bucket(bucket, object_lock=True)
    postgres.run("ALTER ROLE gongshu_worker LOGIN")
    for name in ("payload", "signing"):
        (tmp_path / name).write_text(secrets.token_hex(32))
    (tmp_path / "password").write_text("-")
    settings = {
        "part": "worker",
        "run_dir": str(tmp_path),
        "demo": True,
        "database": {
            "host": str(postgres.folder),
            "port": postgres.port,
            "name": database.url.database,
            "role": "gongshu_worker",
            "password_file": str(tmp_path / "password"),
        },
        "store": {"endpoint": store.endpoint, "key_file": str(store.key_file), "log_bucket": bucket},
        "payload_key_file": str(tmp_path / "payload"),
        "signing_key_file": str(tmp_path / "signing"),
    }
    path = tmp_path / "worker.json"
    path.write_text(json.dumps(settings))
    return path


def start_worker(settings_file: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "GONGSHU_SETTINGS": str(settings_file)}
    with settings_file.with_suffix(".log").open("ab") as out:
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("gongshu")), "worker"], env=environment, stdout=out, stderr=out
        )


@pytest.fixture
def worker(settings_file: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = start_worker(settings_file)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def as_portal(postgres: Postgres, database: Engine) -> Iterator[Sessions]:
    """Sessions of the portal's own role."""
    postgres.run("ALTER ROLE gongshu_portal LOGIN")
    engine = open_engine(postgres.url(str(database.url.database), "gongshu_portal"))
    yield open_sessions(engine)
    engine.dispose()


def say(sessions: Sessions, vault: Vault, event: EventType = EventType.LOGIN_SUCCEEDED, writer: str = "portal") -> int:
    with UnitOfWork(sessions, writer=writer, clock=SystemClock(), vault=vault) as work:
        work.record(Event(event, actor="p-1"))
        return work.commit()[0].index


def published(database: Engine) -> int:
    with database.connect() as connection:
        return int(connection.execute(text("SELECT coalesce(max(size), -1) FROM audit_checkpoint")).scalar_one())


def wait_for(database: Engine, size: int) -> None:
    deadline = time.monotonic() + 60
    while published(database) < size:
        assert time.monotonic() < deadline, f"no checkpoint of {size}"
        time.sleep(0.1)


def test_without_its_publisher_the_log_takes_nothing(
    worker: subprocess.Popen[bytes], settings_file: Path, as_portal: Sessions, vault: Vault, database: Engine
) -> None:
    wait_for(database, 2)
    index = say(as_portal, vault)
    wait_for(database, index + 1)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    began = time.monotonic()
    with pytest.raises(Unavailable) as refusal:
        say(as_portal, vault)
    assert refusal.value.part == "log"
    assert time.monotonic() - began < 2
    again = start_worker(settings_file)
    try:
        wait_for(database, index + 2)  # its own start
        wait_for(database, say(as_portal, vault) + 1)
    finally:
        again.terminate()
        assert again.wait(timeout=30) == 0


def test_a_hanging_publisher_is_noticed(
    worker: subprocess.Popen[bytes], as_portal: Sessions, vault: Vault, database: Engine
) -> None:
    wait_for(database, 2)
    worker.send_signal(signal.SIGSTOP)
    time.sleep(6.5)
    with pytest.raises(Unavailable):
        say(as_portal, vault)
    worker.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + 30
    while True:
        try:
            say(as_portal, vault)
            return
        except Unavailable:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_each_part_writes_only_its_own_events(as_portal: Sessions, vault: Vault) -> None:
    assert say(as_portal, vault) == 0
    assert say(as_portal, vault, writer="hub") == 1
    for event, writer in (
        (EventType.STATEMENT_INTENT, "portal"),
        (EventType.STATEMENT_INTENT, "doors"),
        (EventType.STATEMENT_INTENT, "gateway"),
        (EventType.KEY_ACTIVATED, "portal"),
        (EventType.KEY_ACTIVATED, "worker"),
        (EventType.PERSON_CREATED, "hub"),
    ):
        with pytest.raises(EventNotGranted):
            say(as_portal, vault, event, writer)
    assert say(as_portal, vault) == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET data = data",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry CASCADE",
        "INSERT INTO audit_entry SELECT index + 1, 'x', event, actor, organisation, scenario, time, writer, true,"
        " data, leaf_hash FROM audit_entry",
        "DELETE FROM audit_mention",
        "UPDATE audit_payload SET wrapped_key = NULL",
        "DELETE FROM audit_payload",
        "UPDATE audit_head SET size = 0",
        "UPDATE audit_publisher SET state = 'never'",
        "INSERT INTO audit_grant VALUES ('hub', '%', true)",
        "INSERT INTO audit_checkpoint VALUES (1, '', '', now())",
        "DELETE FROM audit_blob",
    ],
)
def test_no_part_changes_the_log(as_portal: Sessions, vault: Vault, change: str) -> None:
    say(as_portal, vault)
    with as_portal() as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(change))


@pytest.mark.parametrize("role", ["gongshu_gateway", "gongshu_worker"])
def test_those_who_only_write_private_parts_cannot_read_them(postgres: Postgres, database: Engine, role: str) -> None:
    postgres.run(f"ALTER ROLE {role} LOGIN")
    engine = open_engine(postgres.url(str(database.url.database), role))
    with engine.connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text("SELECT ciphertext FROM audit_payload"))
    engine.dispose()


def test_not_even_the_owner_changes_an_entry(sessions: Sessions, vault: Vault) -> None:
    say(sessions, vault)
    for change in ("UPDATE audit_entry SET actor = 'p-2'", "DELETE FROM audit_entry", "TRUNCATE audit_entry CASCADE"):
        with sessions() as session, pytest.raises(Exception, match="never changed"):
            session.execute(text(change))


def test_an_older_database_is_refused_in_words(
    worker: subprocess.Popen[bytes], settings_file: Path, as_portal: Sessions, vault: Vault, database: Engine
) -> None:
    wait_for(database, say(as_portal, vault) + 1)
    worker.kill()
    worker.wait()
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("DELETE FROM audit_entry WHERE index >= 1"))
        connection.execute(text("UPDATE audit_head SET size = 1"))
    again = start_worker(settings_file)
    try:
        deadline = time.monotonic() + 60
        while True:
            with pytest.raises(Unavailable) as refusal:
                say(as_portal, vault)
            if "older state" in refusal.value.message.en and "旧状态" in refusal.value.message.zh:
                break
            assert time.monotonic() < deadline, refusal.value.message
            time.sleep(0.3)
    finally:
        again.kill()
        again.wait()
