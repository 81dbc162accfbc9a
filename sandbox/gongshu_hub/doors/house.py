"""One sandbox's doors, and the book of all of them.

A `Sandbox` knows the digests of the tokens that may use its doors, counts what passes and closes for good
or pauses. Whether it must close is told from outside (keeper, portal, the term's end).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gongshu_hub.naming import SandboxName, parse

Closer = Callable[[], Awaitable[None]]


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class Facts:
    """What the keeper says about a sandbox. `ends_at` is the end of the grant's term, UTC."""

    name: str
    number: int
    uid: int
    prefix: str
    origin: str
    token_sha256: str
    ends_at: datetime | None

    @classmethod
    def read(cls, said: dict[str, Any]) -> Facts:
        ends_at = said.get("ends_at")
        moment = datetime.fromisoformat(str(ends_at).replace("Z", "+00:00")) if ends_at else None
        if moment and moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        words = {key: str(said[key]) for key in ("name", "prefix", "origin", "token_sha256")}
        return cls(number=int(said["number"]), uid=int(said["uid"]), ends_at=moment, **words)

    @property
    def parsed(self) -> SandboxName:
        parsed = parse(self.name)
        if parsed is None:
            raise ValueError("not a sandbox's name")
        return parsed


@dataclass
class Sandbox:
    """One sandbox's doors. `closed` holds the reason once they are shut for good."""

    facts: Facts
    folder: Path
    closed: tuple[str, str] | None = None
    bytes_to_browser: int = 0
    closers: list[Closer] = field(default_factory=list)
    traffic: set[asyncio.Task[Any]] = field(default_factory=set)
    visitors: set[str] = field(default_factory=set)

    @property
    def visitors_file(self) -> Path:
        return self.folder / "visitors"

    def remember_visitor(self, token: str) -> None:
        """A browser's token that the Hub just gave to this sandbox's server; kept as a digest only."""
        digest = digest_of(token)
        self.visitors.add(digest)
        with self.visitors_file.open("a") as file:
            file.write(digest + "\n")

    def recall_visitors(self) -> None:
        """After a restart of the doors: people who are in stay in."""
        if self.visitors_file.exists():
            self.visitors = set(self.visitors_file.read_text().split())

    def owns(self, token: str) -> bool:
        return hmac.compare_digest(digest_of(token), self.facts.token_sha256)

    def admits(self, token: str) -> bool:
        """Its own token, or one that the Hub gave to its server for a browser."""
        return self.owns(token) or digest_of(token) in self.visitors

    def is_over(self, now: datetime) -> bool:
        return self.facts.ends_at is not None and now >= self.facts.ends_at

    async def close(self, reason: tuple[str, str]) -> None:
        """Shut every door and cut what is under way. A second call does nothing."""
        if self.closed:
            return
        self.closed = reason
        for task in list(self.traffic):
            task.cancel()
        for closer in self.closers:
            with contextlib.suppress(Exception):  # each door must be shut, whatever another one says
                await closer()
        for file in (self.folder / "in.sock", *(self.folder / "out").glob("*.sock")):
            file.unlink(missing_ok=True)


class House:
    """All sandboxes whose doors are open. `paused` while the portal does not answer."""

    def __init__(self) -> None:
        self.sandboxes: dict[str, Sandbox] = {}
        self.paused = False

    def add(self, sandbox: Sandbox) -> None:
        self.sandboxes[sandbox.facts.name] = sandbox

    async def close(self, name: str, reason: tuple[str, str]) -> bool:
        sandbox = self.sandboxes.pop(name, None)
        if sandbox is None:
            return False
        await sandbox.close(reason)
        return True
