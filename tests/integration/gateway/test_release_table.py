"""A table for release comes from the engine with its evidence, into quarantine and a draft, in one transaction."""

from __future__ import annotations

import base64
import json
from typing import Any

import grpc
import pytest
from pyspark.sql.connect.dataframe import DataFrame
from pyspark.sql.connect.session import SparkSession
from sqlalchemy import select

from gongshu.gateway.models import Statement
from gongshu.release import request_for
from tests.integration.authorization.case_world import actor
from tests.integration.gateway.city import HIDDEN
from tests.parts.rig import World
from tests.parts.store import Store


def ask(city: World, df: DataFrame, **changes: Any) -> dict[str, Any]:
    """What gongshu.release_table sends. Raises grpc.RpcError."""
    client = df.sparkSession.client
    body = {
        "plan": base64.b64encode(df._plan.to_proto(client).SerializeToString()).decode(),
        "session_id": client._session_id,
        "by": ["district"],
        "measures": {"stays": ["count", "stay_id"], "spend": ["sum", "spend_yuan"], "nights": ["mean", "nights"]},
        "title": "分区客流",
        "note": "",
        **changes,
    }
    with city.gateway.channel() as channel:
        call = channel.unary_unary("/gongshu.v1.Gateway/ReleaseTable")
        metadata = [("authorization", f"Bearer {city.gateway.token('chen--tourism-flow')}")]
        answer: dict[str, Any] = json.loads(call(json.dumps(body).encode(), metadata=metadata, timeout=60))
        return answer


def test_a_table_becomes_a_draft_with_evidence(city: World, spark: SparkSession, store: Store) -> None:
    answer = ask(city, spark.table("tourism.stays"))
    assert answer["columns"] == ["district", "stays", "spend", "nights"] and answer["cells"] == 6
    assert [row[:2] for row in answer["preview"]] == [["440103", 100], ["440104", 100]]
    assert HIDDEN not in json.dumps(answer)
    with city.sessions() as session:
        row = session.scalars(
            select(Statement).where(Statement.kind == "release-table", Statement.state == "finished")
        ).one()
        assert row.billable_bytes > 0
        view = request_for(session, actor(city.sessions, "chen"), answer["release"])
        assert view is not None
    objects = list(store.client().list_objects("gongshu-quarantine", "sha256/"))
    assert objects


def test_a_group_must_be_a_declared_dimension(city: World, spark: SparkSession) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ask(city, spark.table("tourism.stays"), by=["guest_id_no"])
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "维度" in caught.value.details()
    assert any(key == "gongshu-error-bin" for key, _ in caught.value.trailing_metadata())


def test_what_is_not_granted_is_not_released_either(city: World, spark: SparkSession) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ask(city, spark.table("tourism.secrets"), by=[], measures={"n": ["count", "id"]})
    assert "第三条" in caught.value.details()


@pytest.mark.parametrize(
    "wrong", [{"measures": {"x": ["max", "nights"]}}, {"title": ""}, {"by": "district"}, {"more": 1}]
)
def test_a_malformed_request_is_told_so(city: World, spark: SparkSession, wrong: dict[str, Any]) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ask(city, spark.table("tourism.stays"), **wrong)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
