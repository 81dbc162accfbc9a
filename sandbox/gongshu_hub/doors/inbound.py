"""The inbound door: browser → notebook server. Filters, counts, sets the security policy, cuts websockets.

It refuses every way to take a file out and every answer that calls itself an attachment; it never lets one
sandbox's page be framed or reached by another origin.
"""

from __future__ import annotations

import asyncio
import html
import logging
from contextlib import suppress

import aiohttp
from aiohttp import WSMsgType, web
from yarl import URL

from gongshu_hub.doors.house import House, Sandbox
from gongshu_hub.doors.passing import answer_headers, policy, request_headers
from gongshu_hub.doors.refusals import Reporter
from gongshu_hub.doors.rules import EXIT, Refusal, refuse_inbound
from gongshu_hub.wire import peer_uid

log = logging.getLogger("doors")
MESSAGE_BYTES = 32 * 1024 * 1024
PAUSED = Refusal(
    "door.paused", "门户没有应答,沙箱暂停。恢复后自动继续。", "The portal does not answer; the sandbox is paused.", 503
)
GONE = Refusal(
    "door.server", "沙箱的笔记本服务没有应答,请稍候或重新启动。", "The notebook server does not answer yet.", 502
)
STRANGER = Refusal("door.peer", "连接不是来自代理。", "The connection does not come from the proxy.")


class InboundDoor:
    """One sandbox's inbound door, an aiohttp handler."""

    def __init__(self, sandbox: Sandbox, house: House, reporter: Reporter, hub: str, uids: frozenset[int]) -> None:
        self.sandbox = sandbox
        self.house = house
        self.reporter = reporter
        self.hub = hub
        self.uids = uids
        self.host = URL(sandbox.facts.origin).authority
        # Every request has its own connection inside: nothing of one can be read as part of the next.
        connector = aiohttp.UnixConnector(str(sandbox.folder / "jup.sock"), force_close=True, limit=200)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        self.inside = aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.current_task()
        if task:
            self.sandbox.traffic.add(task)
        try:
            return await self._answer(request)
        finally:
            if task:
                self.sandbox.traffic.discard(task)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.transport is None or peer_uid(request.transport) not in self.uids:
            return self._refuse(request, STRANGER)
        if self.sandbox.closed:
            return self._refuse(request, Refusal("door.closed", *self.sandbox.closed))
        if self.house.paused:
            return self._refuse(request, PAUSED, report=False)
        websocket = request.headers.get("Upgrade", "").lower() == "websocket"
        refusal = refuse_inbound(request.method, request.raw_path, self.sandbox.facts.prefix, websocket)
        if refusal:
            return self._refuse(request, refusal)
        try:
            return await (self._websocket(request) if websocket else self._pass(request))
        except (aiohttp.ClientError, OSError):
            return self._refuse(request, GONE, report=False)

    async def _pass(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = request_headers(request.headers.items(), self.host)
        async with self.inside.request(
            request.method,
            self._target(request),
            headers=headers,
            data=request.content if request.can_read_body else None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            if "attachment" in answer.headers.get("Content-Disposition", "").lower():
                return self._refuse(request, EXIT)
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            for name, value in answer_headers(answer.headers, self.hub).items():
                response.headers.add(name, value)
            if length := answer.headers.get("Content-Length"):
                response.headers["Content-Length"] = length
            await response.prepare(request)
            async for piece in answer.content.iter_chunked(65536):
                self.sandbox.bytes_to_browser += len(piece)
                await response.write(piece)
            await response.write_eof()
            return response

    async def _websocket(self, request: web.BaseRequest) -> web.StreamResponse:
        wanted = [word.strip() for word in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if word.strip()]
        headers = request_headers(request.headers.items(), self.host)
        connecting = self.inside.ws_connect(
            self._target(request), headers=headers, protocols=wanted, max_msg_size=MESSAGE_BYTES, compress=0
        )
        try:
            inside = await connecting
        except aiohttp.WSServerHandshakeError as error:
            return web.Response(status=error.status if 400 <= error.status < 600 else 502)
        async with inside:
            browser = web.WebSocketResponse(
                protocols=[inside.protocol] if inside.protocol else (), max_msg_size=MESSAGE_BYTES, compress=False
            )
            await browser.prepare(request)
            ways = [
                asyncio.create_task(self._carry(browser, inside, 0)),
                asyncio.create_task(self._carry(inside, browser, 1)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                with suppress(Exception):  # closing says goodbye; whoever is gone needs none
                    async with asyncio.timeout(0.5):
                        await browser.close(code=1001)
            return browser

    async def _carry(
        self,
        source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
        target: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
        counts: int,
    ) -> None:
        async for message in source:
            if message.type == WSMsgType.TEXT:
                self.sandbox.bytes_to_browser += counts * len(message.data)
                await target.send_str(message.data)
            elif message.type == WSMsgType.BINARY:
                self.sandbox.bytes_to_browser += counts * len(message.data)
                await target.send_bytes(message.data)
            elif message.type != WSMsgType.PING:
                return

    def _target(self, request: web.BaseRequest) -> URL:
        return URL("http://sandbox" + request.raw_path, encoded=True)

    def _refuse(self, request: web.BaseRequest, refusal: Refusal, report: bool = True) -> web.Response:
        if report:
            self.reporter.refused(self.sandbox.facts.name, "inbound", refusal.code)
        headers = {"Content-Security-Policy": policy(self.hub), "Cache-Control": "no-store"}
        if "text/html" not in request.headers.get("Accept", ""):
            body = {"code": refusal.code, "message": f"{refusal.zh} {refusal.en}"}
            return web.json_response(body, status=refusal.status, headers=headers)
        words = {"zh": html.escape(refusal.zh), "en": html.escape(refusal.en)}
        page = PAGE.format(**words, back=self.sandbox.facts.prefix + "lab")
        return web.Response(text=page, status=refusal.status, content_type="text/html", headers=headers)


PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>受控通道 · Door</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.7 "Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif;max-width:40rem;margin:4rem auto;
padding:0 1rem;color:#1f2937}}p.en{{color:#4b5563}}a{{color:#0b57a4}}</style></head>
<body><h1>没有放行</h1><p>{zh}</p><p class="en" lang="en">{en}</p>
<p><a href="{back}">返回沙箱 · Back to the sandbox</a></p>
</body></html>"""
