"""Reading the log: finding entries, opening what a reader may see of them, and proving where they stand.

It decides who sees which private part: the regulators all, an organisation those whose audience names
it, others none. It never changes anything; who reads is logged by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from gongshu.audit.models import LogEntry, LogMention, LogPayload
from gongshu.audit.vault import SealedText, Vault
from gongshu.errors import NotFound, Words

LINKS = ("statement", "release", "invoice", "decision")  # what makes entries belong together


@dataclass(frozen=True)
class Viewer:
    """Who reads: an organisation's people, or a regulator (sees_all)."""

    organisation: str
    sees_all: bool = False


@dataclass(frozen=True)
class Search:
    """What is looked for; empty fields match everything. person: a pseudonym. event: a name or the beginning of one."""

    person: str = ""
    organisation: str = ""
    scenario: str = ""
    dataset: str = ""
    event: str = ""
    outcome: str = ""  # allowed, denied
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Found:
    """One entry: its row facts and what its hashed bytes say."""

    index: int
    leaf_hash: bytes
    data: bytes
    said: Mapping[str, Any]
    time: datetime
    allowed: bool | None

    @classmethod
    def of(cls, row: LogEntry) -> Found:
        return cls(row.index, row.leaf_hash, row.data, orjson.loads(row.data), row.time, row.allowed)


@dataclass(frozen=True)
class Part:
    """A private part as this reader sees it. state: shown, erased, withheld, damaged."""

    name: str
    state: str
    salt: str = ""
    text: str = ""

    @property
    def payload(self) -> Any:
        return orjson.loads(self.text) if self.state == "shown" else None

    def exported(self) -> dict[str, object]:
        """As in an export: salt and exact canonical text, or the reason why not."""
        return {"salt": self.salt, "payload": self.text} if self.state == "shown" else {self.state: True}


def search_entries(session: Session, viewer: Viewer, search: Search, *, offset: int, limit: int) -> list[Found]:
    """The newest entries first. A reader who is no regulator finds only the own organisation's."""
    query = _matching(select(LogEntry), viewer, search).order_by(LogEntry.index.desc()).offset(offset).limit(limit)
    return [Found.of(row) for row in session.scalars(query)]


def count_entries(session: Session, viewer: Viewer, search: Search) -> int:
    total: int = session.scalars(_matching(select(func.count()).select_from(LogEntry), viewer, search)).one()
    return total


def _matching(query: Select[Any], viewer: Viewer, search: Search) -> Select[Any]:
    if not viewer.sees_all:
        query = query.where(LogEntry.organisation == viewer.organisation)
    for column, wanted in (
        (LogEntry.actor, search.person),
        (LogEntry.organisation, search.organisation),
        (LogEntry.scenario, search.scenario),
    ):
        if wanted:
            query = query.where(column == wanted)
    if search.event:
        query = query.where(LogEntry.event.startswith(search.event, autoescape=True))
    if search.outcome in ("allowed", "denied"):
        query = query.where(LogEntry.allowed.is_(search.outcome == "allowed"))
    if search.since:
        query = query.where(LogEntry.time >= search.since)
    if search.until:
        query = query.where(LogEntry.time < search.until)
    if search.dataset:
        mentioned = select(LogMention.index).where(LogMention.kind == "dataset", LogMention.value == search.dataset)
        query = query.where(LogEntry.index.in_(mentioned))
    return query


def find_entry(session: Session, viewer: Viewer, index: int) -> Found:
    """One entry. Raises NotFound, also for another organisation's."""
    row = session.get(LogEntry, index)
    if row is None or not (viewer.sees_all or row.organisation == viewer.organisation):
        raise NotFound(
            "log.entry.absent",
            Words(f"日志里没有您可以查看的第 {index} 条。", f"The log holds no entry {index} that you may see."),
            Words("请核对序号,或在审计日志中查找", "Check the number, or search the log"),
        )
    return Found.of(row)


def related_entries(session: Session, viewer: Viewer, found: Found) -> list[Found]:
    """Entries about the same statement, release, invoice or decision, oldest first; at most 20."""
    public = found.said["public"]
    indices: set[int] = set()
    for kind in LINKS:
        if isinstance(value := public.get(kind), str):
            same = select(LogMention.index).where(LogMention.kind == kind, LogMention.value == value).limit(50)
            indices |= set(session.scalars(same))
    query = select(LogEntry).where(LogEntry.index.in_(indices - {found.index})).order_by(LogEntry.index).limit(20)
    if not viewer.sees_all:
        query = query.where(LogEntry.organisation == viewer.organisation)
    return [Found.of(row) for row in session.scalars(query)]


def open_parts(session: Session, vault: Vault, viewer: Viewer, indices: Sequence[int]) -> dict[int, list[Part]]:
    """The private parts of entries as the reader may see them, by index."""
    rows = session.scalars(select(LogPayload).where(LogPayload.index.in_(indices)).order_by(LogPayload.name))
    parts: dict[int, list[Part]] = {}
    for row in rows:
        parts.setdefault(row.index, []).append(_open(vault, viewer, row))
    return parts


def _open(vault: Vault, viewer: Viewer, row: LogPayload) -> Part:
    if row.wrapped_key is None:
        return Part(row.name, "erased")
    if not (viewer.sees_all or viewer.organisation in row.audience):
        return Part(row.name, "withheld")
    try:
        text = vault.open(SealedText(row.ciphertext, row.wrapped_key))
    except InvalidTag:
        return Part(row.name, "damaged")
    return Part(row.name, "shown", row.salt.hex(), text.decode())
