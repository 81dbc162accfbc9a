"""A whole gateway in this process: real engine, database, policy and store; the Hub's one question from a desk.

`TokenDesk` stands in for the Hub's API (`GET /hub/api/user`): it knows the tokens a test issued and nothing
else. The real Hub is in the end-to-end tests.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import grpc
from pyspark.sql.connect.client import ChannelBuilder
from pyspark.sql.connect.session import SparkSession

from gongshu.gateway.asking import Asker
from gongshu.gateway.engine import Engine
from gongshu.gateway.server import Serving
from gongshu.settings import Settings

T = TypeVar("T")
CHANNEL = [("grpc.max_receive_message_length", 128 << 20), ("grpc.max_send_message_length", 128 << 20)]


class TokenDesk:
    """Answers whose a token is, over a unix socket, like the Hub."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.names: dict[str, str] = {}
        self._server: asyncio.Server | None = None

    def issue(self, name: str) -> str:
        token = secrets.token_hex(16)
        self.names[token] = name
        return token

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._answer, self.socket)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self.socket.unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            sent = [
                line.split(":", 1)[1].strip()
                for line in head.split("\r\n")
                if line.lower().startswith("authorization:")
            ]
            name = self.names.get(sent[0].removeprefix("token ")) if sent else None
            status, body = ("200 OK", {"name": name}) if name else ("403 Forbidden", {"message": "no"})
            data = json.dumps(body).encode()
            fields = f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\nConnection: close"
            writer.write(f"HTTP/1.1 {status}\r\n{fields}\r\n\r\n".encode() + data)
            await writer.drain()
        finally:
            writer.close()


class RunningGateway:
    """A gateway serving in a thread of its own. `front` gives pyspark sessions of a person in a scenario."""

    def __init__(self, settings: Settings, asker: Asker, engine: Engine) -> None:
        assert settings.hub_api_socket is not None and settings.gateway_socket is not None
        sys.setrecursionlimit(20_000)
        self.settings, self.asker, self.engine = settings, asker, engine
        self.socket = settings.gateway_socket
        self.desk = TokenDesk(settings.hub_api_socket)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.call(self.desk.start())
        self.serving = self.call(self._make())

    async def _make(self) -> Serving:
        serving = Serving(self.settings, self.asker, self.engine)
        await serving.start()
        self._watching = asyncio.create_task(serving.watch.run())
        return serving

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout=60)

    def token(self, name: str) -> str:
        return self.desk.issue(name)

    def channel(self) -> grpc.Channel:
        return grpc.insecure_channel(f"unix:{self.socket}", options=CHANNEL)

    def spark(self, name: str, language: str = "zh") -> SparkSession:
        """A stock pyspark session, as a kernel of `<person>--<scenario>` has one."""
        return SparkSession(connection=DoorChannel(self.socket, self.token(name), language))

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._watching.cancel)
        self.call(self.serving.stop())
        self.call(self.desk.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)


class DoorChannel(ChannelBuilder):
    """What a sandbox's spark door amounts to: the gateway's socket and the sandbox's own token."""

    def __init__(self, socket: Path, token: str, language: str = "zh") -> None:
        super().__init__()
        self._socket, self._token, self._language = socket, token, language

    def toChannel(self) -> grpc.Channel:
        return grpc.insecure_channel(f"unix:{self._socket}", options=CHANNEL)

    def metadata(self) -> list[tuple[str, str]]:
        return [("authorization", f"Bearer {self._token}"), ("gongshu-language", self._language)]

    @property
    def userId(self) -> str | None:
        return "somebody-else"

    @property
    def host(self) -> str:
        return "localhost"
