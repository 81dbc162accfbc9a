"""The way to the gateway: a gRPC channel on the spark door's unix socket, with the sandbox's own token."""

from __future__ import annotations

import os

import grpc

# pyspark's client looks for a whole Spark when it is imported, and complains; any value ends the search.
os.environ.setdefault("SPARK_HOME", "/nonexistent")

from pyspark.sql.connect.client import ChannelBuilder  # noqa: E402 - after SPARK_HOME
from pyspark.sql.connect.client.retries import DefaultPolicy  # noqa: E402 - after SPARK_HOME
from pyspark.sql.connect.session import SparkSession  # noqa: E402 - after SPARK_HOME

from gongshu_sandbox.place import DOORS, token  # noqa: E402 - beside the rest


class DoorChannel(ChannelBuilder):  # type: ignore[misc]  # pyspark is untyped here
    """Leads to the gateway through the spark door."""

    def __init__(self) -> None:
        # Spark's own default is 10 minutes between pings; a cut door must be seen soon.
        super().__init__(channelOptions=[("grpc.keepalive_time_ms", 60_000), ("grpc.max_reconnect_backoff_ms", 1000)])
        self.set(ChannelBuilder.PARAM_USER_AGENT, "gongshu-sandbox")

    def toChannel(self) -> grpc.Channel:  # noqa: N802 - pyspark's name
        local = grpc.local_channel_credentials(grpc.LocalConnectionType.UDS)
        bearer = grpc.access_token_call_credentials(token())
        return self._secure_channel(f"unix:{DOORS / 'spark.sock'}", grpc.composite_channel_credentials(local, bearer))

    @property
    def host(self) -> str:
        return "gateway"


class QuickPolicy(DefaultPolicy):  # type: ignore[misc]  # pyspark is untyped here
    """Four tries within about a second."""

    def __init__(self) -> None:
        super().__init__(max_retries=4, initial_backoff=80, max_backoff=400, backoff_multiplier=2, jitter=50)


def open_session() -> SparkSession:
    """A new session; nothing is asked of the gateway yet."""
    made = SparkSession.builder.channelBuilder(DoorChannel()).create()
    made.client.set_retry_policies([QuickPolicy()])
    return made
