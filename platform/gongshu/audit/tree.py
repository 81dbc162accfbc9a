"""The Merkle tree of the log (RFC 9162 §2.1), as arithmetic over leaf hashes and nothing else.

It must never see an entry's meaning. `Frontier` grows a tree in O(log n) memory; `Hashes` computes
roots and proofs at any size from whatever can say the hash of a perfect subtree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A growing tree, kept as the roots of its perfect subtrees, largest first."""

    def __init__(
        self, join: Callable[[bytes, bytes], bytes] = node_hash, empty: bytes = EMPTY_ROOT, size: int = 0
    ) -> None:
        self._join = join
        self._empty = empty
        self.size = size
        self.roots: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        count = self.size
        while count & 1:
            leaf = self._join(self.roots.pop(), leaf)
            count >>= 1
        self.roots.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.roots:
            return self._empty
        total = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            total = self._join(left, total)
        return total


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes that are all at hand."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def split(size: int) -> int:
    """The largest power of two smaller than `size` (≥ 2)."""
    return 1 << (size - 1).bit_length() - 1


class Hashes:
    """Roots and proofs over a log whose perfect subtrees can be asked for.

    subtree(level, number): the root of leaves [number·2^level, (number+1)·2^level).
    """

    def __init__(self, subtree: Callable[[int, int], bytes]) -> None:
        self._subtree = subtree

    def root(self, start: int, end: int) -> bytes:
        """MTH over leaves [start, end), where start is aligned to the range's largest perfect subtree."""
        size = end - start
        if size == 0:
            return EMPTY_ROOT
        if size & (size - 1) == 0:
            level = size.bit_length() - 1
            return self._subtree(level, start >> level)
        k = split(size)
        return node_hash(self.root(start, start + k), self.root(start + k, end))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[size]), leaf's sibling first (RFC 9162 §2.1.3.1)."""
        if not 0 <= index < size:
            raise ValueError(f"no entry {index} in a tree of {size}")
        start, end, path = 0, size, []
        while end - start > 1:
            k = split(end - start)
            if index < start + k:
                path.append(self.root(start + k, end))
                end = start + k
            else:
                path.append(self.root(start, start + k))
                start += k
        return path[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """PROOF(old, D[new]) (RFC 9162 §2.1.4.1); empty when nothing needs proof."""
        if not 0 <= old <= new:
            raise ValueError(f"a tree of {new} cannot extend one of {old}")
        if old in (0, new):
            return []
        start, end, path, whole = 0, new, [], True
        while old != end:
            k = split(end - start)
            if old <= start + k:
                path.append(self.root(start + k, end))
                end = start + k
            else:
                path.append(self.root(start, start + k))
                start += k
                whole = False
        if not whole:
            path.append(self.root(start, end))
        return path[::-1]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion path leads to (RFC 9162 §2.1.3.2), or None when it cannot be one."""
    if index >= size:
        return None
    fn, sn, total = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            total = node_hash(sibling, total)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            total = node_hash(total, sibling)
        fn, sn = fn >> 1, sn >> 1
    return total if sn == 0 else None
