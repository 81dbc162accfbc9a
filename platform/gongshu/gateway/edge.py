"""The edge of the gateway's gRPC: who calls, what the bytes hold, and how an error leaves.

Every call goes through here: token to principal, table walk, decode, session. It must never decode
bytes that the walk has not passed, nor believe what a client says of its user.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import grpc
import structlog
from google._upb import _message as upb
from google.protobuf.message import DecodeError, Message
from ulid import ULID

from gongshu.database import require_database
from gongshu.errors import GongshuError, Unauthenticated, Unavailable
from gongshu.gateway import wire
from gongshu.gateway.admission import MAX_PLAN_BYTES, too_much_local
from gongshu.gateway.asking import Asker
from gongshu.gateway.principal import BELIEVED_SECONDS, HubNames, Principal, language_in, principal_named, token_in
from gongshu.gateway.refusals import TOLD_IN_OUTCOME, SparkError, internal, tell
from gongshu.gateway.sessions import ClientSession, Registry

log = structlog.get_logger()
M = TypeVar("M", bound=Message)
# The walk has bounded the depth before anything is decoded; protobuf's own bound of 100 is below real notebooks.
upb.SetAllowOversizeProtos(True)
NOTED = ("gateway.protocol.", "gateway.function.", "gateway.artifact", "gateway.config.fixed", "engine.")
_caller: ContextVar[Principal | None] = ContextVar("caller", default=None)


class Context(Protocol):
    """What of gRPC's context the gateway uses."""

    def invocation_metadata(self) -> Sequence[tuple[str, str | bytes]] | None: ...
    def set_trailing_metadata(self, metadata: Sequence[tuple[str, str | bytes]]) -> None: ...
    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Sequence[tuple[str, str | bytes]] = ()
    ) -> None: ...


@dataclass(frozen=True)
class Call(Generic[M]):
    """One authenticated call. answered: what in the request only the gateway itself may answer."""

    principal: Principal
    session: ClientSession
    request: M
    answered: tuple[str, ...]

    def ids(self) -> dict[str, str]:
        """The session as the client knows it; every response carries it."""
        return {"session_id": self.session.client_id, "server_side_session_id": self.session.server_id}


class Edge:
    """Authenticates calls, opens their sessions, and notes what was refused before the policy could be asked."""

    def __init__(self, hub: HubNames, asker: Asker, registry: Registry) -> None:
        self.registry = registry
        self._hub = hub
        self._asker = asker
        self._known: dict[str, tuple[float, Principal]] = {}
        self._noted: dict[str, tuple[float, int]] = {}

    async def principal(self, context: Context) -> Principal:
        """Raises Unauthenticated, or Unavailable naming the Hub or the database."""
        name = await self._name_of(token_in(context.invocation_metadata() or ()))
        until, principal = self._known.get(name, (0.0, None))
        if principal is None or time.monotonic() >= until:
            principal = await asyncio.to_thread(principal_named, self._asker.sessions, name)
            self._known[name] = (time.monotonic() + BELIEVED_SECONDS, principal)
        _caller.set(principal)
        return principal

    async def _name_of(self, token: str) -> str:
        """The Hub stands on the same database: where both are silent, the database is what is named."""
        known = self._hub.believed(token)
        if known is not None:
            return known
        standing = asyncio.create_task(asyncio.to_thread(require_database, self._asker.sessions))
        try:
            return await self._hub.name_of(token)
        except Unavailable:
            await standing
            raise
        finally:
            standing.add_done_callback(_seen)

    async def enter(self, context: Context, data: bytes, kind: type[M]) -> Call[M]:
        """Authenticate, then walk, then decode, then open the session."""
        principal = await self.principal(context)
        request, answered = decode(data, kind)
        session_id: str = getattr(request, "session_id", "")
        return Call(principal, self.registry.open(principal.name, session_id), request, answered)

    async def fail(self, context: Context, error: BaseException) -> None:
        """End the call with the refusal; whatever is not a refusal of ours becomes one without details."""
        if not isinstance(error, GongshuError):
            log.exception("gateway.call.failed", exc_info=error)
            error = internal(error)
        await self._note(error)
        told = tell(error, language_in(context.invocation_metadata() or ()), str(ULID()))
        await context.abort(told.code, told.text, trailing_metadata=told.metadata)

    async def _note(self, error: GongshuError) -> None:
        """Refusals outside the policy get an entry; a flood of them one each second, with its count (13 §11)."""
        principal = _caller.get()
        if principal is None or isinstance(error, SparkError) or TOLD_IN_OUTCOME in getattr(error, "__notes__", ()):
            return
        if not error.code.startswith(NOTED):
            return
        last, held_back = self._noted.get(principal.name, (0.0, 0))
        if time.monotonic() - last < 1.0:
            self._noted[principal.name] = (last, held_back + 1)
            return
        self._noted[principal.name] = (time.monotonic(), 0)
        text = {"refused": error.message.en, "digest": hashlib.sha256(error.message.en.encode()).hexdigest()}
        try:
            await asyncio.to_thread(self._asker.refuse, principal, error.code, text, held_back)
        except (Unavailable, Unauthenticated) as fault:
            log.warning("gateway.refusal.not_logged", code=error.code, fault=fault.code)


def _seen(task: asyncio.Task[None]) -> None:
    """A check whose answer nobody waits for may fail unheard."""
    if not task.cancelled():
        task.exception()


def decode(data: bytes, kind: type[M]) -> tuple[M, tuple[str, ...]]:
    """Walk, then decode. Returns the message and what in it only the gateway may answer."""
    if len(data) > MAX_PLAN_BYTES:
        raise too_much_local()
    walk = wire.walk(data, wire.short_name(kind.DESCRIPTOR.full_name))
    try:
        return kind.FromString(data), walk.answered
    except DecodeError as error:
        raise wire.refuse("malformed", "请求无法解码", "The request cannot be decoded") from error


Unary = Callable[[Any, bytes, Context], Awaitable[M]]
Stream = Callable[[Any, bytes, Context], AsyncIterator[M]]


def answering(method: Unary[M]) -> Unary[M]:
    """Wrap a unary method of a service that has an `edge`, so that every error leaves as a refusal."""

    @functools.wraps(method)
    async def wrapped(self: Any, data: bytes, context: Context) -> M:
        try:
            return await method(self, data, context)
        except Exception as error:  # the edge: everything becomes a refusal
            await self.edge.fail(context, error)
            raise

    return wrapped


def streaming(method: Stream[M]) -> Stream[M]:
    """The same for a method that answers with a stream."""

    @functools.wraps(method)
    async def wrapped(self: Any, data: bytes, context: Context) -> AsyncIterator[M]:
        try:
            async for response in method(self, data, context):
                yield response
        except Exception as error:  # the edge: everything becomes a refusal
            await self.edge.fail(context, error)

    return wrapped
