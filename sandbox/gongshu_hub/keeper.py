"""The keeper: parent of every bubblewrap, outside the Hub, so that sandboxes survive a Hub restart.

It is the only piece that may run as root, and therefore small: it numbers sandboxes, makes their homes and
sockets, drops to the tenant and starts the walls. It speaks to Hub and doors only (checked by uid), never
to a tenant or a network, and reads no secret. Without a passed preflight it starts nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gongshu_hub import wire
from gongshu_hub.bubblewrap import PYTHON, VENV, Room
from gongshu_hub.launch import Launch, Launcher, LaunchError
from gongshu_hub.limits import Cage
from gongshu_hub.naming import parse
from gongshu_hub.preflight import Report, run_preflight
from gongshu_hub.registry import Place, PlaceError, Registry
from gongshu_hub.settings import HubSettings, SettingsError, settings

STOP_SECONDS = 5.0
TIDY_SECONDS = 5.0
LOG_BYTES = 4 * 1024 * 1024


@dataclass
class Sandbox:
    """One running sandbox, as the keeper knows it."""

    name: str
    place: Place
    process: asyncio.subprocess.Process
    cage: Cage
    facts: dict[str, Any] = field(default_factory=dict)
    ended: asyncio.Event = field(default_factory=asyncio.Event)  # set when doors and sockets are cleared as well


class Keeper:
    """Answers start, state, stop, list and preflight."""

    def __init__(self, house: HubSettings) -> None:
        self.settings = house
        self.registry = Registry(house)
        self.launcher = Launcher(house)
        self.running: dict[str, Sandbox] = {}
        self.exits: dict[str, int] = {}
        self.report: Report | None = None
        self.probing = asyncio.Lock()
        self.watchers: set[asyncio.Task[None]] = set()

    async def answer(self, question: dict[str, Any], uid: int) -> dict[str, Any]:  # noqa: ARG002 - shape of a Handler
        """One question from Hub or doors. Trouble is ``{"refused": sentence}``, never a traceback."""
        verb = question.get("verb")
        try:
            if verb == "start":
                return await self.start(question)
            if verb == "state":
                return self.state(str(question.get("name")))
            if verb == "stop":
                return await self.stop(str(question.get("name")))
            if verb == "list":
                return {"sandboxes": [box.facts for box in self.running.values()]}
            if verb == "preflight":
                return (await self.preflight(anew=True)).as_answer()
        except (LaunchError, PlaceError, SettingsError) as error:
            return {"refused": str(error)}
        except (OSError, ValueError, KeyError, wire.WireError) as error:
            return {"refused": f"沙箱没有启动。The sandbox did not start: {type(error).__name__}: {error}"}
        return {"refused": "unknown verb"}

    async def preflight(self, anew: bool = False) -> Report:
        async with self.probing:
            if self.report is None or not self.report.passed or anew:
                self.report = await run_preflight(self.settings, self.registry, self.launcher)
            return self.report

    async def start(self, question: dict[str, Any]) -> dict[str, Any]:
        """Start a sandbox; refused when it runs already, when its name is not one, or when the walls leak."""
        name = str(question["name"])
        parsed = parse(name)
        if parsed is None:
            return {"refused": "不是沙箱的名称。Not the name of a sandbox."}
        if name in self.running:
            await self.stop(name)  # the Hub asks for a new one: an old one must not go on under its name
        report = await self.preflight()
        if not report.passed:
            return {"refused": report.message}
        place = self.registry.place(name)
        facts = {
            "name": name,
            "number": place.number,
            "uid": place.uid,
            "prefix": question["prefix"],
            "origin": question["origin"],
            "ends_at": question.get("ends_at"),
            "token_sha256": hashlib.sha256(question["environment"]["JUPYTERHUB_API_TOKEN"].encode()).hexdigest(),
        }
        listening = wire.listen(place.server_socket, mode=0o600)
        os.chown(place.server_socket, self.registry.doors_uid, -1)
        listening.setblocking(True)
        try:
            opened = await wire.ask(self.settings.doors_socket, {"verb": "open", **facts})
            if "refused" in opened:
                return opened
            process, cage = await self.launcher.start(self._launch(parsed.person, place, question, listening.fileno()))
        finally:
            listening.close()
        box = Sandbox(name, place, process, cage, facts)
        self.running[name] = box
        self.exits.pop(name, None)
        watcher = asyncio.create_task(self._watch(box))
        self.watchers.add(watcher)
        watcher.add_done_callback(self.watchers.discard)
        return {"number": place.number, "socket": str(place.sockets / "in.sock"), "limits": cage.kind}

    def _launch(self, person: str, place: Place, question: dict[str, Any], listening: int) -> Launch:
        room = Room(
            str(question["name"])[:60], person, place.home, Path(self.settings.need("sandbox_venv")), place.doors
        )
        inside = {
            "HOME": room.home_inside,
            "USER": person,
            "PATH": f"{VENV}/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TMPDIR": "/tmp",
            "GONGSHU_SERVER_FD": str(listening),
        }
        environment = {name: str(value) for name, value in question["environment"].items()} | inside
        log = self.log_of(str(question["name"]))
        log.unlink(missing_ok=True)
        return Launch(place, room, [PYTHON, "-I", "-m", "gongshu_sandbox.server"], environment, (listening,), log)

    def state(self, name: str) -> dict[str, Any]:
        box = self.running.get(name)
        if box is not None and box.process.returncode is None:
            return {"running": True, "number": box.place.number}
        return {"running": False, "exit": self.exits.get(name, 0)}

    async def stop(self, name: str) -> dict[str, Any]:
        """End it: politely, then for good, and wait until its doors are shut. The home stays."""
        box = self.running.get(name)
        if box is None:
            return {"stopped": False}
        with contextlib.suppress(ProcessLookupError):
            box.process.terminate()
        try:
            await asyncio.wait_for(box.process.wait(), STOP_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                box.process.kill()
        await box.ended.wait()
        return {"stopped": True}

    async def _watch(self, box: Sandbox) -> None:
        """Clear up behind it. Only then is its name free: a late clearing would shut the doors of its successor."""
        await box.process.wait()
        try:
            await self._clear(box)
        finally:
            del self.running[box.name]
            self.exits[box.name] = box.process.returncode or 0
            box.ended.set()

    async def clear_house(self) -> None:
        """At the start: an earlier keeper's sandboxes died with it, so their doors are shut."""
        with contextlib.suppress(wire.WireError):
            said = await wire.ask(self.settings.doors_socket, {"verb": "list"})
            for box in said.get("sandboxes", []):
                await wire.ask(self.settings.doors_socket, {"verb": "close", "name": box["name"]})

    async def tidy(self) -> None:
        """A tenant can write into the log of its own server: it is kept small, for ever."""
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            for name in list(self.running):
                log = self.log_of(name)
                if log.exists() and log.stat().st_size > LOG_BYTES:
                    os.truncate(log, 0)

    def log_of(self, name: str) -> Path:
        return Path(self.settings.need("state_dir")) / f"{name}.log"

    async def _clear(self, box: Sandbox) -> None:
        with contextlib.suppress(wire.WireError):
            await wire.ask(self.settings.doors_socket, {"verb": "close", "name": box.name})
        self.registry.clear(box.place)
        await box.cage.remove()


async def keep(house: HubSettings) -> None:
    """Serve until told to stop; then end every sandbox."""
    keeper = Keeper(house)
    peers = {os.getuid(), *(uid for uid in (house.hub_uid, house.doors_uid) if uid is not None)}
    await keeper.clear_house()
    server = await wire.serve(house.keeper_socket, frozenset(peers), keeper.answer)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    tidying = asyncio.create_task(keeper.tidy())
    await stopping.wait()
    tidying.cancel()
    server.close()
    await asyncio.gather(*(keeper.stop(name) for name in list(keeper.running)))
    await asyncio.gather(*keeper.watchers, return_exceptions=True)


def main() -> int:
    """Run the keeper; 2 when the settings do not allow it."""
    try:
        house = settings()
        if house.tenant_uid_base is None and not house.demo:
            raise SettingsError(
                "每个沙箱必须有自己的 uid(tenant_uid_base)。Each sandbox needs its own uid outside the demo."
            )
        if house.tenant_uid_base is None:
            sys.stderr.write(
                "注意:所有沙箱共用当前用户的 uid,仅限演示。All sandboxes share this user's uid: demo only.\n"
            )
        asyncio.run(keep(house))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
