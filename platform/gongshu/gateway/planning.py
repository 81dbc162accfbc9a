"""When a plan is secured: while its intent is made durable, or not again when it has just been secured for its schema.

It decides only the moment. What a plan may become was decided by the policy before; nothing is run here, and a
plan that runs jobs while it is planned waits for its intent like everything else.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from gongshu.gateway.asking import Allowed
from gongshu.gateway.engine import Engine, SecuredPlan, SecuredRelation, ViewPlan
from gongshu.gateway.engine.wire import statement_request
from gongshu.gateway.sessions import ClientSession, Prepared

KEPT_SECONDS = 20.0  # shorter than a handle lives in the driver
MAX_KEPT = 4


@dataclass(eq=False)
class Planning:
    """The securing of one statement. As a context: what was secured in vain is forgotten.

    early: whether it may begin before the intent is durable (planning reads nothing).
    """

    engine: Engine
    pool: ThreadPoolExecutor
    session: ClientSession
    plan: bytes
    views: tuple[ViewPlan, ...]
    early: bool
    _digest: bytes = field(default=b"", init=False)
    _future: Future[SecuredPlan] | None = field(default=None, init=False)

    def start(self, allowed: Allowed) -> None:
        """Begin as soon as the decision is known, unless planning itself would read data."""
        if self.early:
            self._future = self.pool.submit(self._secure, allowed.relations)

    def result(self, relations: Sequence[SecuredRelation]) -> SecuredPlan:
        """The secured plan. Raises EngineRefusal, StatementFailed, Unavailable."""
        return self._secure(relations) if self._future is None else self._future.result()

    def keep(self, secured: SecuredPlan) -> None:
        """Keep a plan that was secured only to be told about: often it is run next."""
        kept = self.session.prepared
        if not self.early:
            self.engine.forget_handle(secured.handle)
            return
        kept[self._digest] = Prepared(secured, time.monotonic() + KEPT_SECONDS)
        while len(kept) > MAX_KEPT:
            oldest = kept.pop(next(iter(kept)), None)
            if oldest is not None:
                self.engine.forget_handle(oldest.secured.handle)

    def _secure(self, relations: Sequence[SecuredRelation]) -> SecuredPlan:
        governed = json.dumps(statement_request(relations, self.views), sort_keys=True)
        self._digest = hashlib.sha256(self.plan + b"\0" + governed.encode()).digest()
        prepared = self.session.prepared.pop(self._digest, None)
        if prepared is not None and time.monotonic() < prepared.until:
            return prepared.secured
        return self.engine.secure(self.session.key, self.plan, relations, self.views)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self._future is not None:
            self._future.add_done_callback(self._forget)

    def _forget(self, future: Future[SecuredPlan]) -> None:
        if future.exception() is None:
            self.engine.forget_handle(future.result().handle)
