"""PostgreSQL: the engine, the declarative base, naming of constraints.

PostgreSQL is the only dialect. Statements and locks have deadlines, so that a stuck database is a
refusal in seconds and never a hang. Sessions are opened by `gongshu.audit.UnitOfWork` for writes and
`reading` for reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, MetaData, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from gongshu.errors import Unavailable

Sessions = sessionmaker[Session]

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


def open_engine(url: str, *, pool_size: int = 8) -> Engine:
    """Open a pool whose connections give up in seconds (connect 2 s, lock 2 s, statement 30 s)."""
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=8,
        pool_timeout=2,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 2,
            "options": "-c lock_timeout=2000 -c statement_timeout=30000 -c timezone=UTC",
        },
    )


def open_sessions(engine: Engine) -> Sessions:
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def reading(sessions: Sessions) -> Iterator[Session]:
    """A session for reads. Raises Unavailable('database') when PostgreSQL is gone or too slow."""
    with naming_the_database(), sessions() as session:
        yield session


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
