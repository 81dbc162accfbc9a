"""Closes what an earlier life of this gateway left open: intents without outcome become `unknown`, billed at nothing.

It touches only statements of its own instance, and only while it alone holds the instance's lock, so that a
second gateway is never taken for a dead one.
"""

from __future__ import annotations

import hashlib
import time

import structlog
from sqlalchemy import Connection, Engine, text

from gongshu.database import naming_the_database, reading
from gongshu.errors import Conflict, Words
from gongshu.gateway import journal
from gongshu.gateway.asking import Asker

log = structlog.get_logger()


def hold_instance(engine: Engine, instance: str, patience_seconds: float = 15.0) -> Connection:
    """Take the instance's lock for the life of the connection. Raises Conflict when another process holds it."""
    number = int.from_bytes(hashlib.sha256(f"gongshu gateway {instance}".encode()).digest()[:8], "big", signed=True)
    deadline = time.monotonic() + patience_seconds
    with naming_the_database():
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}):
            if time.monotonic() > deadline:
                connection.close()
                raise Conflict(
                    "gateway.instance.running",
                    Words(f"网关 {instance} 已在运行", f"The gateway {instance} is running already"),
                    Words("先停止它,或换一个实例名", "Stop it first, or use another instance name"),
                )
            time.sleep(0.2)
    return connection


def recover(asker: Asker) -> int:
    """Close open statements of this instance as `unknown`. Returns how many."""
    with reading(asker.sessions) as session:
        left = list(journal.open_statements(session, asker.instance))
    for statement in left:
        asker.close(statement, journal.Outcome(status="unknown", reason="gateway.restarted"))
    if left:
        log.warning("gateway.recovered", statements=len(left))
    return len(left)
