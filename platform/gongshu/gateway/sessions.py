"""Sessions of clients, each bound to the one principal that opened it, and what they hold between statements.

A client's session, operation and view names mean something only under its own principal's name: the same
id sent by another principal is another session. Nothing here is shared with Spark except ids of ours.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field

from gongshu.errors import Conflict, TooLarge, Words
from gongshu.gateway import wire
from gongshu.gateway.engine import SecuredPlan, SessionKey, ViewPlan
from gongshu.gateway.operation import Operation

Names = tuple[tuple[str, ...], ...]
CLIENT_ID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
MAX_SESSIONS_PER_PRINCIPAL = 16
MAX_VIEWS = 200
MAX_REMEMBERED = 32
MAX_ARTIFACT_BYTES = 128 << 20
IDLE_SECONDS = 8 * 3600


@dataclass(frozen=True)
class StoredView:
    """A temporary view: its plan for the engine, the datasets it reaches and the names it reaches them by."""

    name: str
    view: ViewPlan
    names: dict[tuple[str, ...], str]


@dataclass(frozen=True)
class Prepared:
    """A plan secured for its schema, to be run if it comes again governed in the very same way."""

    secured: SecuredPlan
    until: float


@dataclass
class ClientSession:
    principal_name: str
    client_id: str
    key: SessionKey
    server_id: str
    views: dict[str, StoredView] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    artifacts: OrderedDict[str, bytes] = field(default_factory=OrderedDict)
    chosen_conf: dict[str, str] = field(default_factory=dict)
    database: str = "default"
    described: OrderedDict[bytes, Names] = field(default_factory=OrderedDict)
    prepared: dict[bytes, Prepared] = field(default_factory=dict)
    used_at: float = field(default_factory=time.monotonic)

    def remember_names(self, plan: bytes, names: Names) -> None:
        """What a plan names depends on nothing but the plan: a notebook says the same one several times in a row."""
        self.described[plan] = names
        while len(self.described) > MAX_REMEMBERED:
            self.described.popitem(last=False)

    def find_artifact(self, digest: str) -> bytes | None:
        return self.artifacts.get(digest)

    def keep_artifact(self, digest: str, data: bytes) -> None:
        """Keep local data under its own digest. Raises TooLarge when the session holds too much."""
        if hashlib.sha256(data).hexdigest() != digest:
            raise wire.refuse("artifact", "本地数据与其摘要不符", "The local data does not match its digest")
        if sum(map(len, self.artifacts.values())) + len(data) > MAX_ARTIFACT_BYTES:
            raise TooLarge(
                "gateway.local_data.session",
                Words("这个会话里的本地数据已满", "This session holds too much local data"),
                Words("重启内核后再试,或先在 pandas 里汇总", "Restart the kernel, or aggregate in pandas first"),
            )
        self.artifacts[digest] = data

    def keep_view(self, view: StoredView, *, replace: bool) -> None:
        if view.name in self.views and not replace:
            raise Conflict(
                "gateway.view.exists",
                Words(f"临时视图 {view.name} 已存在", f"The temporary view {view.name} exists already"),
                Words("换一个名称,或用 createOrReplaceTempView", "Choose another name, or use createOrReplaceTempView"),
            )
        if len(self.views) >= MAX_VIEWS:
            raise TooLarge(
                "gateway.view.too_many",
                Words(f"一个会话最多 {MAX_VIEWS} 个临时视图", f"At most {MAX_VIEWS} temporary views in a session"),
                Words("删去不用的视图", "Drop views that are not needed"),
            )
        self.views[view.name] = view

    @property
    def idle(self) -> bool:
        return not any(operation.running for operation in self.operations.values())


class Registry:
    """All sessions of this gateway."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._sessions: dict[tuple[str, str], ClientSession] = {}

    def open(self, principal_name: str, client_id: str) -> ClientSession:
        """The principal's session of that id, opened when it is new. Raises Invalid, TooLarge."""
        if not CLIENT_ID.match(client_id):
            raise wire.refuse("session", "会话编号的格式不对", "The session id has the wrong form")
        found = self._sessions.get((principal_name, client_id))
        if found is None:
            found = self._new(principal_name, client_id)
        found.used_at = time.monotonic()
        return found

    def find(self, principal_name: str, client_id: str) -> ClientSession | None:
        return self._sessions.get((principal_name, client_id))

    def close(self, session: ClientSession) -> None:
        self._sessions.pop((session.principal_name, session.client_id), None)

    def all(self) -> list[ClientSession]:
        return list(self._sessions.values())

    def long_idle(self) -> list[ClientSession]:
        oldest = time.monotonic() - IDLE_SECONDS
        return [session for session in self.all() if session.idle and session.used_at < oldest]

    def _new(self, principal_name: str, client_id: str) -> ClientSession:
        own = [session for session in self.all() if session.principal_name == principal_name]
        if len(own) >= MAX_SESSIONS_PER_PRINCIPAL:
            quiet = min((session for session in own if session.idle), key=lambda one: one.used_at, default=None)
            if quiet is None:
                raise TooLarge(
                    "gateway.session.too_many",
                    Words("同时打开的会话太多", "Too many sessions are open"),
                    Words("关闭不用的内核", "Shut down kernels that are not needed"),
                )
            self.close(quiet)
        # The engine's ids are derived with a secret of this process: nobody can name another's session in Spark.
        digest = hmac.digest(self._secret, f"{principal_name}|{client_id}".encode(), hashlib.sha256)
        # The user part is the person's: Spark's fair pools go by it, however many kernels one has open.
        person = hmac.digest(self._secret, principal_name.partition("--")[0].encode(), hashlib.sha256)
        key = SessionKey(f"g-{person[:8].hex()}", str(uuid.UUID(bytes=digest[8:24], version=4)))
        # Stable across restarts of the gateway, so that a kernel goes on with its session.
        server_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"gongshu|{principal_name}|{client_id}"))
        session = ClientSession(principal_name, client_id, key, server_id)
        self._sessions[(principal_name, client_id)] = session
        return session
