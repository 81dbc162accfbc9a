"""Logging in by the Hub's OAuth, and out again. JSON callers are answered 401, never redirected."""

from __future__ import annotations

import base64
import json
import secrets
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gongshu.errors import NotFound, Unauthenticated
from gongshu.portal.edge import Context, Ctx, Public
from gongshu.portal.hub import LOGIN_AGAIN, LOGIN_ENDED, Flow
from gongshu.portal.session import WHOLE, close_session, cookie_name, open_session

pages = APIRouter()
FLOW_COOKIE = "gongshu-login"
FLOW_SECONDS = 600


@pages.get("/login", include_in_schema=False)
def login(ctx: Public, next: str = "/") -> Response:
    """Begin a login; `next` is a path of this portal."""
    flow = Flow.begin(_own_path(next))
    answer = RedirectResponse(ctx.services.hub.authorize_url(flow), 303)
    packed = base64.urlsafe_b64encode(json.dumps([flow.state, flow.verifier, flow.next_path]).encode()).decode()
    answer.set_cookie(
        FLOW_COOKIE,
        packed,
        max_age=FLOW_SECONDS,
        path=ctx.settings.portal_prefix + "/oauth_callback",
        httponly=True,
        secure=ctx.settings.secure_cookies,
        samesite="lax",
    )
    return answer


@pages.get("/oauth_callback", include_in_schema=False)
def callback(ctx: Public, code: str = "", state: str = "") -> Response:
    """End a login: the state must be the one this browser began with."""
    flow = _flow_of(ctx.request)
    if flow is None or not code or not secrets.compare_digest(flow.state, state):
        raise Unauthenticated("session.login.refused", LOGIN_ENDED, LOGIN_AGAIN)
    name = ctx.services.hub.person_for_code(code, flow)
    try:
        opaque = open_session(ctx.work.session, name, ctx.now)
    except NotFound as error:
        raise Unauthenticated("session.login.refused", LOGIN_ENDED, LOGIN_AGAIN) from error
    ctx.commit()
    answer = ctx.redirect(flow.next_path)
    _keep(ctx, answer, opaque)
    answer.delete_cookie(FLOW_COOKIE, path=ctx.settings.portal_prefix + "/oauth_callback")
    return answer


@pages.post("/logout", include_in_schema=False)
def logout(ctx: Ctx) -> Response:
    """End the session here and at the Hub."""
    name = cookie_name(ctx.settings.secure_cookies)
    close_session(ctx.work.session, ctx.request.cookies[name])
    ctx.commit()
    answer = RedirectResponse(f"{ctx.settings.hub_url}hub/logout", 303)
    answer.delete_cookie(name, path="/")
    return answer


def login_path(request: Request, prefix: str) -> str:
    """Where a page without a session sends the browser."""
    path = request.url.path.removeprefix(prefix) or "/"
    return f"{prefix}/login?next={quote(path)}"


def _keep(ctx: Context, answer: Response, opaque: str) -> None:
    answer.set_cookie(
        cookie_name(ctx.settings.secure_cookies),
        opaque,
        max_age=int(WHOLE.total_seconds()),
        path="/",
        httponly=True,
        secure=ctx.settings.secure_cookies,
        samesite="lax",
    )


def _flow_of(request: Request) -> Flow | None:
    try:
        state, verifier, next_path = json.loads(base64.urlsafe_b64decode(request.cookies[FLOW_COOKIE]))
    except (KeyError, ValueError):
        return None
    return Flow(str(state), str(verifier), _own_path(str(next_path)))


def _own_path(path: str) -> str:
    """Only paths of this portal: no scheme, no host, no backslash tricks."""
    good = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path and path.isprintable()
    return path if good else "/"
