"""The spark door: bytes between the sandbox and the gateway's gRPC socket.

It checks only who connects; the gateway authenticates the token of every call. Bytes are not looked into:
the gateway's own parser is the one that counts.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from gongshu_hub.doors.house import Sandbox
from gongshu_hub.doors.refusals import Reporter
from gongshu_hub.wire import peer_uid

CHUNK = 256 * 1024
CONNECTIONS = 64


class SparkDoor:
    """Relays each connection to the gateway until either side hangs up or the doors close."""

    def __init__(self, sandbox: Sandbox, gateway: Path, reporter: Reporter) -> None:
        self.sandbox = sandbox
        self.gateway = gateway
        self.reporter = reporter
        self.open = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        name = self.sandbox.facts.name
        if (
            self.sandbox.closed
            or peer_uid(writer) != self.sandbox.facts.uid
            or self.open >= CONNECTIONS
            or task is None
        ):
            self.reporter.refused(name, "spark", "door.peer")
            writer.close()
            return
        self.open += 1
        self.sandbox.traffic.add(task)
        try:
            await self._relay(reader, writer)
        finally:
            self.open -= 1
            self.sandbox.traffic.discard(task)
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            beyond_reader, beyond_writer = await asyncio.open_unix_connection(str(self.gateway))
        except OSError:
            return
        try:
            ways = [
                asyncio.create_task(_copy(reader, beyond_writer)),
                asyncio.create_task(_copy(beyond_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
        finally:
            beyond_writer.transport.abort()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await source.read(CHUNK):
            target.write(piece)
            await target.drain()
