"""One running statement and its responses, which a client may take, lose and take up again.

Responses are kept until the client releases them. The last response with data waits behind a gate:
it leaves only after the statement's outcome is durable. Nothing here knows what a response means.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from pyspark.sql.connect import proto

from gongshu.errors import GongshuError, Words
from gongshu.gateway.refusals import HandleError

MAX_AHEAD_BYTES = 32 << 20
MAX_KEPT_BYTES = 48 << 20
Settle = Callable[[str], Awaitable[None]]


@dataclass
class Kept:
    response: proto.ExecutePlanResponse
    size: int
    gated: bool = False


@dataclass
class Operation:
    """client_id: the client's operation id; engine_id: ours, the only one Spark sees."""

    client_id: str
    tags: frozenset[str]
    reattachable: bool
    engine_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    statement: str | None = None
    task: asyncio.Task[None] | None = None
    settle: Settle | None = None
    error: GongshuError | None = None
    complete: bool = False
    cancelled: str = ""
    withdrawn: bool = False
    delivered_rows: int = 0
    delivered_bytes: int = 0
    delivered: int = 0
    detached_at: float | None = None
    receipts: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._kept: deque[Kept] = deque()
        self._positions: dict[str, int] = {}
        self._first = 0  # position of the first kept response
        self._changed = asyncio.Condition()
        self._taker: object | None = None
        self._given = 0  # position behind the last response that was handed out

    @property
    def running(self) -> bool:
        return not self.complete and self.error is None

    async def put(self, response: proto.ExecutePlanResponse, *, gated: bool = False) -> None:
        """Add a response; waits while the client is too far behind."""
        response.response_id = str(uuid.uuid4())
        async with self._changed:
            self._positions[response.response_id] = self._first + len(self._kept)
            self._kept.append(Kept(response, response.ByteSize(), gated))
            self._changed.notify_all()
            while self._ahead_bytes() > MAX_AHEAD_BYTES and not self.cancelled:
                await self._changed.wait()

    async def finish(self, error: GongshuError | None = None) -> None:
        """No more responses will come."""
        async with self._changed:
            self.complete = error is None
            self.error = error
            self._changed.notify_all()

    async def withdraw(self, error: GongshuError) -> None:
        """Give nothing more, not even what is ready: whoever takes or takes up again is told why."""
        async with self._changed:
            self._first += len(self._kept)
            self._kept.clear()
            self.withdrawn, self.complete = True, False
            self.error = error
            self._changed.notify_all()

    async def wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def take(self, after: str | None) -> AsyncIterator[proto.ExecutePlanResponse]:
        """Responses behind the one named, as they come. A new taker ends the earlier one."""
        position = self._position_behind(after)
        me = self._taker = object()
        self.detached_at = None
        await self.wake()
        while True:
            kept = await self._next(position, me)
            if kept is None:
                return
            if kept.gated and self.settle is not None:
                await self.settle("finished")
            position += 1
            if position > self._given:
                self._given = position
                self._count(kept.response)
            yield kept.response

    def release(self, until: str | None) -> None:
        """Forget responses up to and including the one named, or all."""
        last = self._positions.get(until, -1) if until is not None else self._given - 1
        while self._kept and self._first <= min(last, self._given - 1):
            self._kept.popleft()
            self._first += 1

    def detach(self) -> None:
        """The client's stream ended before the statement did."""
        self.detached_at = time.monotonic()

    async def _next(self, position: int, me: object) -> Kept | None:
        async with self._changed:
            while True:
                if self._taker is not me:
                    raise HandleError(
                        "INVALID_CURSOR.DISCONNECTED", Words("已由新的连接接管", "Another connection took over")
                    )
                if self.withdrawn and self.error is not None:
                    raise self.error
                if position < self._first + len(self._kept):
                    self._shrink()
                    if position < self._first:
                        raise HandleError(
                            "INVALID_CURSOR.POSITION_NOT_AVAILABLE",
                            Words("结果已不再保留", "The result is kept no longer"),
                        )
                    self._changed.notify_all()
                    return self._kept[position - self._first]
                if self.error is not None:
                    raise self.error
                if self.complete:
                    return None
                await self._changed.wait()

    def _position_behind(self, response_id: str | None) -> int:
        if not response_id:
            if self._first:
                raise HandleError(
                    "INVALID_CURSOR.POSITION_NOT_AVAILABLE", Words("结果已不再保留", "The result is kept no longer")
                )
            return 0
        if response_id not in self._positions:
            raise HandleError("INVALID_CURSOR.POSITION_NOT_FOUND", Words("没有这个位置", "There is no such position"))
        return self._positions[response_id] + 1

    def _ahead_bytes(self) -> int:
        return sum(kept.size for kept in list(self._kept)[max(0, self._given - self._first) :])

    def _shrink(self) -> None:
        """Responses that were handed out are kept for a broken connection, but not without bound."""
        behind = list(self._kept)[: max(0, self._given - self._first)]
        excess = sum(kept.size for kept in behind) - MAX_KEPT_BYTES
        for kept in behind[:-1]:
            if excess <= 0:
                break
            excess -= kept.size
            self._kept.popleft()
            self._first += 1

    def _count(self, response: proto.ExecutePlanResponse) -> None:
        if response.HasField("arrow_batch"):
            self.delivered += 1
            self.delivered_bytes += len(response.arrow_batch.data)
            if response.arrow_batch.chunk_index == 0:
                self.delivered_rows += response.arrow_batch.row_count
