"""The way to the gateway: a gRPC channel on the spark door's unix socket, with the sandbox's own token."""

from __future__ import annotations

import os
import warnings

import grpc

# pyspark's client looks for a whole Spark when it is imported, and complains; any value ends the search.
os.environ.setdefault("SPARK_HOME", "/nonexistent")

from IPython.core.getipython import get_ipython
from pyspark.errors import PySparkException
from pyspark.sql.connect.client import ChannelBuilder
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.session import SparkSession

from gongshu_sandbox.place import DOORS, token
from gongshu_sandbox.refusals import Refused, install


class DoorChannel(ChannelBuilder):  # type: ignore[misc]  # pyspark is untyped here
    """Leads to the gateway through the spark door."""

    def __init__(self) -> None:
        # Spark's own default is 10 minutes between pings; a cut door must be seen soon.
        options = {"keepalive_time": 60_000, "initial_reconnect_backoff": 100, "max_reconnect_backoff": 1000}
        super().__init__(channelOptions=[(f"grpc.{name}_ms", value) for name, value in options.items()])
        self.set(ChannelBuilder.PARAM_USER_AGENT, "gongshu-sandbox")

    def toChannel(self) -> grpc.Channel:
        local = grpc.local_channel_credentials(grpc.LocalConnectionType.UDS)
        bearer = grpc.access_token_call_credentials(token())
        return self._secure_channel(f"unix:{DOORS / 'spark.sock'}", grpc.composite_channel_credentials(local, bearer))

    @property
    def host(self) -> str:
        return "gateway"


class QuickPolicy(DefaultPolicy):  # type: ignore[misc]  # pyspark is untyped here
    """Three tries in well under a second."""

    def __init__(self) -> None:
        super().__init__(max_retries=2, initial_backoff=100, max_backoff=300, backoff_multiplier=2, jitter=50)


def open_session() -> SparkSession:
    """A new session; nothing is asked of the gateway yet."""
    warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")  # the refusal says it better
    made = SparkSession.builder.channelBuilder(DoorChannel()).create()
    made.client.set_retry_policies([QuickPolicy()])
    install(get_ipython(), PySparkException, Refused)
    return made
