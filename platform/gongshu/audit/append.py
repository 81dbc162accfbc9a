"""Gives entries their index, under one lock, inside the caller's transaction.

Between here and the commit there is only SQL (document 13 §9): the lock is held for microseconds. The
database itself checks who may write what, and refuses when the publisher is gone (migration 0002).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from gongshu.audit.entry import Entry
from gongshu.audit.models import LogBlob
from gongshu.audit.vault import Vault
from gongshu.errors import Unavailable, Words

PUBLISHER_GONE, NOT_GRANTED = "GS001", "GS002"
LOCK_NOT_AVAILABLE, QUERY_CANCELED = "55P03", "57014"
APPEND = text(
    "SELECT audit_append(CAST(:entries AS bytea[]), CAST(:part_entry AS int[]), CAST(:part_name AS text[]),"
    " CAST(:part_audience AS text[]), CAST(:part_salt AS bytea[]), CAST(:part_ciphertext AS bytea[]),"
    " CAST(:part_key AS bytea[]))"
)


class EventNotGranted(RuntimeError):
    """A part tried to write an event that is not its to write: a fault of ours, or an intruder's."""


@dataclass(frozen=True)
class Receipt:
    """Where an entry stands, once its transaction is committed."""

    index: int
    entry_id: str
    leaf_hash: str


def append(session: Session, vault: Vault, entries: Sequence[Entry]) -> list[Receipt]:
    """Append entries in order. Raises Unavailable('log') when the log has no publisher or is too slow."""
    try:
        first = session.execute(APPEND, _columns(vault, entries)).scalar_one()
    except DBAPIError as error:
        raise _refusal(error) from error
    return [Receipt(first + offset, entry.entry_id, entry.leaf_hash.hex()) for offset, entry in enumerate(entries)]


def _columns(vault: Vault, entries: Sequence[Entry]) -> dict[str, list[object]]:
    parts = [(offset, part, vault.seal(part.text)) for offset, entry in enumerate(entries) for part in entry.parts]
    return {
        "entries": [entry.data for entry in entries],
        "part_entry": [offset for offset, _, _ in parts],
        "part_name": [part.name for _, part, _ in parts],
        "part_audience": [orjson.dumps(part.audience).decode() for _, part, _ in parts],
        "part_salt": [part.salt for _, part, _ in parts],
        "part_ciphertext": [sealed.ciphertext for _, _, sealed in parts],
        "part_key": [sealed.wrapped_key for _, _, sealed in parts],
    }


def _refusal(error: DBAPIError) -> Exception:
    state = getattr(error.orig, "sqlstate", None)
    if state == NOT_GRANTED:
        return EventNotGranted(str(error.orig))
    if state == PUBLISHER_GONE:
        return Unavailable("log", _why(str(error.orig).split("\n")[0]))
    if state in (LOCK_NOT_AVAILABLE, QUERY_CANCELED):
        return Unavailable("log")
    return error


def _why(said: str) -> Words:
    """The sentence for what audit_require_publisher said; a refusal carries its own, in both languages."""
    if said.startswith("publisher refused: "):
        zh, _, en = said.removeprefix("publisher refused: ").partition(" / ")
        return Words(zh, en or zh)
    if said.startswith("publisher starting"):
        return Words(
            "审计日志正在核对,核对完之前不接受写入。",
            "The audit log is being verified and takes nothing until that is done.",
        )
    return Words(
        "审计日志暂时写不进去,平台只能查看。没有记录,就不放行。",
        "The audit log cannot be written, so the platform is read-only: no record, no release.",
    )


def keep_blob(session: Session, data: bytes, *, kind: str, label: str = "") -> str:
    """Keep bytes that anyone may see under their SHA-256 (idempotent) and return the digest.

    Prefer `UnitOfWork.keep_blob`, which also makes the next event name the blob, so that the published
    log carries it.
    """
    digest = hashlib.sha256(data).hexdigest()
    statement = insert(LogBlob).values(sha256=digest, kind=kind, label=label, data=data).on_conflict_do_nothing()
    session.execute(statement)
    return digest
