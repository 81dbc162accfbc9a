"""The published shape of the log: C2SP tlog-tiles, 256 hashes wide, entry bundles included.

It decides paths and bytes of tiles from entries; it must never decide what an entry says. Every
function is pure: the same entries give the same tiles for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gongshu.audit.tree import Frontier, Hashes, node_hash, root_of

WIDTH = 256
HASH_BYTES = 32
ENTRIES = "entries"


def tile_path(level: int | str, number: int, partial: int = 0) -> str:
    """`tile/<L>/<N>[.p/<W>]`: N in groups of three digits, all but the last marked with x."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    return f"tile/{level}/{'/'.join(groups)}" + (f".p/{partial}" if partial else "")


def bundle(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: each entry after its length in two bytes, big-endian."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundle(data: bytes) -> list[bytes]:
    """Read a bundle. Raises ValueError when it is cut short."""
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data) or at + 2 > len(data):
            raise ValueError("the bundle is cut short")
        entries.append(data[at + 2 : end])
        at = end
    return entries


def widths(size: int, level: int) -> tuple[int, int]:
    """(number of full tiles, width of the partial one or 0) of a hash level at a size of the log."""
    count: int = size // WIDTH**level
    return divmod(count, WIDTH)


def tile_paths(size: int) -> Iterator[str]:
    """Every tile that a log of this size consists of, entry bundles included."""
    level = 0
    while size // WIDTH**level:
        full, partial = widths(size, level)
        for name in (str(level),) if level else ("0", ENTRIES):
            yield from (tile_path(name, number) for number in range(full))
            if partial:
                yield tile_path(name, full, partial)
        level += 1


class TileGrower:
    """Derives hash tiles while leaf hashes are appended in order.

    It holds the incomplete tile of each level; completed ones leave it when they are taken, so that a
    log of any size needs a few kilobytes here.
    """

    def __init__(self) -> None:
        self.size = 0
        self.frontier = Frontier()
        self._open: list[list[bytes]] = [[]]
        self._completed: dict[str, bytes] = {}

    def append(self, leaf: bytes) -> None:
        self.frontier.append(leaf)
        self._push(0, leaf)
        self.size += 1

    def _push(self, level: int, value: bytes) -> None:
        if level == len(self._open):
            self._open.append([])
        tile = self._open[level]
        tile.append(value)
        if len(tile) == WIDTH:
            number = self.size // WIDTH ** (level + 1)
            self._completed[tile_path(level, number)] = b"".join(tile)
            self._open[level] = []
            self._push(level + 1, root_of(tile))

    def take_completed(self) -> dict[str, bytes]:
        """The full hash tiles since the last call; they are forgotten here."""
        completed, self._completed = self._completed, {}
        return completed

    def open_tiles(self) -> dict[str, bytes]:
        """The partial hash tiles as they stand."""
        return {
            tile_path(level, self.size // WIDTH ** (level + 1), len(tile)): b"".join(tile)
            for level, tile in enumerate(self._open)
            if tile
        }


class TileReader:
    """Roots and proofs from published hash tiles alone. `read(path)` gives a tile's bytes or None."""

    def __init__(self, read: Callable[[str], bytes | None], size: int) -> None:
        self._read = read
        self.size = size
        self._tiles: dict[str, bytes] = {}
        self.hashes = Hashes(self._subtree)

    def leaf(self, index: int) -> bytes:
        return self._at(0, index)

    def _subtree(self, level: int, number: int) -> bytes:
        step, inside = divmod(level, 8)
        if inside == 0:
            return self._at(step, number)
        first = number << inside
        values = [self._at(step, first + offset) for offset in range(1 << inside)]
        while len(values) > 1:
            values = [node_hash(values[i], values[i + 1]) for i in range(0, len(values), 2)]
        return values[0]

    def _at(self, level: int, position: int) -> bytes:
        number, offset = divmod(position, WIDTH)
        full, partial = widths(self.size, level)
        path = tile_path(level, number, 0 if number < full else partial)
        if path not in self._tiles:
            data = self._read(path)
            if data is None:
                raise LookupError(f"{path} is missing")
            self._tiles[path] = data
        found = self._tiles[path][offset * HASH_BYTES : (offset + 1) * HASH_BYTES]
        if len(found) != HASH_BYTES:
            raise LookupError(f"{path} is cut short")
        return found
