"""One unit of work: a change of state and the entries that describe it, committed together or not at all.

Every verb that changes something takes the unit first and records its event in it. A unit that has
changed rows but recorded nothing refuses to commit: state and log cannot disagree.
"""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Self

from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.orm import ORMExecuteState, Session

from gongshu.audit.append import Receipt, append, keep_blob
from gongshu.audit.entry import Entry, seal
from gongshu.audit.event import Event, Value
from gongshu.audit.places import blob_path
from gongshu.audit.vault import Vault
from gongshu.clock import Clock
from gongshu.database import Sessions, naming_the_database


class UnrecordedChange(RuntimeError):
    """A verb changed rows without an event: a fault of ours, never of the person."""


class UnitOfWork:
    """A session for writes, with the entries that will be appended last before its commit.

    writer: the part that writes (portal, gateway, worker, setup); it stands in every entry.
    """

    def __init__(self, sessions: Sessions, *, writer: str, clock: Clock, vault: Vault) -> None:
        self._sessions = sessions
        self.writer = writer
        self.clock = clock
        self.vault = vault
        self.receipts: list[Receipt] = []
        self._entries: list[Entry] = []
        self._blobs: list[Value] = []
        self._changed: set[str] = set()

    def __enter__(self) -> Self:
        with naming_the_database():
            self.session: Session = self._sessions()
        sqlalchemy_event.listen(self.session, "before_flush", self._note_flush)
        sqlalchemy_event.listen(self.session, "do_orm_execute", self._note_execute)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with naming_the_database():
            self.session.close()

    def record(self, event: Event) -> str:
        """Add an event to this unit and return its ULID, under which the log will know it."""
        if "blobs" in event.public:
            raise ValueError("an event's public part may not say `blobs`: use keep_blob")
        if self._blobs:
            event = replace(event, public={**event.public, "blobs": self._blobs})
            self._blobs = []
        entry = seal(event, writer=self.writer, time=self.clock.now())
        self._entries.append(entry)
        return entry.entry_id

    def keep_blob(self, data: bytes, *, kind: str, label: str = "") -> str:
        """Keep bytes that anyone may see and return their SHA-256; the next event recorded names them.

        kind `policy-bundle` (label: revision) and `price-book` (label: version) have places of their own
        in the published log; the others lie under their digest.
        """
        digest = keep_blob(self.session, data, kind=kind, label=label)
        blob = {"sha256": digest, "kind": kind, "label": label}
        blob_path(blob)  # a label that could not be published is refused now
        self._blobs.append(blob)
        return digest

    def commit(self) -> list[Receipt]:
        """Append the recorded entries and commit. Raises Unavailable when database or log refuse."""
        with naming_the_database():
            self.session.flush()
            if self._blobs or (self._changed and not self._entries):
                raise UnrecordedChange(f"changed without an event: {', '.join(sorted(self._changed)) or 'blobs'}")
            if self._entries:
                receipts = append(self.session, self.vault, self._entries)
                self.session.commit()
                self.receipts.extend(receipts)
            else:
                self.session.commit()
            self._entries.clear()
            self._changed.clear()
        return self.receipts

    def rollback(self) -> None:
        with naming_the_database():
            self.session.rollback()
        self._entries.clear()
        self._blobs.clear()
        self._changed.clear()

    def _note_flush(self, session: Session, _context: object, _instances: object) -> None:
        changed = (*session.new, *session.deleted, *(row for row in session.dirty if session.is_modified(row)))
        self._changed |= {type(row).__name__ for row in changed if not getattr(row, "__unlogged__", False)}

    def _note_execute(self, state: ORMExecuteState) -> None:
        if not (state.is_insert or state.is_update or state.is_delete):
            return
        mapper = state.bind_mapper
        if mapper is None or not getattr(mapper.class_, "__unlogged__", False):
            self._changed.add(mapper.class_.__name__ if mapper else "rows")
