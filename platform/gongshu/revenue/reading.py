"""Reads metered entries of the log, once each, and keeps the usage lines derived from them.

Entries never change, so what was read stays true; only new ones are read. It never looks at any other
private part than `usage`.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from threading import Lock

import orjson
from cryptography.exceptions import InvalidTag
from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.audit import Vault
from gongshu.audit.models import LogEntry, LogHead, LogPayload
from gongshu.audit.vault import SealedText
from gongshu.database import Sessions
from gongshu.errors import Unavailable
from gongshu.revenue.usage import METERED_EVENTS, LogFact, UsageLine, usage_lines


class UsageReader:
    """The usage lines of the whole log, in order; one per process."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._lines: list[UsageLine] = []
        self._size = 0
        self._lock = Lock()

    def read(self, session: Session, log_size: int | None = None) -> list[UsageLine]:
        """Lines of entries before `log_size` (default: all committed). Raises Unavailable('log') for a damaged part."""
        size = self.log_size(session) if log_size is None else log_size
        with self._lock:
            if size > self._size:
                self._lines.extend(usage_lines(self._facts(session, self._size, size)))
                self._size = size
            return self._lines[: bisect_left(self._lines, size, key=lambda line: line.index)]

    @staticmethod
    def log_size(session: Session) -> int:
        """How many entries are committed."""
        return session.scalar(select(LogHead.size)) or 0

    def _facts(self, session: Session, first: int, end: int) -> list[LogFact]:
        query = (
            select(LogEntry.index, LogEntry.data, LogPayload)
            .join(LogPayload, (LogPayload.index == LogEntry.index) & (LogPayload.name == "usage"))
            .where(LogEntry.index >= first, LogEntry.index < end, LogEntry.event.in_(METERED_EVENTS))
            .order_by(LogEntry.index)
        )
        return [LogFact(index, orjson.loads(data), self._open(part)) for index, data, part in session.execute(query)]

    def _open(self, part: LogPayload) -> dict[str, object]:
        if part.wrapped_key is None:
            raise Unavailable("log")  # an erased usage part cannot be billed; nothing is guessed
        try:
            opened: dict[str, object] = orjson.loads(self._vault.open(SealedText(part.ciphertext, part.wrapped_key)))
        except InvalidTag as error:
            raise Unavailable("log") from error
        return opened


@lru_cache(maxsize=2)
def reader_for(vault: Vault, sessions: Sessions) -> UsageReader:
    """The process's one reader of that database."""
    assert sessions is not None
    return UsageReader(vault)
