"""Run the doors: open and close them as the keeper says, close them as the portal or the term says.

After a restart the keeper is asked which sandboxes run, and their doors open again. It must never open
doors that the keeper did not ask for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
import sys
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from gongshu_hub import wire
from gongshu_hub.doors.house import Facts, House, Sandbox
from gongshu_hub.doors.inbound import InboundDoor
from gongshu_hub.doors.outward import Beyond, HubDoor, OutwardDoor, PortalDoor
from gongshu_hub.doors.refusals import Reporter
from gongshu_hub.doors.spark import SparkDoor
from gongshu_hub.doors.watch import watch
from gongshu_hub.settings import HubSettings, SettingsError, settings

log = logging.getLogger("doors")
CONNECTIONS = 256  # of one door at a time
STOPPED = ("沙箱已经停止。", "The sandbox has stopped.")


class Doorkeeper:
    """Builds the four doors of a sandbox and answers the keeper's control socket."""

    def __init__(self, house_settings: HubSettings) -> None:
        self.settings = house_settings
        self.house = House()
        self.reporter = Reporter(house_settings.internal_socket)
        self.folder = house_settings.need("doors_dir")
        self.inbound_uids = frozenset(house_settings.inbound_uids) or frozenset({os.getuid()})

    async def answer(self, question: dict[str, Any], uid: int) -> dict[str, Any]:  # noqa: ARG002 - the shape of a Handler
        """``open`` and ``close`` from the keeper, ``list`` for the curious engineer."""
        verb = question.get("verb")
        if verb == "open":
            return await self.open(Facts.read(question))
        if verb == "close":
            return {"closed": await self.house.close(str(question.get("name")), STOPPED)}
        if verb == "list":
            boxes = self.house.sandboxes.values()
            return {"sandboxes": [{"name": box.facts.name, "bytes": box.bytes_to_browser} for box in boxes]}
        return {"refused": "unknown verb"}

    async def open(self, facts: Facts) -> dict[str, Any]:
        await self.house.close(facts.name, STOPPED)
        sandbox = Sandbox(facts, self.folder / str(facts.number))
        if sandbox.is_over(datetime.now(UTC)):
            return {"refused": "授权期限已过。The term of the grant is over."}
        sandbox.recall_visitors()
        await self._open_inbound(sandbox)
        for name, door in self._outward(sandbox):
            await self._serve(sandbox, door, sandbox.folder / "out" / f"{name}.sock")
            sandbox.closers.append(door.outside.close)
        spark = SparkDoor(sandbox, self.settings.need("gateway_socket"), self.reporter)
        listening = wire.listen(sandbox.folder / "out" / "spark.sock")
        server = await asyncio.start_unix_server(spark, sock=listening)
        sandbox.closers.append(_closer(server))
        self.house.add(sandbox)
        return {"opened": True}

    async def _open_inbound(self, sandbox: Sandbox) -> None:
        door = InboundDoor(sandbox, self.house, self.reporter, self.settings.public_host, self.inbound_uids)
        await self._serve(sandbox, door, sandbox.folder / "in.sock")
        sandbox.closers.append(door.inside.close)

    def _outward(self, sandbox: Sandbox) -> list[tuple[str, OutwardDoor]]:
        public = URL(self.settings.public_host)
        hub = Beyond("http://hub", public.authority, str(self.settings.need("hub_socket")))
        port = self.settings.need("portal_port")
        portal = Beyond(f"http://127.0.0.1:{port}{self.settings.portal_prefix}", f"portal--service.{public.authority}")
        return [
            ("hub", HubDoor(sandbox, hub, self.reporter)),
            ("portal", PortalDoor(sandbox, portal, self.reporter)),
        ]

    async def _serve(self, sandbox: Sandbox, door: Any, path: Any) -> None:
        server = Bounded(door, access_log=None)
        listening = await asyncio.get_running_loop().create_unix_server(server, sock=wire.listen(path))
        sandbox.closers += [_closer(listening), partial(server.shutdown, 0.2)]

    async def reopen(self) -> None:
        """After a restart: the keeper knows which sandboxes run."""
        with contextlib.suppress(wire.WireError):
            said = await wire.ask(self.settings.keeper_socket, {"verb": "list"})
            for facts in said.get("sandboxes", []):
                with contextlib.suppress(OSError, ValueError, KeyError):  # one bad sandbox must not shut the others
                    await self.open(Facts.read(facts))


class Bounded(web.Server):
    """Hangs up on one too many: one sandbox must not use up this process's descriptors, which everybody shares.

    Counted as each connection is made, not as it is accepted: a hundred are accepted in one go.
    """

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self.connections) > CONNECTIONS:
            transport.abort()


def _closer(server: asyncio.Server) -> Any:
    async def close() -> None:
        server.close()

    return close


async def run(house_settings: HubSettings) -> None:
    """Serve until told to stop."""
    doorkeeper = Doorkeeper(house_settings)
    keeper_uids = frozenset({os.getuid(), 0})  # the keeper is root, or this very user
    control = await wire.serve(house_settings.doors_socket, keeper_uids, doorkeeper.answer)
    await doorkeeper.reopen()
    tasks = [
        asyncio.create_task(doorkeeper.reporter.run()),
        asyncio.create_task(watch(doorkeeper.house, house_settings)),
    ]
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
    control.close()
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def main() -> int:
    """Run the doors; 2 when the settings do not allow it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        asyncio.run(run(settings()))
    except (SettingsError, aiohttp.ClientError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
