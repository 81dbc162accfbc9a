"""Turns durable rows into the published log: tiles, a signed checkpoint, nothing else.

It decides when a root may be signed: only after it was computed from the rows, computed again from the
tiles as they lie in the store, and found to extend the last published checkpoint. It never signs what it
cannot derive, never repairs a row, and never forks: a database that is older than the published log is
refused with a sentence.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gongshu.audit.models import LogBlob, LogCheckpoint, LogEntry, LogHead
from gongshu.audit.note import Checkpoint, Signer, read_checkpoint
from gongshu.audit.places import blob_path, named_blobs, seal_path, seal_signature_path
from gongshu.audit.second_seal import SecondSeal
from gongshu.audit.store import LogStore
from gongshu.audit.tiles import ENTRIES, WIDTH, TileGrower, TileReader, bundle, tile_path
from gongshu.audit.tree import leaf_hash
from gongshu.clock import Clock
from gongshu.database import Sessions, reading
from gongshu.errors import GongshuError, Words

CHUNK = 2048  # rows at a time; a multiple of WIDTH, so that a chunk ends with a full bundle
log = structlog.get_logger()


class LogRefused(GongshuError):
    """What is durable and what is published cannot both be true: nothing is signed."""

    status = 503


class Row(NamedTuple):
    number: int
    data: bytes


class Publisher:
    """One log's writer of tiles and checkpoints. Not for two threads."""

    def __init__(
        self,
        sessions: Sessions,
        store: LogStore,
        signer: Signer,
        clock: Clock,
        seal: SecondSeal | None = None,
        *,
        require_lock: bool = False,
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._signer = signer
        self._clock = clock
        self._seal = seal
        self._seal_pinned = False
        self._require_lock = require_lock
        self._tiles = TileGrower()
        self._pending: dict[str, bytes] = {}
        self._published = Checkpoint(signer.origin, -1, b"")

    @property
    def size(self) -> int:
        """The size of the last published checkpoint; -1 before the first."""
        return self._published.size

    def open(self) -> None:
        """Derive everything from the rows and compare with what is published. Raises LogRefused, Unavailable."""
        if self._require_lock and not self._store.is_locked():
            raise _refused("存储没有开启写入锁定", "the store does not lock what is written")
        note = self._store.get("checkpoint")
        with reading(self._sessions) as session:
            known = session.scalars(select(func.max(LogCheckpoint.size))).one()
            if note is None and known is None:
                return
            published = self._read(note)
            if known is not None and known > published.size:
                raise _refused(f"存储里的检查点比已签署的旧({known} 条)", f"the store lost the checkpoint of {known}")
            held = session.scalars(select(LogHead.size)).one()
            if held < published.size:
                raise _refused(
                    f"数据库恢复到了旧状态,只有 {held} 条,已发布 {published.size} 条",
                    f"the database was restored to an older state: {held} entries, {published.size} are published",
                )
            for row in _rows(session, 0, published.size):
                self._grow(row)
            self._tiles.take_completed()
            if self._tiles.frontier.root() != published.root:
                raise _refused("数据库的条目与已发布的日志不同", "the database's entries differ from the published log")
            self._remember(session, published, note or b"")
        self._published = published

    def _read(self, note: bytes | None) -> Checkpoint:
        try:
            return read_checkpoint(note or b"", self._signer.verifier)
        except ValueError as error:
            raise _refused(
                "存储里没有本密钥签署的检查点", "the store holds no checkpoint signed by this key"
            ) from error

    def publish(self) -> bool:
        """Publish what was committed since the last checkpoint. False when there is nothing new.

        Raises Unavailable('storage'|'database') and may then simply be called again; LogRefused.
        """
        with reading(self._sessions) as session:
            held = session.scalars(select(LogHead.size)).one()
            if held == self._published.size:
                return False
            while self._tiles.size < held:
                self._take_chunk(session, min(held, self._tiles.size - self._tiles.size % WIDTH + CHUNK))
                self._put_pending()
            self._pending |= self._tiles.open_tiles() | self._open_bundle(session, held)
            self._put_pending()
            self._sign(session, Checkpoint(self._signer.origin, held, self._require_same_root(held)))
        return True

    def _take_chunk(self, session: Session, end: int) -> None:
        """Grow by the rows up to `end`; what this completes is pending. What they point to is published first."""
        start = self._tiles.size - self._tiles.size % WIDTH
        rows = list(_rows(session, start, end))
        new = rows[self._tiles.size - start :]
        for row in new:
            self._publish_blobs(session, row)
        for row in new:
            self._grow(row)
        for first in range(start, end - end % WIDTH, WIDTH):
            entries = [row.data for row in rows[first - start : first - start + WIDTH]]
            self._pending[tile_path(ENTRIES, first // WIDTH)] = bundle(entries)
        self._pending |= self._tiles.take_completed()

    def _open_bundle(self, session: Session, held: int) -> dict[str, bytes]:
        entries = [row.data for row in _rows(session, held - held % WIDTH, held)]
        return {tile_path(ENTRIES, held // WIDTH, len(entries)): bundle(entries)} if entries else {}

    def _put_pending(self) -> None:
        for path in list(self._pending):
            self._store.put(path, self._pending[path])
            del self._pending[path]

    def _grow(self, row: Row) -> None:
        self._tiles.append(leaf_hash(row.data))
        if self._seal:
            self._seal.append(row.data)

    def _publish_blobs(self, session: Session, row: Row) -> None:
        for blob in named_blobs(row.data):
            path = blob_path(blob)
            if not self._store.has(path):
                data = session.scalars(select(LogBlob.data).where(LogBlob.sha256 == blob["sha256"])).one()
                self._store.put(path, data)

    def _require_same_root(self, size: int) -> bytes:
        """Compute the root again, from the tiles in the store alone, and the old root from the same tiles."""
        try:
            reader = TileReader(self._store.get, size)
            root = reader.hashes.root(0, size)
            old = reader.hashes.root(0, max(self._published.size, 0))
        except LookupError as error:
            raise _refused("已发布的哈希片残缺", "the published tiles are damaged") from error
        if root != self._tiles.frontier.root() or (self._published.size >= 0 and old != self._published.root):
            raise _refused("已发布的哈希片与条目不符", "the published tiles do not agree with the entries")
        return root

    def _sign(self, session: Session, checkpoint: Checkpoint) -> None:
        note = self._signer.sign(checkpoint)
        self._put_seal(checkpoint.size)
        self._store.put(f"checkpoints/{checkpoint.size}", note)
        self._store.put("checkpoint", note)
        self._published = checkpoint
        self._remember(session, checkpoint, note)
        log.info("log.checkpoint.published", size=checkpoint.size)

    def _put_seal(self, size: int) -> None:
        if self._seal is None or not self._is_pinned(self._seal):
            return
        try:
            signature = self._seal.sign()
        except (OSError, subprocess.SubprocessError) as error:
            log.error("log.second_seal.failed", fault=type(error).__name__)
            return
        self._store.put(seal_path(size), self._seal.text())
        self._store.put(seal_signature_path(size), signature)

    def _is_pinned(self, seal: SecondSeal) -> bool:
        """Whether the log's own entries published this very SM2 key; another one would seal nothing."""
        self._seal_pinned = self._seal_pinned or self._store.get("keys/sm2.pem") == seal.public
        return self._seal_pinned

    def _remember(self, session: Session, checkpoint: Checkpoint, note: bytes) -> None:
        row = {"size": checkpoint.size, "root": checkpoint.root, "note": note, "published_at": self._clock.now()}
        session.execute(insert(LogCheckpoint).values(row).on_conflict_do_nothing())
        session.commit()


def _rows(session: Session, start: int, end: int) -> Iterator[Row]:
    """The durable entries [start, end), each with its hash checked. Raises LogRefused on a gap or a changed row."""
    expected = start
    while expected < end:
        query = (
            select(LogEntry.index, LogEntry.data, LogEntry.leaf_hash)
            .where(LogEntry.index >= expected, LogEntry.index < min(end, expected + CHUNK))
            .order_by(LogEntry.index)
        )
        rows = session.execute(query).all()
        for index, data, stored in rows:
            if index != expected or leaf_hash(data) != stored:
                raise _refused(f"条目 #{expected} 缺失或被改动", f"entry #{expected} is missing or was changed")
            expected += 1
            yield Row(index, data)
        if not rows:
            raise _refused(f"条目 #{expected} 缺失", f"entry #{expected} is missing")


def _refused(zh: str, en: str) -> LogRefused:
    return LogRefused(
        "log.publisher.refused",
        Words(f"审计日志停止发布:{zh}。", f"The audit log stopped publishing: {en}."),
        Words(
            "不要重新生成日志;请从备份找回缺失的条目,或与监管方核对。",
            "Do not make the log anew: find the missing entries in a backup, or ask the regulator.",
        ),
    )
