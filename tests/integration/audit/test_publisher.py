"""The publisher on real PostgreSQL and MinIO: what it publishes verifies, and what it refuses stays refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, text

from gongshu.audit.note import Signer
from gongshu.audit.publisher import LogRefused, Publisher
from gongshu.audit.store import LogStore
from gongshu.errors import Unavailable
from tests.integration.audit.conftest import House, verify

TAMPER = (
    "UPDATE audit_entry SET data = d, leaf_hash = sha256('\\x00'::bytea || d)"
    " FROM (SELECT data || ' ' d FROM audit_entry WHERE index = 2) x WHERE index = 2"
)


def as_intruder(database: Engine, *statements: str) -> None:
    """Change the tables as somebody could who owns the machine: no trigger, no grant in the way."""
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))


def test_what_is_published_verifies_with_the_outsiders_tool(house: House, tmp_path: Path) -> None:
    publisher = house.start()
    for count in (1, 254, 1, 300, 2100):
        house.say(count)
        assert publisher.publish()
    assert not publisher.publish()
    folder = house.export(tmp_path / "log")
    key = tmp_path / "key"
    key.write_text(house.signer.verifier.text())
    found = verify(folder, "--key", str(key))
    assert (found["ok"], found["size"], found["authentic"], found["fault"]) == (True, 2658, True, None)
    assert set(found) == {"ok", "size", "root", "first_bad_index", "fault", "message", "authentic"}
    assert verify(folder)["authentic"] is False


def test_a_log_of_zero_entries_verifies(house: House, tmp_path: Path) -> None:
    publisher = house.publisher()
    publisher.open()
    assert publisher.publish()
    house.store.put("keys/log.vkey", house.signer.verifier.text().encode())
    folder = house.export(tmp_path / "log")
    (folder / "keys").mkdir()
    (folder / "keys" / "log.vkey").write_text(house.signer.verifier.text())
    found = verify(folder)
    assert (found["ok"], found["size"]) == (True, 0)


def test_a_restarted_publisher_goes_on_where_it_was(house: House, tmp_path: Path) -> None:
    first = house.start()
    house.say(259)
    first.publish()
    again = house.publisher()
    again.open()
    assert again.size == first.size
    house.say(10)
    assert again.publish()
    assert verify(house.export(tmp_path / "log"))["ok"]


def test_a_lost_store_delays_and_never_spoils(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every single write of a publication fails once; afterwards it goes on by itself."""
    put, calls, failures, fail_at = LogStore.put, 0, 0, 0

    def failing(self: LogStore, path: str, data: bytes) -> None:
        nonlocal calls, failures
        calls += 1
        if calls == fail_at:
            failures += 1
            raise Unavailable("storage")
        put(self, path, data)

    publisher = house.start()
    monkeypatch.setattr(LogStore, "put", failing)
    for place in range(1, 14):
        calls, fail_at = 0, place
        house.say(100)
        try:
            publisher.publish()
        except Unavailable:
            assert publisher.publish()
    assert failures > 6
    fail_at = 0
    assert verify(house.export(tmp_path / "log"))["ok"]


def test_a_database_restored_to_an_older_state_is_refused(house: House, database: Engine) -> None:
    publisher = house.start()
    house.say(5)
    publisher.publish()
    as_intruder(
        database,
        *(f"DELETE FROM audit_{table} WHERE index >= 3" for table in ("payload", "mention", "entry")),
        "DELETE FROM audit_checkpoint",
        "UPDATE audit_head SET size = 3",
    )
    with pytest.raises(LogRefused) as refusal:
        house.publisher().open()
    assert "older state: 3 entries" in refusal.value.message.en
    house.say(9)  # more entries than were published do not hide it
    with pytest.raises(LogRefused):
        house.publisher().open()


def test_a_changed_row_is_never_signed_again(house: House, database: Engine) -> None:
    publisher = house.start()
    house.say(5)
    publisher.publish()
    as_intruder(database, TAMPER)
    with pytest.raises(LogRefused):
        house.publisher().open()


def test_a_row_whose_hash_is_wrong_is_never_signed(house: House, database: Engine) -> None:
    publisher = house.start()
    house.say(5)
    as_intruder(
        database,
        "ALTER TABLE audit_entry DROP CONSTRAINT ck_audit_entry_leaf",
        "UPDATE audit_entry SET data = data || ' ' WHERE index = 4",
    )
    with pytest.raises(LogRefused, match="4"):
        publisher.publish()


def test_a_store_that_keeps_another_byte_is_never_signed_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """One flipped bit on the way to the store: the root computed from there differs, and nothing is signed."""
    put = LogStore.put

    def flipping(self: LogStore, path: str, data: bytes) -> None:
        put(self, path, bytes([data[0] ^ 1]) + data[1:] if path.startswith("tile/0/") else data)

    publisher = house.start()
    house.say(300)
    publisher.publish()
    before = house.store.get("checkpoint")
    house.say(1)
    monkeypatch.setattr(LogStore, "put", flipping)
    with pytest.raises(LogRefused):
        publisher.publish()
    assert house.store.get("checkpoint") == before


def test_another_key_is_refused(house: House) -> None:
    house.start().publish()
    thief = Signer("example.test/log", Ed25519PrivateKey.generate())
    with pytest.raises(LogRefused):
        Publisher(house.sessions, house.store, thief, house.clock).open()
