"""The publisher on real PostgreSQL and MinIO: what it publishes verifies, and what it refuses stays refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, text

from gongshu.audit import Event, EventType, Private, UnitOfWork, Vault
from gongshu.audit.note import Signer
from gongshu.audit.publisher import LogRefused, Publisher
from gongshu.audit.second_seal import SecondSeal
from gongshu.audit.store import LogStore
from gongshu.cli.worker import say_started
from gongshu.clock import SettableClock
from gongshu.database import Sessions
from gongshu.errors import Unavailable
from tests.parts.places import ROOT
from tests.parts.store import Store

NewWork = Callable[[], UnitOfWork]


@pytest.fixture
def log_store(store: Store, database: Engine) -> LogStore:
    """A bucket of this test alone, with object lock."""
    bucket = f"log-{database.url.database}".replace("_", "-")
    store.client().make_bucket(bucket, object_lock=True)
    return LogStore(store.client(), bucket)


@pytest.fixture
def signer() -> Signer:
    return Signer("example.test/log", Ed25519PrivateKey.generate())


@pytest.fixture
def seal_key(tmp_path: Path) -> Path:
    return tmp_path / "sm2.pem"


@pytest.fixture
def new_publisher(
    sessions: Sessions, log_store: LogStore, signer: Signer, clock: SettableClock, seal_key: Path
) -> Callable[[], Publisher]:
    return lambda: Publisher(sessions, log_store, signer, clock, SecondSeal.open(signer.origin, seal_key))


def say(new_work: NewWork, count: int) -> None:
    with new_work() as work:
        for number in range(count):
            private = {"who": Private({"number": number, "name": f"陈{number}"}, ("operator-a",))}
            work.record(Event(EventType.LOGIN_SUCCEEDED, actor="p-1", public={"n": number}, private=private))
        work.commit()


def download(log_store: LogStore, folder: Path) -> Path:
    for name in (path for place in ("tile", "checkpoints", "keys", "seal") for path in log_store.names(place)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(log_store.get(name) or b"")
    (folder / "checkpoint").write_bytes(log_store.get("checkpoint") or b"")
    return folder


def verify(folder: Path, *words: str) -> dict[str, object]:
    command = [sys.executable, "-I", str(ROOT / "verify" / "gongshu_verify.py"), "log", str(folder), "--json", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture
def opened(
    new_publisher: Callable[[], Publisher],
    sessions: Sessions,
    clock: SettableClock,
    vault: Vault,
    signer: Signer,
    seal_key: Path,
) -> Publisher:
    """A publisher over a log that holds its keys and nothing else."""
    publisher = new_publisher()
    publisher.open()
    say_started(sessions, lambda: UnitOfWork(sessions, writer="worker", clock=clock, vault=vault), signer, seal_key)
    return publisher


def test_what_is_published_verifies_with_the_outsiders_tool(
    opened: Publisher, new_work: NewWork, log_store: LogStore, signer: Signer, tmp_path: Path
) -> None:
    for count in (1, 254, 1, 300, 2100):
        say(new_work, count)
        assert opened.publish()
    assert not opened.publish()
    folder = download(log_store, tmp_path / "log")
    key = tmp_path / "key"
    key.write_text(signer.verifier.text())
    found = verify(folder, "--key", str(key))
    assert (found["ok"], found["size"], found["authentic"], found["fault"]) == (True, 2658, True, None)
    assert set(found) == {"ok", "size", "root", "first_bad_index", "fault", "message", "authentic"}
    assert verify(folder)["authentic"] is False


def test_a_restarted_publisher_goes_on_where_it_was(
    opened: Publisher, new_publisher: Callable[[], Publisher], new_work: NewWork, log_store: LogStore, tmp_path: Path
) -> None:
    say(new_work, 259)
    opened.publish()
    again = new_publisher()
    again.open()
    assert again.size == opened.size
    say(new_work, 10)
    assert again.publish()
    assert verify(download(log_store, tmp_path / "log"))["ok"]


def test_a_lost_store_delays_and_never_spoils(
    opened: Publisher, new_work: NewWork, log_store: LogStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every single write of a publication fails once; afterwards it goes on by itself."""
    put, failures = LogStore.put, 0

    def failing(self: LogStore, path: str, data: bytes) -> None:
        nonlocal calls, failures
        calls += 1
        if calls == fail_at:
            failures += 1
            raise Unavailable("storage")
        put(self, path, data)

    monkeypatch.setattr(LogStore, "put", failing)
    for place in range(1, 14):
        calls, fail_at = 0, place
        say(new_work, 100)
        try:
            opened.publish()
        except Unavailable:
            assert opened.publish()
    assert failures > 6
    fail_at = 0
    assert verify(download(log_store, tmp_path / "log"))["ok"]


def test_a_database_restored_to_an_older_state_is_refused(
    opened: Publisher, new_publisher: Callable[[], Publisher], new_work: NewWork, database: Engine
) -> None:
    say(new_work, 5)
    opened.publish()
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("DELETE FROM audit_payload WHERE index >= 3"))
        connection.execute(text("DELETE FROM audit_entry WHERE index >= 3"))
        connection.execute(text("DELETE FROM audit_checkpoint"))
        connection.execute(text("UPDATE audit_head SET size = 3"))
    with pytest.raises(LogRefused) as refusal:
        new_publisher().open()
    assert "3" in refusal.value.message.en and "older" in refusal.value.message.en
    say(new_work, 9)  # more entries than were published do not hide it
    with pytest.raises(LogRefused):
        new_publisher().open()


def test_a_changed_row_is_never_signed(
    opened: Publisher, new_publisher: Callable[[], Publisher], new_work: NewWork, database: Engine
) -> None:
    say(new_work, 5)
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        changed = "UPDATE audit_entry SET data = d, leaf_hash = sha256('\\x00'::bytea || d)"
        connection.execute(
            text(f"{changed} FROM (SELECT data || ' ' d FROM audit_entry WHERE index = 2) x WHERE index = 2")
        )
    opened.publish()  # never published before: it is what the rows say
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(
            text(f"{changed} FROM (SELECT data || ' ' d FROM audit_entry WHERE index = 2) x WHERE index = 2")
        )
    with pytest.raises(LogRefused):
        new_publisher().open()


def test_another_key_is_refused(
    opened: Publisher, sessions: Sessions, log_store: LogStore, clock: SettableClock, new_work: NewWork
) -> None:
    opened.publish()
    thief = Signer("example.test/log", Ed25519PrivateKey.generate())
    with pytest.raises(LogRefused):
        Publisher(sessions, log_store, thief, clock).open()
