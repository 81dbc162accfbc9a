"""Gives entries their index, under one lock, inside the caller's transaction.

Between here and the commit there is only SQL (document 13 §9): the lock is held for microseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gongshu.audit.entry import Entry
from gongshu.audit.models import LogBlob, LogEntry, LogHead, LogPayload
from gongshu.audit.vault import Vault
from gongshu.errors import Unavailable


@dataclass(frozen=True)
class Receipt:
    """Where an entry stands, once its transaction is committed."""

    index: int
    entry_id: str
    leaf_hash: str


def append(session: Session, vault: Vault, entries: Sequence[Entry]) -> list[Receipt]:
    """Append entries in order. Raises Unavailable('log') when the log has no head."""
    head = session.scalars(select(LogHead).with_for_update()).one_or_none()
    if head is None:
        raise Unavailable("log")
    first = head.size
    head.size = first + len(entries)
    receipts = []
    for offset, entry in enumerate(entries):
        _store(session, vault, first + offset, entry)
        receipts.append(Receipt(first + offset, entry.entry_id, entry.leaf_hash.hex()))
    session.flush()
    return receipts


def _store(session: Session, vault: Vault, index: int, entry: Entry) -> None:
    session.add(
        LogEntry(
            index=index,
            entry_id=entry.entry_id,
            event=entry.event,
            actor=entry.actor,
            organisation=entry.organisation,
            scenario=entry.scenario,
            time=entry.time,
            writer=entry.writer,
            data=entry.data,
            leaf_hash=entry.leaf_hash,
        )
    )
    session.flush()
    for part in entry.parts:
        sealed = vault.seal(part.text)
        session.add(
            LogPayload(
                index=index,
                name=part.name,
                audience=list(part.audience),
                salt=part.salt,
                ciphertext=sealed.ciphertext,
                wrapped_key=sealed.wrapped_key,
            )
        )


def keep_blob(session: Session, data: bytes, *, kind: str, label: str = "") -> str:
    """Keep bytes under their SHA-256 (idempotent) and return the digest, for an event to name."""
    digest = hashlib.sha256(data).hexdigest()
    statement = insert(LogBlob).values(sha256=digest, kind=kind, label=label, data=data).on_conflict_do_nothing()
    session.execute(statement)
    return digest
