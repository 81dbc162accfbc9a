"""PostgreSQL: the engine, the declarative base, naming of constraints.

PostgreSQL is the only dialect. Statements and locks have deadlines, so that a stuck database is a
refusal in seconds and never a hang. Sessions are opened by `gongshu.audit.UnitOfWork` for writes and
`reading` for reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Engine, MetaData, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from gongshu.errors import Unavailable

Sessions = sessionmaker[Session]
RV = TypeVar("RV")
ANSWER_SECONDS = 5.0

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every room's models; each room's tables carry the room's name as prefix."""

    metadata = MetaData(naming_convention=CONVENTION)


class Punctual(psycopg.Connection[Any]):
    """A connection that waits for the server only so long, and is closed after that.

    The server's own time-outs do not help when the server itself hangs (stopped, swapping, a dead disk).
    What it was doing when the connection was given up may still happen: the caller must not assume either.
    """

    answer_seconds = ANSWER_SECONDS

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """As psycopg's; raises Unavailable('database') when the answer does not come in time."""
        try:
            return super().wait(gen, interval, timeout or self.answer_seconds)
        except psycopg.errors._WaitTimeout as error:
            self.pgconn.finish()
            raise Unavailable("database") from error


def open_engine(url: str, *, pool_size: int = 8, answer_seconds: float = ANSWER_SECONDS) -> Engine:
    """Open a pool whose connections give up in seconds: connect 2 s, any answer `answer_seconds`, locks before that."""
    within_ms = int(answer_seconds * 900)
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=8,
        pool_timeout=2,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 2,
            "options": f"-c lock_timeout={min(within_ms, 2000)} -c statement_timeout={within_ms} -c timezone=UTC",
        },
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, places: list[Any], named: dict[str, Any]) -> Punctual:
        connection = Punctual.connect(*places, **named)
        connection.answer_seconds = answer_seconds
        return connection

    return engine


def open_sessions(engine: Engine) -> Sessions:
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def reading(sessions: Sessions) -> Iterator[Session]:
    """A session for reads. Raises Unavailable('database') when PostgreSQL is gone or too slow."""
    with naming_the_database(), sessions() as session:
        yield session


def require_database(sessions: Sessions) -> None:
    """Raises Unavailable('database') unless PostgreSQL answers."""
    with reading(sessions) as session:
        session.execute(text("SELECT 1"))


@contextmanager
def naming_the_database() -> Iterator[None]:
    """Turn a lost or stuck database into the refusal that names it."""
    try:
        yield
    except (OperationalError, PoolTimeout) as error:
        raise Unavailable("database") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("database") from error
        raise
