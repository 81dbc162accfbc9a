"""A part is gone: the next statement is refused in a sentence that names it, and works again when it is back.

The limits allow for a busy machine; the deadlines themselves are 0.5 s (policy), 2 s (database, log), 5 s (store).
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession
from sqlalchemy import text

from deploy.embedded.processes import family, identify
from gongshu.authorization import freeze_organisation, unfreeze_organisation
from gongshu.gateway.engine import Engine
from gongshu.gateway.journal import open_statements
from tests.integration.authorization.case_world import actor
from tests.integration.gateway.city import build
from tests.parts.opa import OpaServer, start_opa
from tests.parts.postgres import Postgres
from tests.parts.rig import World, start_world
from tests.parts.store import Store

SLACK_SECONDS = 1.5


@pytest.fixture(scope="module")
def own(
    short_folder: Path, postgres: Postgres, opa: OpaServer, store: Store, gateway_engine: Engine
) -> Iterator[tuple[World, OpaServer]]:
    """A city with a policy server of its own, to be stopped at will."""
    policy = start_opa(opa.bundle, short_folder / "own-opa.log")
    world = start_world(short_folder, postgres, policy, store, gateway_engine)
    build(world.new_work, world.sessions, store)
    yield world, policy
    world.gateway.stop()
    policy.stop()


@pytest.fixture
def kernel(own: tuple[World, OpaServer]) -> Iterator[SparkSession]:
    session = own[0].gateway.spark("chen--tourism-flow")
    assert session.table("transit.trips").count() == 300
    yield session
    session.stop()


def refusal(statement: Callable[[], object]) -> tuple[str, float]:
    started = time.monotonic()
    with pytest.raises(PySparkException) as caught:
        statement()
    return str(caught.value), time.monotonic() - started


def test_without_the_policy_server(own: tuple[World, OpaServer], kernel: SparkSession) -> None:
    own[1].process.send_signal(signal.SIGSTOP)
    try:
        said, seconds = refusal(lambda: kernel.table("transit.trips").count())
    finally:
        own[1].process.send_signal(signal.SIGCONT)
    assert "策略服务" in said and "policy server" in said and seconds < 2 + SLACK_SECONDS
    assert kernel.table("transit.trips").count() == 300


def test_without_the_database(own: tuple[World, OpaServer], postgres: Postgres, kernel: SparkSession) -> None:
    postgres.run("ALTER ROLE gongshu_gateway NOLOGIN")
    try:
        postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gongshu_gateway'")
        said, seconds = refusal(lambda: kernel.table("transit.trips").count())
    finally:
        postgres.run("ALTER ROLE gongshu_gateway LOGIN")
    assert "数据库" in said and seconds < 2 + SLACK_SECONDS
    assert kernel.table("transit.trips").count() == 300


def test_with_a_hung_database_nothing_waits_and_nothing_stays_open(
    own: tuple[World, OpaServer], postgres: Postgres, kernel: SparkSession
) -> None:
    """The server is stopped while statements are under way: commits may come through after they were given up."""
    found = identify(postgres.process.pid)
    assert found is not None
    stopped = family(found)
    told: list[tuple[str, float]] = []
    running = threading.Thread(target=lambda: told.append(refused_in_time(kernel, 6)))
    running.start()
    time.sleep(0.4)
    try:
        for process in stopped:
            process.send(signal.SIGSTOP)
        running.join(timeout=30)
    finally:
        for process in stopped:
            process.send(signal.SIGCONT)
    assert "数据库" in told[0][0] and told[0][1] < 2 + SLACK_SECONDS
    time.sleep(2.5)  # whatever came through late is closed within two rounds of the watch
    with own[0].sessions() as session:
        assert not open_statements(session, "gateway")
    assert kernel.table("transit.trips").count() == 300


def refused_in_time(kernel: SparkSession, seconds: float) -> tuple[str, float]:
    """State again and again until one statement is refused."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            kernel.table("transit.trips").count()
        except PySparkException as error:
            return str(error), time.monotonic() - began
    return "never refused", seconds


def test_without_the_log(own: tuple[World, OpaServer], kernel: SparkSession) -> None:
    def publisher(state: str) -> None:
        with own[0].sessions() as session:
            session.execute(text("UPDATE audit_publisher SET state = :state, beat_at = now()"), {"state": state})
            session.commit()

    publisher("running")  # so it says, but nobody holds its lock
    try:
        said, seconds = refusal(lambda: kernel.table("transit.trips").count())
    finally:
        publisher("never")
    assert "审计日志" in said and seconds < 2 + SLACK_SECONDS
    assert kernel.table("transit.trips").count() == 300


def test_without_the_store(store: Store, kernel: SparkSession) -> None:
    store.process.send_signal(signal.SIGSTOP)
    try:
        said, seconds = refusal(lambda: kernel.table("tourism.stays").where("nights > 1").collect())
    finally:
        store.process.send_signal(signal.SIGCONT)
    assert "数据存储" in said and "data store" in said and seconds < 5 + SLACK_SECONDS
    time.sleep(3)  # it is looked at every second
    assert kernel.table("transit.trips").count() == 300


def test_without_the_hub_nobody_is_anybody(own: tuple[World, OpaServer], kernel: SparkSession) -> None:
    desk = own[0].gateway.desk
    known = dict(desk.names)
    time.sleep(2.1)  # the Hub's answer is believed for two seconds
    desk.names.clear()
    said, _ = refusal(lambda: kernel.table("transit.trips").count())
    desk.names.update(known)
    assert "凭证" in said
    assert kernel.table("transit.trips").count() == 300


def test_a_freeze_stops_what_runs_and_what_comes(own: tuple[World, OpaServer], kernel: SparkSession) -> None:
    world = own[0]
    told: list[tuple[str, float]] = []
    endless = kernel.range(10**12).selectExpr("sum(id % 7) AS s")
    running = threading.Thread(target=lambda: told.append(refusal(endless.collect)))
    running.start()
    while not world.gateway.serving.runner.runs:
        time.sleep(0.05)
    time.sleep(1)
    with world.new_work() as work:
        freeze_organisation(work, actor(world.sessions, "feng"), "operator-a", "核查")
        work.commit()
    frozen_at = time.monotonic()
    running.join(timeout=30)
    assert time.monotonic() - frozen_at < 2 + SLACK_SECONDS and "冻结" in told[0][0]
    assert "冻结" in refusal(lambda: kernel.table("transit.trips").count())[0]
    for name in ("feng", "song"):
        with world.new_work() as work:
            unfreeze_organisation(work, actor(world.sessions, name), "operator-a", "核查完毕")
            work.commit()
    assert kernel.table("transit.trips").count() == 300


def test_a_freeze_withdraws_what_is_ready_but_not_taken(own: tuple[World, OpaServer], kernel: SparkSession) -> None:
    world = own[0]
    rows = kernel.range(900_000).selectExpr("id", "repeat('x', 16) AS x").toLocalIterator()
    next(rows)
    deadline = time.monotonic() + 60
    while not any(run.operation.complete for run in world.gateway.serving.runner.runs) and time.monotonic() < deadline:
        time.sleep(0.05)
    with world.new_work() as work:
        freeze_organisation(work, actor(world.sessions, "feng"), "operator-a", "核查")
        work.commit()
    try:
        while world.gateway.serving.runner.runs and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "冻结" in refusal(lambda: list(rows))[0]
    finally:
        for name in ("feng", "song"):
            with world.new_work() as work:
                unfreeze_organisation(work, actor(world.sessions, name), "operator-a", "核查完毕")
                work.commit()


def test_a_cell_stop_ends_the_statement(own: tuple[World, OpaServer], kernel: SparkSession) -> None:
    told: list[tuple[str, float]] = []
    kernel.addTag("cell-7")
    endless = kernel.range(10**12).selectExpr("sum(id % 7) AS s")
    running = threading.Thread(target=lambda: told.append(refusal(endless.collect)))
    kernel.client.add_tag("cell-7")
    running.start()
    while not own[0].gateway.serving.runner.runs:
        time.sleep(0.05)
    time.sleep(0.5)
    assert kernel.interruptAll()
    running.join(timeout=30)
    assert "OPERATION_CANCELED" in told[0][0]
