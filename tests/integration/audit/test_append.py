"""Appending under stress: writers side by side, writers killed at random, bytes at the limit, clocks that step back."""

from __future__ import annotations

import os
import random
import select as waiting
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text

from gongshu.audit import Event, EventType, Private, UnitOfWork
from gongshu.audit.entry import MAX_ENTRY_BYTES, canonical
from gongshu.audit.models import LogEntry, LogHead
from gongshu.audit.work import UnrecordedChange
from gongshu.clock import SystemClock
from gongshu.database import open_engine, open_sessions
from gongshu.errors import Invalid, Unavailable
from tests.integration.audit.conftest import House, verify

KILLS = int(os.environ.get("GONGSHU_KILLS", "60"))


def write_for_ever(url: str, house: House, acknowledged: int) -> None:
    """A writer's life, in a process of its own: append, then acknowledge into the pipe, again and again."""
    sessions = open_sessions(open_engine(url, pool_size=1))
    while True:
        with UnitOfWork(sessions, writer="portal", clock=SystemClock(), vault=house.vault) as work:
            for _ in range(random.randrange(1, 4)):
                work.record(Event(EventType.LOGIN_SUCCEEDED, "p-1", private={"who": Private({"name": "陈"})}))
            for receipt in work.commit():
                os.write(acknowledged, f"{receipt.index} {receipt.entry_id}\n".encode())


def start_writer(url: str, house: House) -> tuple[int, int]:
    """Fork a writer; returns its pid and the pipe on which it acknowledges."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            write_for_ever(url, house, writer)
        finally:
            os._exit(1)
    os.close(writer)
    return pid, reader


def read_all(pipe: int) -> dict[int, str]:
    with os.fdopen(pipe, "rb") as file:
        lines = file.read().decode().split("\n")[:-1]
    return {int(line.split()[0]): line.split()[1] for line in lines}


def test_killed_writers_lose_nothing_that_was_acknowledged(house: House, database: Engine, tmp_path: Path) -> None:
    publisher = house.start()
    url, luck, acknowledged = database.url.render_as_string(hide_password=False), random.Random(7), {}
    for round_number in range(KILLS // 3):
        writers = [start_writer(url, house) for _ in range(3)]
        waiting.select([pipe for _, pipe in writers], [], [], 60)
        for pid, _ in writers:
            time.sleep(luck.uniform(0, 0.04))
            os.kill(pid, signal.SIGKILL)
        for pid, pipe in writers:
            os.waitpid(pid, 0)
            acknowledged |= read_all(pipe)
        if round_number % 5 == 0:
            publisher.publish()
    publisher.publish()
    with house.sessions() as session:
        head = session.scalars(select(LogHead.size)).one()
        assert session.scalars(select(func.count()).select_from(LogEntry)).one() == head
        assert session.scalars(select(func.max(LogEntry.index))).one() == head - 1
        held = {row.index: row.entry_id for row in session.scalars(select(LogEntry))}
    assert len(acknowledged) >= KILLS
    assert {index: held[index] for index in acknowledged} == acknowledged
    assert verify(house.export(tmp_path / "log"))["ok"]


def test_two_units_commit_in_one_order(house: House) -> None:
    with house.work() as first, house.work() as second:
        first.record(Event(EventType.LOGIN_SUCCEEDED, "p-1"))
        second.record(Event(EventType.LOGIN_SUCCEEDED, "p-2"))
        assert [r.index for r in second.commit()] == [0]
        assert [r.index for r in first.commit()] == [1]


def test_a_log_that_is_held_fast_is_refused_in_time(house: House, database: Engine) -> None:
    with database.connect() as connection, house.work() as work:
        connection.execute(text("SELECT * FROM audit_head FOR UPDATE"))
        work.record(Event(EventType.LOGIN_SUCCEEDED, "p-1"))
        began = time.monotonic()
        with pytest.raises(Unavailable) as refusal:
            work.commit()
        assert refusal.value.part == "log"
        assert time.monotonic() - began < 3


def test_an_entry_at_the_limit_is_kept_and_one_beyond_is_refused(house: House, tmp_path: Path) -> None:
    publisher = house.start()
    with house.work() as work:
        work.record(Event(EventType.LOGIN_SUCCEEDED, "p-1", public={"x": ""}))
        work.commit()
    with house.sessions() as session:
        bare = len(session.scalars(select(LogEntry.data).order_by(LogEntry.index.desc()).limit(1)).one())
    with house.work() as work:
        work.record(Event(EventType.LOGIN_SUCCEEDED, "p-1", public={"x": "x" * (MAX_ENTRY_BYTES - bare)}))
        with pytest.raises(Invalid):
            work.record(Event(EventType.LOGIN_SUCCEEDED, "p-1", public={"x": "x" * (MAX_ENTRY_BYTES - bare + 1)}))
        work.commit()
    publisher.publish()
    assert verify(house.export(tmp_path / "log"))["ok"]


def test_a_clock_that_steps_back_changes_no_order(house: House, tmp_path: Path) -> None:
    publisher = house.start()
    house.say(3)
    house.clock.moment -= timedelta(days=2)
    house.say(3)
    publisher.publish()
    assert verify(house.export(tmp_path / "log"))["ok"]


@pytest.mark.parametrize("value", [1.5, float("nan"), b"x", object(), {1: "x"}, 2**70, "\ud800"])
def test_foreign_values_never_enter_the_log(value: object) -> None:
    with pytest.raises(ValueError):
        canonical({"x": value})  # type: ignore[dict-item]


def test_a_null_character_is_refused_and_its_spelling_is_not(house: House) -> None:
    with house.work() as work:
        with pytest.raises(Invalid):
            work.record(Event(EventType.LOGIN_SUCCEEDED, "p-1", public={"x": "a\0b"}))
        work.record(Event(EventType.LOGIN_SUCCEEDED, "p-1", public={"x": "\\u0000"}))
        work.commit()


def test_a_blob_that_no_event_names_is_refused(house: House) -> None:
    with house.work() as work, pytest.raises(UnrecordedChange):
        work.keep_blob(b"x", kind="text")
        work.commit()
