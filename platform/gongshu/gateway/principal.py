"""Who a request is: the sandbox's own Hub token, asked of the Hub, and nothing the client says of itself.

The Hub's answer is believed for two seconds, a refusal not at all; without the Hub there is nobody.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from gongshu.database import Sessions, reading
from gongshu.errors import NotFound, Unauthenticated, Unavailable, Words
from gongshu.identity import Actor, find_actor

BELIEVED_SECONDS = 2.0
HUB_SECONDS = 1.5
NAME = re.compile(r"^([a-z][a-z0-9]{1,19})--([a-z][a-z0-9-]{1,39})$")
TOKEN = re.compile(r"^[\x21-\x7e]{16,512}$")


@dataclass(frozen=True)
class Principal:
    """One person in one scenario. `name` is `<person>--<scenario>`."""

    name: str
    scenario: str
    actor: Actor


def nobody() -> Unauthenticated:
    return Unauthenticated(
        "gateway.token",
        Words("沙箱的凭证无效或已失效,语句没有执行。", "The sandbox's token is not valid any more; nothing ran."),
        Words(
            "请在平台首页重新启动这个场景的沙箱", "Start this scenario's sandbox again from the platform's home page"
        ),
    )


class HubNames:
    """Asks the Hub whose a token is."""

    def __init__(self, socket: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        self._client = httpx.AsyncClient(
            transport=transport, base_url="http://hub", timeout=HUB_SECONDS, trust_env=False
        )
        self._clock = clock
        self._believed: dict[str, tuple[float, str]] = {}

    def believed(self, token: str) -> str | None:
        """The Hub user of a token that the Hub has named less than two seconds ago."""
        until, name = self._believed.get(hashlib.sha256(token.encode()).hexdigest(), (0.0, ""))
        return name if self._clock() < until else None

    async def name_of(self, token: str) -> str:
        """The Hub user of a token. Raises Unauthenticated, or Unavailable('hub')."""
        if not TOKEN.match(token):
            raise nobody()
        known = self.believed(token)
        if known is not None:
            return known
        digest = hashlib.sha256(token.encode()).hexdigest()
        self._believed.pop(digest, None)
        name = await self._ask(token)
        if len(self._believed) > 10_000:
            self._believed.clear()
        self._believed[digest] = (self._clock() + BELIEVED_SECONDS, name)
        return name

    async def _ask(self, token: str) -> str:
        try:
            answer = await self._client.get("/hub/api/user", headers={"Authorization": f"token {token}"})
        except httpx.HTTPError as error:
            raise Unavailable("hub") from error
        if answer.status_code in (401, 403, 404):
            raise nobody()
        try:
            name = answer.json()["name"]
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable("hub") from error
        if answer.status_code != httpx.codes.OK or not isinstance(name, str):
            raise Unavailable("hub")
        return name

    async def close(self) -> None:
        await self._client.aclose()


def token_in(metadata: Sequence[tuple[str, str | bytes]]) -> str:
    """The bearer token of a call; exactly one authorization entry is accepted."""
    found = [value for key, value in metadata if key == "authorization"]
    if len(found) != 1 or not isinstance(found[0], str):
        raise nobody()
    scheme, _, token = found[0].partition(" ")
    if scheme.lower() not in ("bearer", "token") or not token:
        raise nobody()
    return token


def language_in(metadata: Sequence[tuple[str, str | bytes]]) -> str:
    return "en" if any(key == "gongshu-language" and value == "en" for key, value in metadata) else "zh"


def principal_named(sessions: Sessions, name: str) -> Principal:
    """The person and scenario behind a Hub user name. Raises Unauthenticated when it is no sandbox's."""
    parts = NAME.match(name)
    if parts is None:
        raise nobody()
    with reading(sessions) as session:
        try:
            actor = find_actor(session, parts[1])
        except NotFound as error:
            raise nobody() from error
    return Principal(name=name, scenario=parts[2], actor=actor)
