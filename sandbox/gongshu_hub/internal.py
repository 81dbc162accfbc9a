"""Questions of the Hub to the portal's internal socket: who is this, may they start this, log this.

Any trouble is a refusal that names the portal; nothing is assumed and nothing is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

SECONDS = 10.0


@dataclass(frozen=True)
class RefusedByPortal(Exception):
    """The portal said no. Words in both languages, the next step, and the clause if it named one."""

    status: int
    code: str
    zh: str
    en: str
    step_zh: str = ""
    step_en: str = ""
    clause: str = ""
    part: str = ""

    def __str__(self) -> str:
        return " ".join(word for word in (self.zh, self.clause, self.step_zh) if word)


DOWN = RefusedByPortal(
    503,
    "unavailable.portal",
    "门户没有应答,沙箱没有启动。",
    "The portal does not answer; the sandbox was not started.",
    "请稍后重试;平台运维已收到通知。",
    "Try again shortly; operations have been told.",
    part="portal",
)


class InternalPortal:
    """A client of the portal's internal socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = str(socket)

    async def login(self, name: str, password: str) -> dict[str, Any]:
        """Who this is. Raises RefusedByPortal (401 when name and password do not fit)."""
        return await self._ask("/internal/login", {"name": name, "password": password})

    async def may_start(self, person: str, scenario: str) -> dict[str, Any]:
        """The scenario's title, purpose, term and quota. Raises RefusedByPortal when the policy says no."""
        return await self._ask("/internal/spawn", {"person": person, "scenario": scenario})

    async def report(self, kind: str, sandbox: str, public: dict[str, object]) -> None:
        """Log something that happened to a sandbox. Raises RefusedByPortal when it was not taken."""
        await self._ask("/internal/event", {"type": kind, "sandbox": sandbox, "public": public, "private": {}})

    async def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with (
                aiohttp.ClientSession(connector=aiohttp.UnixConnector(self._socket), timeout=timeout) as session,
                session.post("http://portal" + path, json=body) as answer,
            ):
                said = await answer.json(content_type=None)
                if answer.status in {200, 201, 204}:
                    return said if isinstance(said, dict) else {}
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise DOWN from error
        if not isinstance(said, dict) or "code" not in said:
            raise DOWN
        raise _refusal(answer.status, said)


def _refusal(status: int, envelope: dict[str, Any]) -> RefusedByPortal:
    message = envelope.get("message") or {}
    step = envelope.get("next_step") or {}
    details = envelope.get("details") or {}
    return RefusedByPortal(
        status,
        str(envelope["code"]),
        str(message.get("zh", "")),
        str(message.get("en", "")),
        str(step.get("zh", "")),
        str(step.get("en", "")),
        clause=str(details.get("clause") or ""),
        part=str(details.get("part") or ""),
    )
