"""The publisher's sign of life: one lock that dies with its process, and a beat that stops when it hangs.

`audit_append` (migration 0002) looks at both; without them the log takes nothing. The watch decides
only who publishes; it must never say "running" before the publisher has verified the log.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

LOCK = 7_315_884  # the same number as in migration 0002
BEAT_SECONDS = 1.0
BEAT = text(
    "UPDATE audit_publisher SET state = :state, words = :words, beat_at = clock_timestamp(),"
    " behind_since = CASE WHEN :behind THEN coalesce(behind_since, clock_timestamp()) END WHERE id = 1"
)
log = structlog.get_logger()


class Standby(Exception):
    """Another publisher holds the lock."""


class Watch:
    """Holds the lock on a connection of its own and beats until it is left. `alive` turns false when either is lost."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._state, self._words, self._behind = "starting", "", False
        self._guard = threading.Lock()
        self._left = threading.Event()
        self.alive = False

    def __enter__(self) -> Self:
        """Take the lock and start to beat. Raises Standby, or SQLAlchemyError when the database is gone."""
        self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            if not self._connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}).scalar_one():
                raise Standby
            self._beat()
        except BaseException:
            self._drop()
            raise
        self.alive = True
        self._thread = threading.Thread(target=self._run, name="publisher-beat", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._thread.join()
        self._drop()

    def say(self, state: str, words: str = "", *, behind: bool = False) -> None:
        """Change what the beat says: starting, running, refused. behind: publication is failing."""
        with self._guard:
            if (state, words, behind) == (self._state, self._words, self._behind):
                return
            self._state, self._words, self._behind = state, words[:400], behind
            try:
                self._beat()
            except SQLAlchemyError:
                self.alive = False

    def _run(self) -> None:
        while self.alive and not self._left.wait(BEAT_SECONDS):
            try:
                with self._guard:
                    self._beat()
            except SQLAlchemyError as error:
                log.warning("log.publisher.lost_database", fault=type(error).__name__)
                self.alive = False

    def _beat(self) -> None:
        self._connection.execute(BEAT, {"state": self._state, "words": self._words, "behind": self._behind})

    def _drop(self) -> None:
        """Close for good: a pooled connection would keep the lock."""
        connection: Connection = self._connection
        connection.invalidate()
        connection.close()
