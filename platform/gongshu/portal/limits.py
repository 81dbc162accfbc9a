"""How large a request body may be, by route: 1 MiB, except where a file is handed in.

Refuses by Content-Length before a byte is read, and counts what arrives when the length is not told.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gongshu.errors import TooLarge, Words

MIB = 1 << 20
DEFAULT_BYTES = MIB
FORM_BYTES = MIB // 2  # the other fields beside a file
DATASET_BYTES = 1024 * MIB
# Paths without prefix and without /api/v1.
LARGER = (
    (re.compile(r"^/datasets(/[a-z0-9_.]+/versions)?$"), DATASET_BYTES + FORM_BYTES),
    (re.compile(r"^/scenarios/[a-z0-9-]+/attachments$"), 20 * MIB),
)


class LimitMiddleware:
    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = limit_of(scope["path"].removeprefix(self.prefix).removeprefix("/api/v1"))
        told = Headers(scope=scope).get("content-length", "0")
        if not told.isdigit() or int(told) > limit:
            await self._refuse(scope, receive, send, limit)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                scope["state"]["refused"] = too_large(limit)  # form parsers turn exceptions into a bare 400
                raise scope["state"]["refused"]
            return message

        await self.app(scope, counted, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        error = too_large(limit)
        answer = JSONResponse(error.envelope(scope["state"]["request_id"]), error.status, {"Connection": "close"})
        await answer(scope, receive, send)


def limit_of(path: str) -> int:
    """The largest body in bytes that this path takes."""
    return next((limit for pattern, limit in LARGER if pattern.match(path)), DEFAULT_BYTES)


def too_large(limit: int) -> TooLarge:
    return TooLarge(
        "request.too_large",
        Words(f"内容超过 {limit // MIB} MiB,没有接收。", f"More than {limit // MIB} MiB; it was not taken."),
        Words("请拆分为较小的文件,或改用 Parquet 格式", "Split it into smaller files, or use Parquet"),
        limit_bytes=limit,
    )
