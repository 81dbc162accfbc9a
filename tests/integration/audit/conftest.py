"""A log as a house would leave it: checkpoints, private parts, decisions, an erasure, rules, prices; exported."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

from gongshu.audit import Event, EventType, Private, UnitOfWork, Vault
from gongshu.audit.erasure import erase_parts
from gongshu.audit.export import Export
from gongshu.audit.note import Signer
from gongshu.audit.publisher import Publisher
from gongshu.audit.reading import Viewer
from gongshu.audit.receipts import latest_checkpoint
from gongshu.audit.second_seal import SecondSeal
from gongshu.audit.store import LogStore
from gongshu.cli.worker import archive_rules, say_started
from gongshu.clock import SettableClock
from gongshu.database import Sessions, open_engine, open_sessions
from gongshu.policy import Opa, Subject, spawn_question
from tests.parts.opa import OpaServer
from tests.parts.places import ROOT
from tests.parts.postgres import Postgres
from tests.parts.store import Store

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@dataclass
class House:
    """Everything that belongs to one log."""

    sessions: Sessions
    store: LogStore
    vault: Vault
    signer: Signer
    seal_key: Path
    clock: SettableClock

    def work(self, writer: str = "portal") -> UnitOfWork:
        return UnitOfWork(self.sessions, writer=writer, clock=self.clock, vault=self.vault)

    def publisher(self) -> Publisher:
        seal = SecondSeal.open(self.signer.origin, self.seal_key)
        return Publisher(self.sessions, self.store, self.signer, self.clock, seal)

    def start(self) -> Publisher:
        """A publisher over a log that holds its keys and nothing else."""
        publisher = self.publisher()
        publisher.open()
        say_started(self.sessions, lambda: self.work("worker"), self.signer, self.seal_key)
        return publisher

    def say(self, count: int) -> None:
        with self.work() as work:
            for number in range(count):
                private = {"who": Private({"number": number, "name": f"陈{number}"}, ("operator-a",))}
                event = Event(
                    EventType.LOGIN_SUCCEEDED,
                    "p-1",
                    "operator-a",
                    public={"n": number, "dataset": "tourism.stays"},
                    private=private,
                )
                work.record(event)
            work.commit()

    def export(self, folder: Path, viewer: Viewer | None = None) -> Path:
        checkpoint, note, _ = latest_checkpoint(self.store)
        reader = viewer or Viewer("audit", sees_all=True)
        for name, data in Export(self.sessions, self.store, self.vault, reader, checkpoint, note).files():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder


def new_house(engine: Engine, store: Store, folder: Path) -> House:
    bucket = f"log-{engine.url.database}".replace("_", "-")
    store.client().make_bucket(bucket, object_lock=True)
    signer = Signer("example.test/log", Ed25519PrivateKey.generate())
    vault = Vault(secrets.token_bytes(32))
    clock = SettableClock(NOW)
    return House(open_sessions(engine), LogStore(store.client(), bucket), vault, signer, folder / "sm2.pem", clock)


@pytest.fixture
def house(database: Engine, store: Store, tmp_path: Path) -> House:
    return new_house(database, store, tmp_path)


def grant(**changes: Any) -> dict[str, Any]:
    return {
        "grant": "G-2026-0001", "agreement": "示数授〔2026〕1号", "agreement_id": "A-2026-0001",
        "scenario": "tourism-flow", "operator": "operator-a", "provider": "tourism", "dataset": "tourism.stays",
        "version": 1, "purpose": "客流分析", "use": "industry", "columns": ["stay_id"], "row_filter": None, "masks": {},
        "output_kinds": ["table"], "quota": {"billable_bytes_per_day": 2147483648, "statements_per_day": 5000},
        "price": "tourism-flow.bytes", "valid_from": "2026-01-01T00:00:00.000000Z",
        "valid_until": "2027-01-01T00:00:00.000000Z", "revoked": False,
        "clauses": {"scope": "第三条", "columns": "第四条", "quota": "第七条", "term": "第九条"}, **changes,
    }  # fmt: skip


def decide(house: House, opa: OpaServer) -> None:
    """Two decisions by the real OPA, one allowed and one denied, logged with their evidence."""
    subject = Subject("p-1", "operator-a", ["analyst"])
    for grants in ([grant()], [grant(revoked=True)], []):
        with Opa(opa.url, 5000) as client:
            question = spawn_question(subject, "tourism-flow", grants, frozen=False, now=NOW)
            public, private = client.ask("authorization", question).evidence()
        with house.work() as work:
            parts = {name: Private(payload, ("operator-a",)) for name, payload in private.items()}
            work.record(Event(EventType.LOGIN_SUCCEEDED, "p-1", "operator-a", "tourism-flow", public, parts))
            work.commit()


@pytest.fixture(scope="session")
def lived_in(
    postgres: Postgres, store: Store, opa: OpaServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Some 700 entries, eight checkpoints; read-only for tests."""
    engine = open_engine(postgres.url(postgres.fresh_database()))
    house = new_house(engine, store, tmp_path_factory.mktemp("house"))
    publisher = house.start()
    archive_rules(house.sessions, lambda: house.work("worker"), opa.bundle)
    with house.work() as work:
        work.keep_blob(b'{"version":1}', kind="price-book", label="1")
        work.keep_blob(b"a long text", kind="text")
        work.record(Event(EventType.PRICE_BOOK_PUBLISHED, "p-2", "agency"))
        work.commit()
    for count in (1, 40, 200, 9, 300, 130, 3):
        publisher.publish()
        house.say(count)
    decide(house, opa)
    with house.work() as work:
        erase_parts(work, 20, ["who"], proposed_by="p-8", confirmed_by="p-9", basis="个人申请")
        work.commit()
    publisher.publish()
    yield house
    engine.dispose()


@pytest.fixture(scope="session")
def exported(lived_in: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The regulator's export of that log; copy it before changing it."""
    return lived_in.export(tmp_path_factory.mktemp("export") / "log")


@pytest.fixture
def copy_of(exported: Path, tmp_path: Path) -> Callable[[], Path]:
    def copy() -> Path:
        target = tmp_path / secrets.token_hex(4)
        shutil.copytree(exported, target)
        return target

    return copy


def verify(folder: Path, *words: str, command: str = "log") -> dict[str, Any]:
    """Run the outsider's verifier as an outsider would."""
    program = [sys.executable, "-I", str(ROOT / "verify" / "gongshu_verify.py"), command, str(folder), "--json", *words]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1)
    return found
