"""How a request that may pass is written anew: headers kept, headers dropped, headers set.

It never forwards hop-by-hop headers, never lets the inside set a cookie for a parent domain, and puts the
content security policy on every answer: the browser is the exit (document 13 §21).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from multidict import CIMultiDict

HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "host",
        "expect",
    ]
)
SOCKET_HEADERS = frozenset(
    [
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
        "sec-websocket-accept",
    ]
)
SET_HERE = frozenset(
    [
        "content-security-policy",
        "content-security-policy-report-only",
        "server",
        "referrer-policy",
        "access-control-allow-origin",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "x-dns-prefetch-control",
        "link",
        "refresh",
        "report-to",
        "nel",
        "reporting-endpoints",
    ]
)
FOREIGN_COOKIES = ("jupyterhub-session-id", "gongshu-session", "__host-gongshu")


def policy(hub: str) -> str:
    """The content security policy of a sandbox's origin: nothing but itself, framed by nobody but the Hub."""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "connect-src 'self'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "frame-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors 'self' {hub}",
        )
    )


def request_headers(headers: Iterable[tuple[str, str]], host: str) -> CIMultiDict[str]:
    """Headers to send inside: the visitor's, without hop-by-hop ones and without other origins' cookies."""
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers:
        lowered = name.lower()
        if lowered in HOP_BY_HOP or lowered in SOCKET_HEADERS:
            continue
        if lowered == "cookie":
            value = _own_cookies(value)
            if not value:
                continue
        kept.add(name, value)
    kept["Host"] = host
    return kept


def _own_cookies(header: str) -> str:
    pieces = (piece.strip() for piece in header.split(";"))
    return "; ".join(piece for piece in pieces if not piece.lower().startswith(FOREIGN_COOKIES))


def answer_headers(headers: Mapping[str, str], hub: str) -> CIMultiDict[str]:
    """Headers to send to the browser."""
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        lowered = name.lower()
        if lowered in HOP_BY_HOP or lowered in SET_HERE:
            continue
        if lowered == "set-cookie" and "domain=" in value.lower().replace(" ", ""):
            continue
        kept.add(name, value)
    kept["Content-Security-Policy"] = policy(hub)
    kept["Referrer-Policy"] = "same-origin"
    kept["Cross-Origin-Opener-Policy"] = "same-origin"
    kept["Cross-Origin-Resource-Policy"] = "same-origin"
    kept["X-Content-Type-Options"] = "nosniff"
    kept["X-DNS-Prefetch-Control"] = "off"
    return kept
