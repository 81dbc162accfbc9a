"""No statement without an entry: intents, outcomes, denials, usage and recovery."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession
from sqlalchemy import select, text

from gongshu.gateway.models import QuotaDay, Statement
from gongshu.gateway.recovering import recover
from tests.parts.rig import World


def entries(world: World, after: int) -> list[tuple[str, dict[str, object]]]:
    with world.sessions() as session:
        rows = session.execute(
            text('SELECT event, data FROM audit_entry WHERE "index" >= :after ORDER BY "index"'), {"after": after}
        )
        return [(event, json.loads(bytes(data))["public"]) for event, data in rows]


@pytest.fixture
def mark(city: World) -> Iterator[int]:
    with city.sessions() as session:
        yield session.scalar(text("SELECT size FROM audit_head")) or 0


def test_an_allowed_statement_has_intent_and_outcome(city: World, spark: SparkSession, mark: int) -> None:
    spark.sql("SELECT district, sum(nights) AS n FROM tourism.stays GROUP BY district").collect()
    (intent_event, intent), (outcome_event, outcome) = entries(city, mark)
    assert (intent_event, outcome_event) == ("statement.intent.logged", "statement.outcome.logged")
    assert intent["allowed"] is True and intent["datasets"] == [{"dataset": "tourism.stays", "version": 1}]
    assert intent["agreement"] and intent["grants"] and intent["policy_revision"] and intent["area"] == "authorization"
    assert outcome["intent"] and outcome["statement"] == intent["statement"] and outcome["status"] == "finished"
    with city.sessions() as session:
        row = session.get_one(Statement, intent["statement"])
        assert row.state == "finished" and row.rows_out == 2 and 0 < row.billable_bytes < row.reserved_bytes
        day = session.scalars(select(QuotaDay).where(QuotaDay.scenario == "tourism-flow")).one()
        assert day.reserved_bytes == 0


def test_a_denied_table_and_a_denied_column_are_logged_with_their_clause(
    city: World, spark: SparkSession, mark: int
) -> None:
    with pytest.raises(PySparkException, match="第三条"):
        spark.table("tourism.secrets").count()
    with pytest.raises(PySparkException, match="第四条"):
        spark.sql("SELECT note FROM tourism.stays").collect()
    found = entries(city, mark)
    denials = [public for event, public in found if event == "statement.denial.logged"]
    reasons = [reason for public in denials for reason in public["reasons"]]  # type: ignore[attr-defined]
    assert [reason["code"] for reason in reasons] == ["not-granted", "column-not-granted"]
    assert [reason["clause"] for reason in reasons] == ["第三条", "第四条"]


def test_the_first_leg_of_sql_is_neither_counted_nor_logged(city: World, spark: SparkSession, mark: int) -> None:
    spark.sql("SELECT count(*) FROM transit.trips")
    assert entries(city, mark) == []


def test_a_refusal_before_the_policy_has_an_entry(city: World, spark: SparkSession, mark: int) -> None:
    with pytest.raises(PySparkException):
        spark.sql("SET a.b=1")
    assert [event for event, _ in entries(city, mark)] == ["statement.denial.logged"]


def test_recovery_closes_open_intents_as_unknown_and_bills_nothing(city: World, spark: SparkSession, mark: int) -> None:
    asker = city.gateway.asker
    closing, asker.close = asker.close, lambda *_: None  # type: ignore[method-assign]  # the process dies before the outcome
    try:
        spark.sql("SELECT count(*) FROM transit.trips").collect()
    finally:
        asker.close = closing  # type: ignore[method-assign]
    assert recover(asker) == 1
    found = entries(city, mark)
    assert [event for event, _ in found] == ["statement.intent.logged", "statement.outcome.logged"]
    assert found[1][1]["status"] == "unknown"
    with city.sessions() as session:
        row = session.get_one(Statement, found[0][1]["statement"])
        assert (row.state, row.billable_bytes) == ("unknown", 0)
    assert recover(asker) == 0
