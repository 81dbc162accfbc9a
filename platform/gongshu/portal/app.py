"""Puts the portal together: routers, error pages, limits, headers. It holds no rule of the field.

Each module of `MODULES` exports `pages` (HTML, under the prefix) and may export `api` (JSON, under the
prefix + ``/api/v1``). The order is the order of the routes.
"""

from __future__ import annotations

import importlib
import importlib.util
import traceback
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gongshu.errors import GongshuError, NotFound, Unauthenticated, Words
from gongshu.identity import Actor
from gongshu.portal.edge import Context, Services
from gongshu.portal.forms import invalid
from gongshu.portal.headers import EdgeMiddleware
from gongshu.portal.layout import STATIC
from gongshu.portal.limits import LimitMiddleware
from gongshu.portal.login import login_path
from gongshu.portal.session import cookie_name

MODULES = (
    "login",
    "home",
    "public",
    "catalogue_api",
    "steward",
    "scenarios",
    "approvals",
    "agreements",
    "officer",
    "reviewer",
    "sandboxes",
    "analyst",
    "statements",
    "billing",
    "prices",
    "regulator",
    "sandbox_api",
)
INTERNAL_MODULES = ("internal", "internal_spawn", "internal_events")
ABSENT = Words("这里没有您要找的内容。", "What you are looking for is not here.")
ABSENT_NEXT = Words("请核对编号,或从首页重新进入", "Check the number, or start again from the home page")
FAULT = Words("平台出了差错,这一步没有完成。", "The platform failed; this step was not completed.")
FAULT_NEXT = Words("请重试;仍然不行时把编号告诉平台运维", "Try again; if it persists, give the number to operations")

log = structlog.get_logger()


class ForeverStatic(StaticFiles):
    """Files named by their hash: a year in every cache."""

    def file_response(self, *arguments: object, **named: object) -> Response:
        answer = super().file_response(*arguments, **named)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path.endswith(".json"):
            raise HTTPException(404)
        return await super().get_response(path, scope)


def create_app(services: Services) -> FastAPI:
    """The public application: pages and API, to be served on loopback behind the Hub's proxy."""
    prefix = services.settings.portal_prefix
    app = FastAPI(
        title="Gongshu", version="1", docs_url=None, redoc_url=None, openapi_url=f"{prefix}/api/v1/openapi.json"
    )
    app.state.services = services
    found = [_include(app, name, prefix) for name in MODULES]
    services.layout.pages = frozenset(path for paths in found for path in paths)
    app.mount(f"{prefix}/static", ForeverStatic(directory=STATIC), name="static")
    _add_handlers(app)
    _add_edge(app, services)
    return app


def _add_edge(app: FastAPI, services: Services) -> None:
    """Limits and headers, outermost."""
    settings = services.settings
    public, hub = urlsplit(settings.portal_url or ""), urlsplit(settings.hub_url or "")
    app.add_middleware(LimitMiddleware, prefix=settings.portal_prefix)
    app.add_middleware(
        EdgeMiddleware,
        cookie_name=cookie_name(settings.secure_cookies),
        origin=f"{public.scheme}://{public.netloc}",
        login_origin=f"{hub.scheme}://{hub.netloc}",
    )


def create_internal_app(services: Services) -> FastAPI:
    """Routes for the Hub, the doors and the gateway; served on a unix socket only (document 13 §25)."""
    app = FastAPI(title="Gongshu internal", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.services = services
    for name in INTERNAL_MODULES:
        module = find_module(name)
        if module is not None:
            app.include_router(module.router, prefix="/internal")
    _add_handlers(app)
    _add_edge(app, services)
    return app


def find_module(name: str) -> ModuleType | None:
    """A module of the portal, or None where the room has no such pages yet."""
    spec = importlib.util.find_spec(f"gongshu.portal.{name}")
    return importlib.import_module(f"gongshu.portal.{name}") if spec else None


def _include(app: FastAPI, name: str, prefix: str) -> list[str]:
    """Mount a module's routers; return the paths of its pages."""
    module = find_module(name)
    if module is None:
        return []
    pages, api = getattr(module, "pages", None), getattr(module, "api", None)
    if isinstance(api, APIRouter):
        app.include_router(api, prefix=f"{prefix}/api/v1", tags=[name])
    if not isinstance(pages, APIRouter):
        return []
    app.include_router(pages, prefix=prefix, include_in_schema=False)
    return [route.path for route in pages.routes if isinstance(route, Route)]


def _add_handlers(app: FastAPI) -> None:
    @app.exception_handler(GongshuError)
    def known(request: Request, error: GongshuError) -> Response:
        return answer_error(request, error)

    @app.exception_handler(RequestValidationError)
    def unreadable(request: Request, error: RequestValidationError) -> Response:
        return answer_error(request, invalid(error.errors()))

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        refused = getattr(request.state, "refused", None)
        if isinstance(refused, GongshuError):
            return answer_error(request, refused)
        if error.status_code in (404, 405):
            return answer_error(request, NotFound("request.absent", ABSENT, ABSENT_NEXT))
        fault = GongshuError(
            "request.refused",
            Words(f"请求没有被接受({error.status_code})。", f"The request was refused ({error.status_code})."),
        )
        return answer_error(request, fault, error.status_code)

    @app.exception_handler(Exception)
    def unknown(request: Request, error: Exception) -> Response:
        log_fault("portal.request.failed", error, request_id=getattr(request.state, "request_id", "internal"))
        return answer_error(request, GongshuError("platform.fault", FAULT, FAULT_NEXT))


def log_fault(event: str, error: Exception, **facts: str) -> None:
    """For engineers: what kind of fault and where. Never its message or variables: they may hold row data."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    log.error(event, kind=type(error).__name__, places=places, **facts)


def answer_error(request: Request, error: GongshuError, status: int | None = None) -> Response:
    """The envelope for JSON callers; a page in both languages' style for people; a login for strangers."""
    services: Services = request.app.state.services
    prefix = services.settings.portal_prefix
    request_id = getattr(request.state, "request_id", "internal")
    path = request.url.path
    if path.startswith((f"{prefix}/api/", "/internal/")):
        return JSONResponse(error.envelope(request_id), status or error.status)
    if isinstance(error, Unauthenticated) and request.method == "GET" and "oauth_callback" not in path:
        return RedirectResponse(login_path(request, prefix), 303)
    return _error_page(request, services, error, status or error.status)


def _error_page(request: Request, services: Services, error: GongshuError, status: int) -> Response:
    actor = _actor_or_nobody(request, services)
    try:
        with ExitStack() as stack:
            ctx = Context(request, services, stack)
            ctx.actor_or_none = actor
            return HTMLResponse(services.layout.render(ctx, "error.html", {"error": error, "status": status}), status)
    except Exception as fault:  # the last resort must not fail itself
        log_fault("portal.error_page.failed", fault)
        return PlainTextResponse(f"{error.message.zh}\n{error.message.en}\n", status)


def _actor_or_nobody(request: Request, services: Services) -> Actor | None:
    """Who asks, as far as that can be told now: the database may be what is down."""
    try:
        with ExitStack() as stack:
            return Context(request, services, stack).actor_or_none
    except GongshuError:
        return None
