"""The edge: who asks, in which language, with which unit of work. Only the edge commits.

Handlers are plain functions:

    @pages.post("/datasets/{name}/versions/{number}/sign-off")
    def sign_off(ctx: Ctx, name: str, number: int, form: Form) -> Response:
        catalogue.sign_off(ctx.work, ctx.actor, name, number)
        ctx.commit()
        return ctx.redirect(f"/datasets/{name}")

`Ctx` needs a logged-in person; `Public` takes anyone (`ctx.actor_or_none`); `Sandbox` needs a
sandbox's token and knows its scenario. A sandbox's token is refused everywhere else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends
from minio import Minio
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gongshu.audit import Receipt, UnitOfWork, Vault
from gongshu.clock import Clock
from gongshu.database import Sessions, reading
from gongshu.errors import Denied, NotFound, Unauthenticated, Words
from gongshu.identity import Actor, Role, find_actor, require_role
from gongshu.policy import Opa
from gongshu.portal.hub import Hub
from gongshu.portal.layout import Layout
from gongshu.portal.session import cookie_name, find_session
from gongshu.settings import Settings

NOT_LOGGED_IN = Words("您还没有登录,或登录已结束。", "You are not logged in, or the login has ended.")
LOG_IN = Words("请登录后重试", "Log in and try again")


@dataclass(frozen=True)
class Services:
    """What the portal process holds once; every request's context is made from it."""

    settings: Settings
    clock: Clock
    sessions: Sessions
    vault: Vault
    opa: Opa
    store: Minio
    hub: Hub
    layout: Layout


class Context:
    """One request: its person, its unit of work, its way to answer."""

    def __init__(self, request: Request, services: Services, stack: ExitStack) -> None:
        self.request = request
        self.services = services
        self.settings = services.settings
        self.clock = services.clock
        self.opa = services.opa
        self.store = services.store
        self.now: datetime = services.clock.now()
        self.language: str = getattr(request.state, "language", "zh")  # the internal app has no edge
        self.scenario = ""
        self._stack = stack

    @cached_property
    def session(self) -> Session:
        """A session for reading; it is never committed."""
        return self._stack.enter_context(reading(self.services.sessions))

    @cached_property
    def work(self) -> UnitOfWork:
        """The one unit of work of this request."""
        services = self.services
        unit = UnitOfWork(services.sessions, writer=self.settings.part, clock=self.clock, vault=services.vault)
        return self._stack.enter_context(unit)

    @cached_property
    def actor_or_none(self) -> Actor | None:
        """The person of the session cookie."""
        opaque = self.request.cookies.get(cookie_name(self.settings.secure_cookies))
        return find_session(self.session, opaque, self.now) if opaque else None

    @cached_property
    def actor(self) -> Actor:
        """Who asks. Raises Unauthenticated."""
        if self.actor_or_none is None:
            raise Unauthenticated("session.none", NOT_LOGGED_IN, LOG_IN)
        return self.actor_or_none

    def require(self, role: Role, organisation: str | None = None, *, duty: str | None = None) -> None:
        """Raise Denied unless the person holds the role."""
        require_role(self.actor, role, organisation, duty=duty)

    def commit(self) -> list[Receipt]:
        """Commit the unit: entries appended last, then everything at once. Returns the receipts."""
        receipts = self.work.commit()
        self.session.expire_all()
        return receipts

    def render(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page, in the person's language. template: path below templates/."""
        return HTMLResponse(self.services.layout.render(self, template, values), status)

    def redirect(self, path: str) -> Response:
        """Go to one of our own pages after a write (303). path: without prefix, begins with '/'."""
        if not path.startswith("/") or path.startswith("//"):
            raise ValueError("redirects stay on this portal")
        return RedirectResponse(self.settings.portal_prefix + path, 303)


def services_of(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


def public_context(request: Request) -> Iterator[Context]:
    """Anyone, logged in or not."""
    with ExitStack() as stack:
        yield Context(request, services_of(request), stack)


def context(request: Request) -> Iterator[Context]:
    """A logged-in person. Raises Unauthenticated, and Denied for a sandbox's token."""
    with ExitStack() as stack:
        ctx = Context(request, services_of(request), stack)
        if "authorization" in request.headers:
            raise Denied(
                "session.token.not_here",
                Words("沙箱的凭证不能办理这一步。", "A sandbox's token cannot do this."),
                Words("请在门户中由本人办理", "Do it yourself in the portal"),
            )
        _ = ctx.actor
        yield ctx


def sandbox_context(request: Request) -> Iterator[Context]:
    """A sandbox: its token names a person and a scenario (Hub user ``<person>--<scenario>``)."""
    with ExitStack() as stack:
        ctx = Context(request, services_of(request), stack)
        scheme, _space, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "token") or not token:
            raise Unauthenticated("session.none", NOT_LOGGED_IN, LOG_IN)
        person, _dashes, scenario = ctx.services.hub.name_for_token(token).partition("--")
        if not scenario:
            raise Unauthenticated("session.none", NOT_LOGGED_IN, LOG_IN)
        try:
            ctx.actor_or_none = find_actor(ctx.session, person)
        except NotFound as error:
            raise Unauthenticated("session.none", NOT_LOGGED_IN, LOG_IN) from error
        ctx.scenario = scenario
        yield ctx


async def read_form(request: Request) -> AsyncIterator[FormData]:
    """The posted form, for handlers that are plain functions; its files are closed after the answer."""
    async with request.form(max_files=4, max_fields=4000) as form:
        yield form


Ctx = Annotated[Context, Depends(context)]
Public = Annotated[Context, Depends(public_context)]
Sandbox = Annotated[Context, Depends(sandbox_context)]
Form = Annotated[FormData, Depends(read_form)]
