"""Receipts: an entry's place in the published tree, with the signed checkpoint it stands under.

It reads the published tiles and nothing else, so that a receipt proves what outsiders can see; it
checks every step itself and shows a proof that fails as failed, never as missing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from gongshu.audit.note import Checkpoint, VerifierKey, read_checkpoint, receipt_text
from gongshu.audit.store import LogStore
from gongshu.audit.tiles import TileReader
from gongshu.audit.tree import leaf_hash, root_from_path
from gongshu.errors import Unavailable, Words

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Proof:
    """The steps of a receipt. Each of the four is true or false; `path` leads from leaf to root."""

    index: int
    checkpoint: Checkpoint
    note: bytes
    path: tuple[bytes, ...]
    leaf: bytes
    bytes_match: bool
    path_leads: bool
    signed: bool

    @property
    def good(self) -> bool:
        return self.bytes_match and self.path_leads and self.signed

    def receipt(self, entry: bytes) -> str:
        return receipt_text(self.index, self.path, self.note, entry)


def read_key(store: LogStore) -> VerifierKey:
    """The log's published verifier key. Raises Unavailable('log') before the first publication."""
    data = store.get("keys/log.vkey")
    if data is None:
        raise Unavailable("log")
    return VerifierKey.parse(data.decode())


def latest_checkpoint(store: LogStore) -> tuple[Checkpoint, bytes, bool]:
    """The newest published checkpoint, its note, and whether its signature holds. Raises Unavailable('log')."""
    note = store.get("checkpoint")
    if note is None:
        raise Unavailable("log")
    try:
        return read_checkpoint(note, read_key(store)), note, True
    except ValueError:
        lines = note.decode(errors="replace").split("\n")
        return Checkpoint(lines[0], int(lines[1]) if lines[1].isdigit() else 0, b""), note, False


def prove(store: LogStore, index: int, entry: bytes) -> Proof | None:
    """Prove one entry against the newest checkpoint; None when that does not reach it yet."""
    checkpoint, note, signed = latest_checkpoint(store)
    if index >= checkpoint.size:
        return None
    reader = TileReader(store.get, checkpoint.size)
    leaf = leaf_hash(entry)
    try:
        path = tuple(reader.hashes.inclusion(index, checkpoint.size))
        published = reader.leaf(index)
    except LookupError:
        path, published = (), b""
    leads = root_from_path(leaf, index, checkpoint.size, path) == checkpoint.root
    return Proof(index, checkpoint, note, path, leaf, published == leaf, leads, signed)


def wait_for_checkpoint(store: LogStore, size: int, seconds: float) -> tuple[Checkpoint, bytes]:
    """Wait until a signed checkpoint covers `size` entries. Raises Unavailable('log') when none does in time."""
    deadline = time.monotonic() + seconds
    while True:
        checkpoint, note, signed = latest_checkpoint(store)
        if signed and checkpoint.size >= size:
            return checkpoint, note
        if time.monotonic() > deadline:
            raise Unavailable(
                "log",
                Words(
                    f"等了 {seconds:.0f} 秒,还没有覆盖第 {size} 条的检查点。",
                    f"No checkpoint covered entry {size} within {seconds:.0f} seconds.",
                ),
            )
        time.sleep(POLL_SECONDS)
