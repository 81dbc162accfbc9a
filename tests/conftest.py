"""Fixtures shared by all tests: a settable clock, a vault, and the real servers (only where asked for)."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis  # noqa: F401 - its plugin would load it at the very end, which Python 3.11.2 cannot after deep recursion
import pytest
from sqlalchemy import Engine

from gongshu.audit import UnitOfWork, Vault
from gongshu.clock import SettableClock
from gongshu.database import Sessions, open_engine, open_sessions
from tests.parts.live import Live, start_live, stop_live
from tests.parts.opa import OpaServer, start_opa
from tests.parts.places import ROOT
from tests.parts.postgres import Postgres, start_postgres
from tests.parts.store import Store, start_store

NewWork = Callable[[], UnitOfWork]


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime(2026, 11, 22, 9, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault(secrets.token_bytes(32))


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder with a short path (unix sockets allow 107 bytes), readable by other uids."""
    folder = Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(short_folder: Path) -> Iterator[Postgres]:
    server = start_postgres(short_folder / "pg")
    yield server
    server.stop()


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Engine]:
    """A migrated database of this test alone, as the owner role."""
    engine = open_engine(postgres.url(postgres.fresh_database()))
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(database: Engine) -> Sessions:
    return open_sessions(database)


@pytest.fixture
def new_work(sessions: Sessions, clock: SettableClock, vault: Vault) -> NewWork:
    """Make units of work as the portal does."""
    return lambda: UnitOfWork(sessions, writer="portal", clock=clock, vault=vault)


@pytest.fixture(scope="session")
def store(short_folder: Path) -> Iterator[Store]:
    server = start_store(short_folder / "minio")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def opa(short_folder: Path) -> Iterator[OpaServer]:
    from gongshu.policy.bundle import write_bundle  # only where policies are needed

    bundle = short_folder / "policies.tar.gz"
    write_bundle(ROOT / "policies", bundle)
    server = start_opa(bundle, short_folder / "opa.log")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """The whole house with the journey behind it; what `make demo` leaves running, on its own ports and state."""
    already = os.environ.get("GONGSHU_LIVE")  # a run folder whose demo is up: for trying one test quickly
    if already:
        yield Live(Path(already), "")
        return
    started = start_live(ROOT / ".run" / "test")
    yield started
    stop_live(started)
