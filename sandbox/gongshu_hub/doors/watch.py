"""Watches whether sandboxes may go on: the term's end by the clock, freeze and revocation by the portal.

Asked every half second; whoever is named is closed at once, and the keeper ends the sandbox (the home
stays). When the portal does not answer for fifteen seconds the inbound doors pause until it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from datetime import UTC, datetime
from typing import Any

import aiohttp

from gongshu_hub import wire
from gongshu_hub.doors.house import House
from gongshu_hub.settings import HubSettings

log = logging.getLogger("doors")
SECONDS = 0.5
PATIENCE_SECONDS = 15.0
ENDED = ("授权期限已过,沙箱已经关闭。", "The term of the grant is over; the sandbox is closed.")


async def watch(house: House, settings: HubSettings) -> None:
    """Look at every open sandbox twice a second, for ever."""
    heard = time.monotonic()
    while True:
        await asyncio.sleep(SECONDS)
        now = datetime.now(UTC)
        over = [name for name, sandbox in house.sandboxes.items() if sandbox.is_over(now)]
        for name in over:
            await _end(house, settings, name, ENDED)
        if not house.sandboxes:
            heard = time.monotonic()
            continue
        closed = await _ask_portal(house, settings)
        if closed is not None:
            heard = time.monotonic()
            for said in closed:
                reason = said.get("reason") or {}
                words = (str(reason.get("zh", "授权已停止。")), str(reason.get("en", "The grant was stopped.")))
                await _end(house, settings, f"{said.get('person')}--{said.get('scenario')}", words)
        paused = time.monotonic() - heard > PATIENCE_SECONDS
        if paused != house.paused:
            log.warning("doors.paused" if paused else "doors.resumed")
            house.paused = paused


async def _ask_portal(house: House, settings: HubSettings) -> list[dict[str, Any]] | None:
    """Which of ours are to be closed; None when there is no good answer."""
    names = [sandbox.facts.parsed for sandbox in house.sandboxes.values()]
    body = {"sandboxes": [{"person": name.person, "scenario": name.scenario} for name in names]}
    connector = aiohttp.UnixConnector(str(settings.internal_socket))
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError, TypeError):
        async with (
            aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=2)) as session,
            session.post("http://portal/internal/sandboxes", json=body) as answer,
        ):
            if answer.status == 200:
                closed = json.loads(await answer.text())["closed"]
                return [dict(said) for said in closed]
    return None


async def _end(house: House, settings: HubSettings, name: str, reason: tuple[str, str]) -> None:
    if await house.close(name, reason):
        log.warning("doors.closed name=%s", name)
        with contextlib.suppress(wire.WireError):
            await wire.ask(settings.keeper_socket, {"verb": "stop", "name": name})
