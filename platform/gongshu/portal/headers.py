"""What every answer carries, and which requests are refused before any page sees them.

One ASGI layer: request id, nonce and Content-Security-Policy, language, and protection against
forged requests by Fetch Metadata (document 11 §4). A sandbox is a *sibling* site of the portal, so
`same-site` is refused like `cross-site`. It never reads a body.
"""

from __future__ import annotations

import secrets
from http.cookies import SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gongshu.errors import Denied, GongshuError, Invalid, Words
from gongshu.portal import language

SIZES = ("sm", "lg")
SIZE_COOKIE = "gongshu-size"
YEAR = "; Path=/; Max-Age=31536000; SameSite=Lax"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'{login}; frame-ancestors 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
FIXED = {
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), clipboard-read=()",
}
FORGED = Words(
    "这个请求不是从本平台的页面发出的,没有执行。",
    "This request did not come from a page of this platform; nothing was done.",
)
FORGED_NEXT = Words("请回到本平台的页面重新操作", "Return to the platform's own page and try again")


class EdgeMiddleware:
    """Wraps the whole portal. cookie_name: the session cookie; origin: the portal's own, without path."""

    def __init__(self, app: ASGIApp, *, cookie_name: str, origin: str, login_origin: str) -> None:
        self.app = app
        self.cookie_name = cookie_name
        self.origin = origin
        self.login_origin = login_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookies = headers.get("cookie", "")
        state = scope.setdefault("state", {})
        state["request_id"] = secrets.token_hex(8)
        state["nonce"] = secrets.token_urlsafe(16)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        asked, size = query.get("lang", [""])[0], query.get("size", [""])[0]
        state["large"] = (size or _cookie(cookies, SIZE_COOKIE)) == "lg"
        state["language"] = language.choose(
            asked, _cookie(cookies, language.COOKIE), headers.get("accept-language", "")
        )
        language.current.set(state["language"])

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), state, asked, size)
            await send(message)

        try:
            refuse_forged(scope["method"], headers, self.cookie_name, self.origin)
        except GongshuError as error:
            answer = JSONResponse(error.envelope(state["request_id"]), error.status)
            await answer(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)

    def _add(self, headers: MutableHeaders, state: dict[str, str], asked: str, size: str) -> None:
        for name, value in FIXED.items():
            headers[name] = value
        if "content-security-policy" not in headers:
            headers["Content-Security-Policy"] = POLICY.format(nonce=state["nonce"], login=f" {self.login_origin}")
        if "cache-control" not in headers:
            headers["Cache-Control"] = "no-store"
        headers["X-Request-Id"] = state["request_id"]
        headers["Content-Language"] = "en" if state["language"] == "en" else "zh-CN"
        if asked in language.LANGUAGES:
            headers.append("Set-Cookie", f"{language.COOKIE}={asked}{YEAR}")
        if size in SIZES:
            headers.append("Set-Cookie", f"{SIZE_COOKIE}={size}{YEAR}")


def refuse_forged(method: str, headers: Headers, cookie_name: str, origin: str) -> None:
    """Raise Denied for a request that another origin made in the person's name, Invalid for an ambiguous one.

    Without our cookie there is nothing to forge. With it: an unsafe method needs `Sec-Fetch-Site:
    same-origin`, or, where the browser does not send it, an `Origin` that is ours; a safe one may come
    from elsewhere only as a navigation of the whole page.
    """
    sent = _cookie_count(headers.get("cookie", ""), cookie_name)
    if sent == 0:
        return
    if sent > 1 or "authorization" in headers:
        raise Invalid(
            "session.ambiguous",
            Words("请求带了不止一个身份,没有执行。", "The request carries more than one identity; nothing was done."),
            Words("请关闭浏览器后重新登录", "Close the browser and log in again"),
        )
    site = headers.get("sec-fetch-site")
    if method in SAFE_METHODS:
        navigates = (
            headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", "document") == "document"
        )
        if site in (None, "same-origin", "none") or navigates:
            return
    elif site == "same-origin" or (site is None and headers.get("origin") == origin):
        return
    raise Denied("request.forged", FORGED, FORGED_NEXT)


def _cookie(header: str, name: str) -> str | None:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header)
    except ValueError:
        return None
    return jar[name].value if name in jar else None


def _cookie_count(header: str, name: str) -> int:
    return sum(part.strip().split("=", 1)[0] == name for part in header.split(";"))
