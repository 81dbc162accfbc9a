"""The same gateway and city as the integration tests; a raw client that sends what no library would."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import grpc
import pytest
from pyspark.sql.connect import proto
from pyspark.sql.connect.session import SparkSession

from tests.integration.gateway.conftest import city, gateway_engine, spark
from tests.parts.rig import World

__all__ = ["city", "gateway_engine", "spark"]


@dataclass
class RawClient:
    """Sends bytes as they are and returns every byte that comes back: responses, status, trailing metadata."""

    world: World
    name: str = "chen--tourism-flow"
    session_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        self.channel = self.world.gateway.channel()
        self.metadata = [("authorization", f"Bearer {self.world.gateway.token(self.name)}")]

    def call(self, procedure: str, data: bytes, metadata: list[tuple[str, str]] | None = None) -> tuple[bytes, str]:
        """All bytes received, and the status name."""
        path = f"/spark.connect.SparkConnectService/{procedure}"
        sent = self.metadata if metadata is None else metadata
        received = b""
        streams = procedure in ("ExecutePlan", "ReattachExecute")
        try:
            if streams:
                for part in self.channel.unary_stream(path)(data, metadata=sent, timeout=60):
                    received += part
            elif procedure == "AddArtifacts":
                received = self.channel.stream_unary(path)(iter([data]), metadata=sent, timeout=60)
            else:
                received = self.channel.unary_unary(path)(data, metadata=sent, timeout=60)
        except grpc.RpcError as error:
            trailing = b"".join(
                value if isinstance(value, bytes) else value.encode() for _, value in error.trailing_metadata() or ()
            )
            return received + (error.details() or "").encode() + trailing, error.code().name
        return received, "OK"

    def execute(self, plan: proto.Plan, **fields: object) -> tuple[bytes, str]:
        request = proto.ExecutePlanRequest(session_id=self.session_id, plan=plan, **fields)
        return self.call("ExecutePlan", request.SerializeToString())

    def run(self, relation: proto.Relation) -> tuple[bytes, str]:
        return self.execute(proto.Plan(root=relation))

    def sql(self, query: str) -> tuple[bytes, str]:
        return self.run(proto.Relation(sql=proto.SQL(query=query)))


@pytest.fixture
def raw(city: World) -> Iterator[RawClient]:
    client = RawClient(city)
    yield client
    client.channel.close()


@pytest.fixture
def zhou(city: World) -> Iterator[SparkSession]:
    """Another company's analyst, in another scenario."""
    session = city.gateway.spark("zhou--night-bus")
    yield session
    session.stop()
