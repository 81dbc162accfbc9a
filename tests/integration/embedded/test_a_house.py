"""A house of real parts: it starts in order, what dies comes back, stop ends what it started and nothing else."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.embedded import instance, postgres, recorder, supervision
from deploy.embedded.configuration import House
from deploy.embedded.processes import family, identify


@pytest.fixture
def house(short_folder: Path) -> Iterator[House]:
    run = short_folder / "house"
    yield instance.start(run, parts=["postgres", "minio"])
    instance.stop(run)
    instance.fresh(run)


def test_it_restarts_what_dies_keeps_its_state_and_stops_exactly_its_own(house: House) -> None:
    before = recorder.pids(house.run)
    if house.accounts.separate:
        owners = {part: Path(f"/proc/{pid}").stat().st_uid for part, pid in before.items()}
        assert owners == {part: house.accounts.uid(part) for part in before}
    os.kill(before["postgres"], signal.SIGKILL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        time.sleep(0.2)
        after = recorder.pids(house.run)
        if after.get("postgres") not in (None, before["postgres"]):  # between death and restart it has none
            break
    assert after["postgres"] != before["postgres"] and after["minio"] == before["minio"]
    with _connect_when_up(house) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    supervisor = supervision.running(house.run)
    assert supervisor is not None
    everything, myself = family(supervisor), identify(os.getpid())
    assert instance.stop(house.run.path)
    assert not any(process.is_alive() for process in everything)
    assert myself is not None and myself.is_alive()
    assert not instance.stop(house.run.path)


def _connect_when_up(house: House) -> psycopg.Connection[tuple[object, ...]]:
    deadline = time.monotonic() + 30
    while True:
        try:
            return psycopg.connect(postgres.superuser_dsn(house.run, "gongshu"))
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_secrets_are_readable_by_their_part_alone(house: House) -> None:
    for file in (house.run.path / "secrets").glob("*/*"):
        status = file.stat()
        assert status.st_mode & 0o077 == 0, file
        part = file.parent.name
        if house.accounts.separate and part != "setup":
            assert status.st_uid == house.accounts.uid(part), file
