"""The published log as files (document 10, Export), with the private parts that one reader may see.

Tiles and checkpoints come from the published bucket, never from the database: an export shows what
was published, so that a difference between the two cannot hide.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from gongshu.audit.note import Checkpoint
from gongshu.audit.places import blob_path, named_blobs, seal_path, seal_signature_path
from gongshu.audit.reading import Viewer, open_parts
from gongshu.audit.store import LogStore
from gongshu.audit.tiles import WIDTH, tile_paths, unbundle
from gongshu.audit.vault import Vault
from gongshu.database import Sessions, reading
from gongshu.errors import Unavailable

File = tuple[str, bytes]


@dataclass(frozen=True)
class Export:
    """One export: what was published under `checkpoint`, as `viewer` may see it."""

    sessions: Sessions
    store: LogStore
    vault: Vault
    viewer: Viewer
    checkpoint: Checkpoint
    note: bytes

    def files(self) -> Iterator[File]:
        """Every file, smallest parts first. Raises Unavailable when a part goes away in between."""
        size = self.checkpoint.size
        yield "checkpoint", self.note
        for path in self.store.names("checkpoints"):
            if int(path.rpartition("/")[2]) <= size:
                yield path, self._published(path)
        for path in (seal_path(size), seal_signature_path(size)):
            if (data := self.store.get(path)) is not None:
                yield path, data
        blobs: set[str] = set()
        for path in tile_paths(size):
            data = self._published(path)
            yield path, data
            if path.startswith("tile/entries/"):
                blobs |= {blob_path(blob) for entry in unbundle(data) for blob in named_blobs(entry)}
        for path in sorted(blobs):
            yield path, self._published(path)
        yield from self._payloads(size)

    def _published(self, path: str) -> bytes:
        data = self.store.get(path)
        if data is None:
            raise Unavailable("log")
        return data

    def _payloads(self, size: int) -> Iterator[File]:
        for start in range(0, size, WIDTH):
            with reading(self.sessions) as session:
                indices = range(start, min(start + WIDTH, size))
                for index, parts in sorted(open_parts(session, self.vault, self.viewer, indices).items()):
                    said = {part.name: part.exported() for part in parts}
                    yield f"payloads/{index}.json", orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def as_tar(files: Iterator[File]) -> Iterator[bytes]:
    """Stream files as an uncompressed tar, one member at a time."""
    for name, data in files:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        member.mode = 0o644
        yield member.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)
