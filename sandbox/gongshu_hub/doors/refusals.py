"""Refusals become log entries, counted per sandbox, door and reason in each second.

A sandbox that knocks a thousand times a second makes one entry, not a thousand. When the portal cannot
take the report, counts are kept (bounded) and sent with the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from pathlib import Path

import aiohttp

SECONDS = 1.0
KINDS_KEPT = 1000

Kind = tuple[str, str, str]  # sandbox, door, code


class Reporter:
    """Collects refusals and posts them to the portal's internal socket."""

    def __init__(self, internal_socket: Path) -> None:
        self._socket = str(internal_socket)
        self._counts: Counter[Kind] = Counter()

    def refused(self, sandbox: str, door: str, code: str) -> None:
        kind = (sandbox, door, code)
        if kind in self._counts or len(self._counts) < KINDS_KEPT:
            self._counts[kind] += 1

    async def run(self) -> None:
        """Send what has come together, every second, for ever."""
        while True:
            await asyncio.sleep(SECONDS)
            if self._counts:
                await self.send()

    async def send(self) -> None:
        counts, self._counts = self._counts, Counter()
        timeout = aiohttp.ClientTimeout(total=3)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(self._socket), timeout=timeout) as session:
            for (sandbox, door, code), times in counts.items():
                if not await self._post(session, sandbox, {"door": door, "code": code, "times": times}):
                    self._counts[(sandbox, door, code)] += times

    async def _post(self, session: aiohttp.ClientSession, sandbox: str, public: dict[str, object]) -> bool:
        body = {"type": "sandbox.door.refused", "sandbox": sandbox, "public": public, "private": {}}
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            data = json.dumps(body).encode()
            async with session.post(
                "http://portal/internal/event", data=data, headers={"Content-Type": "application/json"}
            ) as answer:
                return answer.status < 500
        return False
