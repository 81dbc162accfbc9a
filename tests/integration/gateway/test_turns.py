"""One person's heavy statement stops nobody, what it took is in its outcome, and only registered objects are read."""

from __future__ import annotations

import io
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession

from gongshu.catalogue import dataset_versions
from gongshu.gateway.engine import Engine
from tests.integration.gateway.city import BUCKET, trips
from tests.parts.rig import World
from tests.parts.store import Store


def test_a_cross_join_of_one_person_does_not_stop_the_small_query_of_another(city: World, spark: SparkSession) -> None:
    """The join holds every slot of the driver and would for hours; fair pools alone never take one back."""
    other = city.gateway.spark("zhou--night-bus")
    heavy = spark.range(10**12).selectExpr("sum(id % 7) AS s")
    told: list[str] = []

    def run() -> None:
        try:
            heavy.collect()
        except PySparkException as error:
            told.append(str(error))

    running = threading.Thread(target=run)
    running.start()
    try:
        while not city.gateway.serving.runner.runs:
            time.sleep(0.05)
        time.sleep(2)  # until its tasks hold all slots
        for _ in range(2):
            started = time.monotonic()
            assert other.table("transit.trips").groupBy("district").count().count() == 2
            assert time.monotonic() - started < 30
        assert running.is_alive() and not told  # it was not sacrificed
    finally:
        spark.interruptAll()
        running.join(timeout=60)
        other.stop()
    assert "OPERATION_CANCELED" in told[0]


def test_the_kernels_of_one_person_share_one_pool(city: World) -> None:
    registry = city.gateway.serving.registry
    one, two = (registry.open("chen--tourism-flow", f"{n}" * 8 + "-0000-4000-8000-000000000000") for n in (1, 2))
    other = registry.open("zhou--night-bus", "1" * 8 + "-0000-4000-8000-000000000000")
    try:
        assert one.key.user_id == two.key.user_id != other.key.user_id
        assert len({one.key.session_id, two.key.session_id, other.key.session_id}) == 3
    finally:
        for session in (one, two, other):
            registry.close(session)


def test_what_a_statement_took_is_in_its_outcome(
    city: World, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[dict[str, object]] = []
    runner, outcome = city.gateway.serving.runner, city.gateway.serving.runner.outcome

    def keeping(*arguments: object) -> object:
        made = outcome(*arguments)  # type: ignore[arg-type]
        kept.append(dict(made.engine))
        return made

    monkeypatch.setattr(runner, "outcome", keeping)
    spark.sql("SELECT district, count(*) FROM tourism.stays GROUP BY district").collect()
    taken = kept[-1]["taken"]
    assert isinstance(taken, dict) and taken["cpu_ms"] >= 0 and taken["tasks"] >= 1 and taken["spilled_bytes"] == 0
    assert taken["scanned"]["tourism.stays"]["rows"] >= 200 and taken["scanned"]["tourism.stays"]["bytes"] > 0


def test_a_swapped_object_never_gives_other_rows(city: World, spark: SparkSession, store: Store) -> None:
    """What is put under the same key later is not what was registered: its rows are never read."""
    client, query = store.client(), "SELECT count(*) AS n, sum(fare_fen) AS f FROM transit.trips"
    before = spark.sql(query).collect()
    with city.sessions() as session:
        file = dataset_versions(session, ["transit.trips"])["transit.trips"].files[0]
    other = io.BytesIO()
    pq.write_table(trips().set_column(3, "fare_fen", pa.array([7] * 300, pa.int64())), other)
    swapped = client.put_object(BUCKET, file.key, io.BytesIO(other.getvalue()), other.tell())
    try:
        found = spark.sql(query).collect()
    except PySparkException as error:
        assert "数据存储" in str(error)
    else:
        assert found == before
    finally:
        client.remove_object(BUCKET, file.key, version_id=swapped.version_id)


def test_nothing_is_known_of_an_operation_that_never_ran(gateway_engine: Engine) -> None:
    assert gateway_engine.metered("no-such-operation") == {}
