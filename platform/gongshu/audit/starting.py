"""Each start of a part is an entry of the log: whoever reads it sees when the platform itself was away.

It never delays a part's start and never stops it: the entry is written beside, as soon as the log takes it.
"""

from __future__ import annotations

import threading

import structlog

from gongshu.audit.event import Event, EventType
from gongshu.audit.vault import Vault
from gongshu.audit.work import UnitOfWork
from gongshu.clock import SystemClock
from gongshu.database import open_engine, open_sessions
from gongshu.errors import Unavailable
from gongshu.settings import Settings

RETRY_SECONDS = 2.0
TRIES = 150  # five minutes
log = structlog.get_logger()


def announce_start(settings: Settings) -> None:
    """Log that this part has started, in a thread of its own."""
    threading.Thread(target=_announce, args=(settings,), name="announce-start", daemon=True).start()


def _announce(settings: Settings) -> None:
    if settings.database is None or settings.payload_key_file is None:
        return
    engine = open_engine(settings.database.url, pool_size=1)
    sessions, vault = open_sessions(engine), Vault.from_file(settings.payload_key_file)
    for _ in range(TRIES):
        try:
            with UnitOfWork(sessions, writer=settings.part, clock=SystemClock(), vault=vault) as work:
                public = {"part": settings.part}
                work.record(Event(EventType.PART_STARTED, actor=f"system:{settings.part}", public=public))
                work.commit()
            break
        except Unavailable:
            threading.Event().wait(RETRY_SECONDS)
    else:
        log.error("platform.start.unlogged", part=settings.part)
    engine.dispose()
