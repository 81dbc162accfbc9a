"""The spawner: asks the portal, tells the keeper, waits for the inbound door.

Whatever the Hub's database says, a start is decided by the portal at that moment. It runs nothing itself:
bubblewrap's parent is the keeper, so that a Hub restart leaves sandboxes alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from jupyterhub.objects import Server
from jupyterhub.orm import User
from jupyterhub.spawner import Spawner, SpawnException

from gongshu_hub import wire
from gongshu_hub.internal import InternalPortal, RefusedByPortal
from gongshu_hub.naming import SandboxName, parse
from gongshu_hub.settings import settings

KEEPER_SECONDS = 90.0
STARTED, STOPPED = "sandbox.server.started", "sandbox.server.stopped"
INSIDE_HUB = "http+unix://%2Frun%2Fdoors%2Fhub.sock"


class SandboxSpawner(Spawner):  # type: ignore[misc]  # jupyterhub has no types
    """Starts ``person--scenario`` in bubblewrap by way of the keeper."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.socket_path = ""
        self.steps: list[tuple[int, str]] = []

    @property
    def sandbox(self) -> SandboxName:
        name = parse(self.user.name)
        if name is None or self.name:
            raise SpawnException(
                "只有沙箱可以启动。Only sandboxes can be started.", reason="not-a-sandbox", status_code=403
            )
        return name

    @property
    def server(self) -> Any:
        """The server behind the inbound door: a unix socket, which the Hub's own table has no column for."""
        server: Server | None = Spawner.server.fget(self)
        if server is not None and self.socket_path:
            wanted = f"http+unix://{quote(self.socket_path, safe='')}"
            if not server.connect_url.startswith(wanted):
                server.connect_url = wanted
        return server

    @server.setter
    def server(self, server: Any) -> None:
        Spawner.server.fset(self, server)

    def get_state(self) -> dict[str, Any]:
        return {**super().get_state(), "socket_path": self.socket_path}

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self.socket_path = str(state.get("socket_path", ""))

    def clear_state(self) -> None:
        super().clear_state()
        self.socket_path = ""

    async def start(self) -> str:
        """Ask, start, wait. Raises SpawnException with a sentence, the clause and the next step."""
        name, house = self.sandbox, settings()
        self.steps = []
        self._step(10, "核对授权:门户与策略 · Checking the grant")
        portal = InternalPortal(house.internal_socket)
        try:
            facts = await portal.may_start(name.person, name.scenario)
        except RefusedByPortal as refusal:
            raise refused(refusal) from refusal
        self._step(30, "建立隔离环境 · Building the walls")
        said = await self._ask_keeper(
            {
                "verb": "start",
                "name": str(name),
                "prefix": self.server.base_url,
                "origin": self.user.host,
                "ends_at": facts.get("ends_at"),
                "environment": self.inside_environment(name),
            }
        )
        self.socket_path = str(said["socket"])
        self._step(60, f"隔离环境已建立({said.get('limits')}),受控通道已开 · Walls up, doors open")
        self._step(70, "启动笔记本服务 · Starting the notebook server")
        _ = self.server  # sets the URL of the inbound door
        await self._report(portal, STARTED, {"walls": str(said.get("limits"))})
        return "http://127.0.0.1:80"

    def inside_environment(self, name: SandboxName) -> dict[str, str]:
        """Everything the sandbox's processes see: the Hub's own variables, scoped to this sandbox."""
        kept = {
            key: str(value) for key, value in self.get_env().items() if key.startswith(("JUPYTERHUB_", "MEM_", "CPU_"))
        }
        return kept | {
            "GONGSHU_PERSON": name.person,
            "GONGSHU_SCENARIO": name.scenario,
            "GONGSHU_LANGUAGE": self.language_of(name.person),
            "GONGSHU_PUBLIC_HOST": settings().public_host,
        }

    def language_of(self, person: str) -> str:
        """The language that the portal gave with the person's login."""
        found = User.find(self.db, person)
        said: dict[str, Any] = (found.user_info if found else None) or {}
        return "en" if said.get("language") == "en" else "zh"

    async def poll(self) -> int | None:
        """None while it runs. A keeper that does not answer is not a sandbox that ended."""
        if not self.socket_path:
            return 0
        try:
            said = await wire.ask(settings().keeper_socket, {"verb": "state", "name": self.user.name})
        except wire.WireError:
            return None
        if said.get("running"):
            return None
        if self.socket_path:  # it ended without the Hub: frozen, revoked, over, or out of memory
            self.socket_path = ""
            await self._report(InternalPortal(settings().internal_socket), STOPPED, {"by": "keeper"})
        return int(said.get("exit") or 0)

    async def stop(self, now: bool = False) -> None:  # noqa: ARG002 - the keeper decides how fast
        """End it; the home stays."""
        await self._ask_keeper({"verb": "stop", "name": self.user.name})
        await self._report(InternalPortal(settings().internal_socket), STOPPED, {"by": "hub"})

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """What is being done, as it is done."""
        shown = 0
        while True:
            for percent, message in self.steps[shown:]:
                yield {"progress": percent, "message": message}
            shown = len(self.steps)
            await asyncio.sleep(0.1)

    def _step(self, percent: int, message: str) -> None:
        self.steps.append((percent, message))

    async def _ask_keeper(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            said = await wire.ask(settings().keeper_socket, question, KEEPER_SECONDS)
        except wire.WireError as error:
            raise SpawnException(
                "沙箱看护服务没有应答,请稍后重试。The keeper of the sandboxes does not answer; try again shortly.",
                reason="keeper",
                status_code=503,
            ) from error
        if "refused" in said:
            raise SpawnException(str(said["refused"]), reason="keeper", status_code=503)
        return said

    async def _report(self, portal: InternalPortal, kind: str, public: dict[str, object]) -> None:
        try:
            await portal.report(kind, self.user.name, public)
        except RefusedByPortal as refusal:
            self.log.warning("%s not logged: %s", kind, refusal.code)


def refused(refusal: RefusedByPortal) -> SpawnException:
    """A refused start, as the Hub shows it; our template prints the parts."""
    error = SpawnException(str(refusal), reason=refusal.code, status_code=refusal.status)
    error.refusal = refusal
    return error
