"""The hub door and the portal door: from the sandbox outwards, an allow-list of calls with the own token.

They check who connects (the sandbox's uid) and whose token is shown before anything leaves; bodies are
small and bounded; answers carry no cookie.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web
from yarl import URL

from gongshu_hub.doors.house import Sandbox
from gongshu_hub.doors.refusals import Reporter
from gongshu_hub.doors.rules import STRANGE, TOKEN, Refusal, refuse_hub, refuse_portal
from gongshu_hub.wire import peer_uid

BODY_BYTES = 256 * 1024
ANSWER_BYTES = 8 * 1024 * 1024
SECONDS = 30.0
DOWN = Refusal("door.down", "对方没有应答。", "The other side does not answer.", 503)
STRANGER = Refusal("door.peer", "连接不是来自这个沙箱。", "The connection does not come from this sandbox.")


@dataclass(frozen=True)
class Beyond:
    """Where an outward door leads: base URL, Host header, and the unix socket if it is one."""

    base: str
    host: str
    socket: str | None = None


def shown_token(request: web.BaseRequest) -> str:
    """The token of ``Authorization: token|Bearer …``; empty when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() in {"token", "bearer"} else ""


class OutwardDoor:
    """What both doors share: check, forward, answer. Subclasses name the rule and the token check."""

    kind = ""

    def __init__(self, sandbox: Sandbox, beyond: Beyond, reporter: Reporter) -> None:
        self.sandbox = sandbox
        self.beyond = beyond
        self.reporter = reporter
        connector = aiohttp.UnixConnector(beyond.socket, force_close=True) if beyond.socket else None
        timeout = aiohttp.ClientTimeout(total=SECONDS, sock_connect=5)
        self.outside = aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())

    def refusal(self, request: web.BaseRequest) -> Refusal | None:
        raise NotImplementedError

    def token_fits(self, request: web.BaseRequest, body: bytes) -> bool:
        raise NotImplementedError

    def learn(self, request: web.BaseRequest, status: int, body: bytes) -> None:
        """See the answer before the sandbox does."""

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.transport is None or peer_uid(request.transport) != self.sandbox.facts.uid:
            return self._refuse(STRANGER)
        refusal = self.refusal(request)
        if refusal:
            return self._refuse(refusal)
        # Bodies are announced and small: a stream without an end would fill this process, which serves everybody.
        if "Transfer-Encoding" in request.headers or (request.content_length or 0) > BODY_BYTES:
            return self._refuse(STRANGE)
        body = await request.content.read()
        if not self.token_fits(request, body):
            return self._refuse(TOKEN)
        try:
            return await self._forward(request, body)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return self._refuse(DOWN)

    async def _forward(self, request: web.BaseRequest, body: bytes) -> web.Response:
        kept = ("Authorization", "Content-Type", "Accept", "Accept-Language")
        headers = {name: request.headers[name] for name in kept if name in request.headers} | {"Host": self.beyond.host}
        url = URL(self.beyond.base + request.raw_path, encoded=True)
        async with self.outside.request(
            request.method, url, headers=headers, data=body or None, allow_redirects=False
        ) as answer:
            content = await answer.content.read(ANSWER_BYTES)
            self.learn(request, answer.status, content)
            return web.Response(status=answer.status, body=content, content_type=answer.content_type)

    def _refuse(self, refusal: Refusal) -> web.Response:
        self.reporter.refused(self.sandbox.facts.name, self.kind, refusal.code)
        words = {"zh": refusal.zh, "en": refusal.en}
        return web.json_response({"code": refusal.code, "message": words}, status=refusal.status)


class HubDoor(OutwardDoor):
    """Four calls of the Hub's API, for the server's own token and the browsers it was given."""

    kind = "hub"

    def refusal(self, request: web.BaseRequest) -> Refusal | None:
        return refuse_hub(request.method, request.raw_path, self.sandbox.facts.name)

    def token_fits(self, request: web.BaseRequest, body: bytes) -> bool:
        if request.raw_path.endswith("/oauth2/token"):
            form = parse_qs(body.decode("utf-8", "replace"))
            return self.sandbox.owns(form.get("client_secret", [""])[0])
        token = shown_token(request)
        if request.raw_path in {"/hub/api", "/hub/api/"}:
            return not token or self.sandbox.owns(token)  # the Hub's version, asked at start without a token
        if request.raw_path.endswith("/user"):
            return self.sandbox.admits(token)
        return self.sandbox.owns(token)

    def learn(self, request: web.BaseRequest, status: int, body: bytes) -> None:
        if status == 200 and request.raw_path.endswith("/oauth2/token"):
            try:
                self.sandbox.remember_visitor(str(json.loads(body)["access_token"]))
            except (ValueError, KeyError, TypeError):
                return


class PortalDoor(OutwardDoor):
    """The portal's few verbs for sandboxes, with the sandbox's own token."""

    kind = "portal"

    def refusal(self, request: web.BaseRequest) -> Refusal | None:
        return refuse_portal(request.method, request.raw_path)

    def token_fits(self, request: web.BaseRequest, body: bytes) -> bool:  # noqa: ARG002 - the shared signature
        return self.sandbox.owns(shown_token(request))
