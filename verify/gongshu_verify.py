#!/usr/bin/env python3
"""Check a Gongshu log by yourself: one file, the standard library of Python 3.9 or later, nothing of ours.
独立核验公数审计日志:只用这一个文件和 Python 3.9 以上的标准库。

    python3 gongshu_verify.py log DIR [--key FILE] [--old-checkpoint FILE] [--json]
    python3 gongshu_verify.py consistency DIR --old-checkpoint FILE [--key FILE]
    python3 gongshu_verify.py receipt FILE --key FILE [--entry FILE]
    python3 gongshu_verify.py certificate FILE [--item BYTES] [--key FILE]
    python3 gongshu_verify.py revenue DIR

DIR is an export (`gongshu log export DIR`) or the address of a mirror of one. Exit: 0 good, 1 damaged, 2 usage.

What it decides. The entries are hashed into a Merkle tree (RFC 9162) whose root the log's key has signed in a
checkpoint (C2SP signed-note, tlog-checkpoint, tlog-tiles). Every byte of every entry and tile is hashed again here;
private parts are compared with the salted commitments in their entries. What a claim is worth depends on what you
bring: with --key (or an --old-checkpoint of your own) the log is *authentic*; without, it is only *consistent with the
key that lies inside it*. It never trusts a hash that it was given and could compute, and it writes nothing.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

WIDTH = 256  # hashes in a full tile
ENTRY_FIELDS = {"actor", "event", "id", "organisation", "private", "public", "scenario", "schema", "time", "writer"}
BLOB_PLACES = {
    "policy-bundle": "bundles/%s.tar.gz",
    "price-book": "prices/%s.json",
    "key": "keys/%s",
    "readme": "%s",
}  # by kind, with the blob's label; other kinds lie under their digest
METERS = {"statement.outcome.logged": "billable_bytes", "release.item.released": "cells"}  # what counts in each event


class Fault(Exception):
    """Something is wrong with what was given. index: the first entry that is affected, where one can be named."""

    def __init__(self, code: str, message: str, index: Optional[int] = None) -> None:
        super().__init__(message)
        self.code, self.message, self.index = code, message, index


class Usage(Exception):
    """What was asked cannot be tried: a wrong path, an unreadable key."""


# --- Ed25519 (RFC 8032), verification only -------------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = Tuple[int, int, int, int]  # extended coordinates: x = X/Z, y = Y/Z, xy = T/Z


def _decompress(data: bytes) -> Optional[Point]:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


def _add(a: Point, b: Point) -> Point:
    s, t = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    u, v = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = t - s, v - u, v + u, t + s
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point, scalar = _add(point, point), scalar >> 1
    return total


BASE = _decompress(bytes([0x58] + [0x66] * 31))


def ed25519_good(key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` (64 bytes) is the signature of `message` under `key` (32 bytes)."""
    if len(key) != 32 or len(signature) != 64 or BASE is None:
        return False
    a, r, s = _decompress(key), _decompress(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    left, right = _times(s, BASE), _add(r, _times(k, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# --- Signed notes and checkpoints (C2SP) ---------------------------------------------------------------------------


class Key(NamedTuple):
    """A signed-note verifier key: `name+id+base64(0x01 || public key)`."""

    name: str
    key_id: bytes
    public: bytes


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes
    text: bytes  # the signed bytes
    signatures: List[Tuple[str, bytes, bytes]]  # (name, key id, signature)


def parse_key(text: str) -> Key:
    """Read a verifier key. Raises ValueError unless its id is the hash of its name and bytes."""
    name, key_id, data = text.strip().split("+", 2)
    raw = base64.b64decode(data, validate=True)
    if not name or len(raw) != 33 or raw[0] != 1:
        raise ValueError("not an Ed25519 verifier key")
    if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != key_id:
        raise ValueError("the key's id is not the hash of its name and bytes")
    return Key(name, bytes.fromhex(key_id), raw[1:])


def parse_checkpoint(data: bytes) -> Checkpoint:
    """Read a signed checkpoint. Raises ValueError on any deviation from the format."""
    text, blank, tail = data.partition(b"\n\n")
    lines = (text + b"\n").decode("utf-8").split("\n")[:-1]
    if not blank or len(lines) < 3 or not lines[0] or not re.fullmatch(r"0|[1-9][0-9]*", lines[1]):
        raise ValueError("not a checkpoint")
    root = _base64(lines[2])
    if len(root) != 32 or not tail.endswith(b"\n"):
        raise ValueError("not a checkpoint")
    signatures = []
    for line in tail[:-1].decode("utf-8").split("\n"):
        match = re.fullmatch("\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)", line)
        if not match:
            raise ValueError("not a signature line")
        blob = _base64(match.group(2))
        signatures.append((match.group(1), blob[:4], blob[4:]))
    return Checkpoint(lines[0], int(lines[1]), root, text + b"\n", signatures)


def _base64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def require_signed(checkpoint: Checkpoint, key: Key, what: str) -> None:
    """Raise a fault unless `key` signed this checkpoint, for the origin that the key is named after."""
    mine = [s for name, key_id, s in checkpoint.signatures if name == key.name and key_id == key.key_id]
    if checkpoint.origin != key.name or not mine:
        raise Fault("key", f"不是由这把密钥签署的 / not signed by this key: {what}")
    if not all(ed25519_good(key.public, checkpoint.text, s) for s in mine):
        raise Fault("signature", f"签名不成立 / the signature does not hold: {what}")


# --- The Merkle tree (RFC 9162) ------------------------------------------------------------------------------------


def leaf_hash(entry: bytes, algorithm: str = "sha256") -> bytes:
    return hashlib.new(algorithm, b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes, algorithm: str = "sha256") -> bytes:
    return hashlib.new(algorithm, b"\x01" + left + right).digest()


class Frontier:
    """The tree so far, as the roots of its perfect subtrees, largest first."""

    def __init__(self, algorithm: str = "sha256") -> None:
        self.size, self.algorithm = 0, algorithm
        self.roots: List[bytes] = []

    def append(self, leaf: bytes) -> None:
        count = self.size
        while count & 1:
            leaf, count = node_hash(self.roots.pop(), leaf, self.algorithm), count >> 1
        self.roots.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        total = self.roots[-1] if self.roots else hashlib.new(self.algorithm).digest()
        for left in reversed(self.roots[:-1]):
            total = node_hash(left, total, self.algorithm)
        return total


def root_from_path(leaf: bytes, index: int, size: int, path: List[bytes]) -> Optional[bytes]:
    """The root that an inclusion path leads to (RFC 9162, 2.1.3.2), or None when it cannot be a path."""
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


# --- Files of a log ------------------------------------------------------------------------------------------------


class Files:
    """A directory, or the address of a mirror (which cannot be listed)."""

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/")
        self.remote = place.startswith(("http://", "https://"))
        if not self.remote and not Path(place).is_dir():
            raise Usage(f"没有这个目录 / no such directory: {place}")

    def read(self, path: str) -> Optional[bytes]:
        try:
            if self.remote:
                with urllib.request.urlopen(f"{self.place}/{path}", timeout=30) as answer:
                    return bytes(answer.read())
            return Path(self.place, path).read_bytes()
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise Usage(f"{path}: {error}") from error
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Usage(f"{path}: {error}") from error

    def has_folder(self, name: str) -> bool:
        return not self.remote and Path(self.place, name).is_dir()

    def names(self, folder: str) -> List[str]:
        """Every file below `folder`, as paths from the log's root."""
        if self.remote:
            return []
        found = Path(self.place, folder).rglob("*")
        return sorted(path.relative_to(self.place).as_posix() for path in found if not path.is_dir())


def tile_path(level: str, number: int, partial: int = 0) -> str:
    """`tile/<L>/<N>[.p/<W>]` with N in groups of three digits, all but the last marked x."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    return f"tile/{level}/{'/'.join(groups)}" + (f".p/{partial}" if partial else "")


def tile_of(path: str) -> Optional[Tuple[str, int, int]]:
    """The level, number and width that a path names, or None."""
    match = re.fullmatch(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", path)
    if not match:
        return None
    number, partial = int(match.group(2).replace("x", "").replace("/", "")), int(match.group(3) or 0)
    return (match.group(1), number, partial) if tile_path(match.group(1), number, partial) == path else None


def read_tile(files: Files, level: str, number: int, count: int) -> Optional[bytes]:
    """One tile of a level that holds `count` hashes in all: the full one, or the partial one at its end."""
    return files.read(tile_path(level, number, 0 if (number + 1) * WIDTH <= count else count % WIDTH))


class TileCheck:
    """Compares the published hash tiles with the hashes that are computed here, in the order of the entries."""

    def __init__(self, files: Files, size: int) -> None:
        self.files, self.size = files, size
        self.given: List[bytes] = []  # per level: the published tile being compared
        self.made: List[List[bytes]] = []  # per level: the hashes computed for that tile

    def append(self, value: bytes, index: int) -> None:
        level, position = 0, index
        while True:
            self._compare(level, position, value)
            if len(self.made[level]) < WIDTH:
                return
            tile = Frontier()
            for item in self.made[level]:
                tile.append(item)
            self.made[level] = []
            value, level, position = tile.root(), level + 1, position // WIDTH

    def _compare(self, level: int, position: int, value: bytes) -> None:
        if level == len(self.made):
            self.made.append([])
            self.given.append(b"")
        first, count = position * WIDTH**level, self.size // WIDTH**level
        at, width = position % WIDTH, min(WIDTH, count - position // WIDTH * WIDTH)
        name = f"第 {level} 层哈希片 / tile of level {level} at #{first}"
        if at == 0:
            given = read_tile(self.files, str(level), position // WIDTH, count)
            if given is None:
                raise Fault("missing-file", f"缺失 missing: {name}", first)
            self.given[level] = given
        if self.given[level][at * 32 : at * 32 + 32] != value:
            if level == 0:
                raise Fault("entry", f"条目 #{first} 与其哈希不符 / entry #{first} does not match its hash", first)
            raise Fault("tile", f"不符 wrong: {name}", first)
        if at + 1 == width and len(self.given[level]) != width * 32:
            raise Fault("tile", f"多出字节 bytes too many: {name}", first)
        self.made[level].append(value)


def read_entries(files: Files, size: int) -> Iterator[bytes]:
    """Yield the entries in order from the bundles. Raises a fault at the first one that is not there."""
    for start in range(0, size, WIDTH):
        data, at = read_tile(files, "entries", start // WIDTH, size), 0
        if data is None:
            raise Fault("truncated", f"日志自 #{start} 起缺失 / the log is missing from entry #{start}", start)
        for index in range(start, min(start + WIDTH, size)):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            if end > len(data):
                raise Fault("entry", f"条目 #{index} 残缺 / entry #{index} is cut short", index)
            yield data[at + 2 : end]
            at = end
        if at != len(data):
            last = min(start + WIDTH, size)
            raise Fault("entry", f"#{last} 处多出字节 / there are bytes too many at #{last}", last)


class Logged(NamedTuple):
    """One checked entry with the private parts that this copy shows."""

    number: int
    entry: Dict[str, Any]
    payloads: Dict[str, Any]


class LogCheck:
    """Walks one log from its first entry to its checkpoint. `walk()` yields only what has been checked by itself;
    the log as a whole is good when the walk ends without a fault."""

    def __init__(self, files: Files, key: Optional[Key], old: Optional[Checkpoint]) -> None:
        self.files, self.old = files, old
        self.authentic = key is not None or old is not None
        inner = files.read("keys/log.vkey")
        try:
            self.key = key or parse_key((inner or b"").decode("utf-8"))
        except ValueError as error:
            raise Fault("key", "日志里没有可用的密钥 / keys/log.vkey is missing or no key") from error
        if inner is None or inner.strip() != vkey_text(self.key).encode():
            raise Fault("key", "日志里的密钥与所给的不同 / keys/log.vkey is not the key that was given")
        self.checkpoint = signed_checkpoint(files.read("checkpoint"), self.key, "checkpoint")
        self.payloads_given = files.has_folder("payloads")
        self.counts = {"private parts shown": 0, "withheld": 0, "erased": 0, "earlier checkpoints": 0}
        self._erased: Set[Tuple[int, str]] = set()
        self._erasures: Set[Tuple[int, str]] = set()
        self._blobs: Set[str] = set()

    def walk(self) -> Iterator[Logged]:
        size, frontier, tiles = self.checkpoint.size, Frontier(), TileCheck(self.files, self.checkpoint.size)
        promised, agreed = self._promised_roots(), 0
        for index, data in enumerate(read_entries(self.files, size)):
            leaf = leaf_hash(data)
            tiles.append(leaf, index)
            frontier.append(leaf)
            logged = self._open(index, data)
            for root, what in promised.pop(index + 1, []):
                if frontier.root() != root:
                    raise Fault("fork", f"#{agreed} 起被改写 / rewritten from #{agreed} on: {what} disagrees", agreed)
                agreed = index + 1
            yield logged
        if frontier.root() != self.checkpoint.root:
            raise Fault("root", f"根哈希与检查点不符,自 #{agreed} 起 / the root is wrong from #{agreed} on", agreed)
        self._require_accounted(size)

    def _promised_roots(self) -> Dict[int, List[Tuple[bytes, str]]]:
        """The roots that earlier checkpoints promise, by size."""
        found = [(self.old, "old checkpoint")] if self.old is not None else []
        for path in self.files.names("checkpoints"):
            checkpoint = signed_checkpoint(self.files.read(path), self.key, path)
            if path != f"checkpoints/{checkpoint.size}":
                raise Fault("checkpoint", f"放错了位置 / it lies in the wrong place: {path}")
            found.append((checkpoint, path))
        self.counts["earlier checkpoints"] = len(found)
        promised: Dict[int, List[Tuple[bytes, str]]] = {}
        for checkpoint, what in found:
            require_signed(checkpoint, self.key, what)
            if checkpoint.size > self.checkpoint.size:
                raise Fault("truncated", f"日志被截短 / cut short: {what} is newer", self.checkpoint.size)
            promised.setdefault(checkpoint.size, []).append((checkpoint.root, what))
        if any(root != Frontier().root() for root, _ in promised.get(0, [])):
            raise Fault("fork", "空日志的检查点不成立 / a checkpoint of the empty log is wrong", 0)
        return promised

    def _open(self, index: int, data: bytes) -> Logged:
        try:
            entry = json.loads(data.decode("utf-8"))
            if not set(entry).issuperset(ENTRY_FIELDS):
                raise ValueError("fields are missing")
            if entry["event"] == "audit.payload.erased":
                self._erasures |= {(entry["public"]["entry"], name) for name in entry["public"]["parts"]}
            for blob in entry["public"].get("blobs", []):
                self._require_blob(index, BLOB_PLACES.get(blob["kind"], "blobs/sha256/%s"), blob)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Fault("entry", f"条目 #{index} 不可读 / entry #{index} is unreadable ({error})", index) from error
        return Logged(index, entry, self._payloads(index, entry["private"]) if self.payloads_given else {})

    def _payloads(self, index: int, commitments: Dict[str, str]) -> Dict[str, Any]:
        """Open what this copy shows of an entry's private parts; each part is shown, withheld or erased."""
        raw, shown = self.files.read(f"payloads/{index}.json"), {}
        try:
            given = json.loads((raw or b"{}").decode("utf-8"))
            for name in sorted(set(given) | set(commitments)):
                if name not in given:
                    raise Fault("payload-missing", f"缺附件 {name} / part {name} of #{index} is missing", index)
                if given[name] == {"erased": True}:
                    self._erased.add((index, name))
                    self.counts["erased"] += 1
                elif given[name] == {"withheld": True}:
                    self.counts["withheld"] += 1
                else:
                    shown[name] = self._payload(given[name], commitments[name])
            if raw is not None and not commitments:
                raise ValueError("the entry has no private part")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            words = f"条目 #{index} 的附件被改动 / the private parts of entry #{index} were changed ({error})"
            raise Fault("payload", words, index) from error
        return shown

    def _payload(self, part: Dict[str, str], commitment: str) -> Any:
        salt, text = part["salt"], part["payload"].encode("utf-8")
        if set(part) != {"salt", "payload"} or salt != bytes.fromhex(salt).hex():
            raise ValueError("unknown form")
        if hashlib.sha256(bytes.fromhex(salt) + text).hexdigest() != commitment:
            raise ValueError("commitment")
        self.counts["private parts shown"] += 1
        return json.loads(text)

    def _require_blob(self, index: int, place: str, blob: Dict[str, str]) -> None:
        path = place % (blob["label"] if blob["kind"] in BLOB_PLACES else blob["sha256"])
        if path in self._blobs or not self.payloads_given:
            return
        data = self.files.read(path)
        if data is None:
            raise Fault("missing-file", f"缺少 #{index} 所指的 {path} / {path}, named by #{index}, is missing", index)
        if hashlib.sha256(data).hexdigest() != blob["sha256"]:
            raise Fault("blob", f"{path} 与条目 #{index} 所记不符 / {path} is not what entry #{index} names", index)
        self._blobs.add(path)

    def _require_accounted(self, size: int) -> None:
        """What can be judged only at the end: claims of erasure, and files that no entry accounts for."""
        for index, name in sorted(self._erased - self._erasures):
            words = (
                f"条目 #{index} 的附件 {name} 没有删除记录 / no entry records the erasure of part {name} of #{index}"
            )
            raise Fault("payload-missing", words, index)
        for folder in ("payloads", "blobs", "bundles", "prices"):
            for path in self.files.names(folder):
                match = re.fullmatch(r"payloads/(0|[1-9][0-9]*)\.json", path)
                if path not in self._blobs and not (match and int(match.group(1)) < size):
                    raise Fault("unexpected-file", f"没有条目提到 {path} / no entry names {path}")
        for path in self.files.names("tile"):
            self._require_expected(path, size)

    def _require_expected(self, path: str, size: int) -> None:
        """A tile beside the walked ones may only be an earlier, shorter state of one of them."""
        tile = tile_of(path)
        if tile is None:
            raise Fault("unexpected-file", f"多出文件 {path} / {path} is no tile")
        level, number, partial = tile
        scale = WIDTH ** (0 if level == "entries" else int(level))
        if number * WIDTH + (partial or WIDTH) > size // scale:
            raise Fault("truncated", f"日志被截短:{path} 更新 / the log was cut short: {path} lies beyond", size)
        whole, given = read_tile(self.files, level, number, size // scale) or b"", self.files.read(path) or b""
        if not whole.startswith(given) or (level != "entries" and len(given) != (partial or WIDTH) * 32):
            raise Fault("tile", f"{path} 与完整片不符 / {path} is not how its tile begins", number * WIDTH * scale)


def vkey_text(key: Key) -> str:
    return f"{key.name}+{key.key_id.hex()}+{base64.b64encode(bytes([1]) + key.public).decode()}"


def signed_checkpoint(data: Optional[bytes], key: Key, what: str) -> Checkpoint:
    try:
        checkpoint = parse_checkpoint(data or b"")
    except ValueError as error:
        raise Fault("checkpoint", f"缺失或不可读 / missing or unreadable: {what} ({error})") from error
    require_signed(checkpoint, key, what)
    return checkpoint


# --- Commands ------------------------------------------------------------------------------------------------------


def given_key(path: Optional[str]) -> Optional[Key]:
    if path is None:
        return None
    try:
        return parse_key(given_bytes(path).decode("utf-8"))
    except ValueError as error:
        raise Usage(f"{path}: 不是验签密钥 / not a verifier key ({error})") from error


def given_checkpoint(path: Optional[str]) -> Optional[Checkpoint]:
    if path is None:
        return None
    try:
        return parse_checkpoint(given_bytes(path))
    except ValueError as error:
        raise Usage(f"{path}: 不是检查点 / not a checkpoint ({error})") from error


def given_bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}") from error


def report(command: Callable[[argparse.Namespace], Dict[str, Any]], arguments: argparse.Namespace) -> Dict[str, Any]:
    """Run a command and turn its outcome into the one form that every command reports."""
    try:
        found = command(arguments)
    except Fault as fault:
        found = {"first_bad_index": fault.index, "fault": fault.code, "message": fault.message}
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        found = {"fault": "unreadable", "message": f"内容不成样子 / what was given has no sense: {error!r}"}
    form = {"ok": "fault" not in found, "size": None, "root": None, "first_bad_index": None, "fault": None}
    return {**form, "message": "", "authentic": False, **found}


def verify_log(arguments: argparse.Namespace) -> Dict[str, Any]:
    check = LogCheck(Files(arguments.place), given_key(arguments.key), given_checkpoint(arguments.old_checkpoint))
    facts = {"size": check.checkpoint.size, "root": check.checkpoint.root.hex()}
    try:
        for _ in check.walk():
            pass
        seal = check_second_seal(check)
    except Fault as fault:
        return {**facts, "first_bad_index": fault.index, "fault": fault.code, "message": fault.message}
    zh, en = ("真实", "authentic") if check.authentic else ("与日志内的密钥一致", "consistent with the key inside")
    counts = ", ".join(f"{count} {name}" for name, count in check.counts.items())
    message = (
        f"已核验 {check.checkpoint.size} 条,{zh} / verified {check.checkpoint.size} entries, {en} ({counts}{seal})"
    )
    return {**facts, "message": message, "authentic": check.authentic}


def check_second_seal(check: LogCheck) -> str:
    """Recompute the SM3 root where the log carries one; its SM2 signature is left to the `openssl` command."""
    name = f"seal/{check.checkpoint.size}"
    seal = check.files.read(f"{name}.sm3")
    if seal is None:
        return ""
    line = "openssl dgst -sm3 -verify keys/sm2.pem -sigopt distid:1234567812345678 "
    line += f"-signature {name}.sm2 {name}.sm3"
    if "sm3" not in hashlib.algorithms_available:
        return f"; SM3 not checked, this Python lacks it; signature: {line}"
    frontier = Frontier("sm3")
    for entry in read_entries(check.files, check.checkpoint.size):
        frontier.append(leaf_hash(entry, "sm3"))
    if seal != f"{check.checkpoint.origin}\n{check.checkpoint.size}\n{frontier.root().hex()}\n".encode():
        raise Fault("seal", "SM3 根与日志不符 / the SM3 root is not that of the entries")
    if check.files.remote or not shutil.which("openssl"):
        return f"; SM3 root agrees; signature: {line}"
    if subprocess.run(line.split(), cwd=check.files.place, capture_output=True, check=False).returncode:
        raise Fault("seal", f"SM2 签名不成立:{line} / the SM2 signature does not hold: {line}")
    return f"; SM3 root and SM2 signature agree: {line}"


def verify_consistency(arguments: argparse.Namespace) -> Dict[str, Any]:
    """Does the published tree begin with the one that the old checkpoint stands for? Reads hash tiles only."""
    old = given_checkpoint(arguments.old_checkpoint)
    check = LogCheck(Files(arguments.place), given_key(arguments.key), old)
    size, frontier = check.checkpoint.size, Frontier()
    for position in range(size):
        if position % WIDTH == 0:
            tile = read_tile(check.files, "0", position // WIDTH, size) or b""
        frontier.append(tile[position % WIDTH * 32 :][:32])
        if old and position + 1 == old.size and frontier.root() != old.root:
            raise Fault("fork", "旧检查点之前的条目被改写 / entries before the old checkpoint were rewritten", 0)
    if frontier.root() != check.checkpoint.root:
        raise Fault("root", "根哈希与检查点不符 / the root is not the checkpoint's", old.size if old else 0)
    message = f"前 {old.size if old else 0} 条未变 / the first {old.size if old else 0} entries are unchanged"
    return {"size": size, "root": frontier.root().hex(), "message": message, "authentic": True}


def check_receipt(text: str, key: Key, entry: Optional[bytes] = None) -> Tuple[int, bytes, Checkpoint]:
    """Check a receipt (C2SP tlog-proof) and return (index, entry, checkpoint). Raises a fault, or ValueError when
    the text is no receipt. The entry travels in the `extra` line unless it is given."""
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise ValueError("not a receipt")
    extra = _base64(lines.pop(0)[6:]) if lines[0].startswith("extra ") else None
    if not re.fullmatch(r"index (0|[1-9][0-9]*)", lines[0]):
        raise ValueError("the receipt has no index")
    index, path = int(lines[0][6:]), [_base64(line) for line in lines[1:]]
    checkpoint = signed_checkpoint(note.encode(), key, "检查点 checkpoint")
    data = entry if entry is not None else extra
    if data is None:
        raise ValueError("the receipt holds no entry: bring it with --entry")
    if root_from_path(leaf_hash(data), index, checkpoint.size, path) != checkpoint.root:
        raise Fault("proof", f"条目 #{index} 不在这个检查点之下 / entry #{index} is not under this checkpoint", index)
    return index, data, checkpoint


def verify_receipt(arguments: argparse.Namespace) -> Dict[str, Any]:
    key, entry = given_key(arguments.key), given_bytes(arguments.entry) if arguments.entry else None
    try:
        text = given_bytes(arguments.file).decode("utf-8")
        index, data, checkpoint = check_receipt(text, key, entry) if key else (0, b"", None)
        event = json.loads(data)
    except ValueError as error:
        raise Fault("receipt", f"存证回执不可读 / the receipt is unreadable ({error})") from error
    message = f"条目 #{index} {event['event']} {event['time']} 已记入日志 / entry #{index} is in the log"
    facts = {"size": checkpoint.size, "root": checkpoint.root.hex()} if checkpoint else {}
    return {**facts, "message": message, "authentic": True}


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def verify_certificate(arguments: argparse.Namespace) -> Dict[str, Any]:
    """Is this certificate the one the log speaks of, was it decided as it must be, and is BYTES one of its items?"""
    key, item = given_key(arguments.key), given_bytes(arguments.item) if arguments.item else None
    try:
        given = json.loads(given_bytes(arguments.file).decode("utf-8"))
        body, inside = given["body"], parse_key(given["log"]["key"])
        if key is not None and vkey_text(key) != vkey_text(inside):
            raise Fault("key", "证书里的密钥与所给的不同 / the key inside is not the key that was given")
        digest, released = hashlib.sha256(canonical(body)).hexdigest(), {}
        for text in given["log"]["receipts"]:
            index, data, _ = check_receipt(text, key or inside)
            entry = json.loads(data)
            if entry["event"] != "release.item.released" or entry["public"]["certificate"] != digest:
                raise Fault("certificate", f"条目 #{index} 说的是另一份 / #{index} speaks of another one", index)
            released[entry["public"]["item"]] = index
        require_decided(body)
        if not released or set(released) != {one["sha256"] for one in body["items"]}:
            raise Fault("certificate", "证书所列成果与日志不符 / the items are not those that the log released")
        if item is not None and hashlib.sha256(item).hexdigest() not in released:
            raise Fault("item", "这份文件不是证书所列的成果 / these bytes are none of the certificate's items")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Fault("certificate", f"证书不可读 / the certificate is unreadable ({error})") from error
    recalled = ";已召回 / recalled" if given.get("state") == "recalled" else ""
    message = f"证书 {body['certificate']} 成立{recalled} / the certificate holds, items: {len(released)}"
    return {"message": message, "authentic": key is not None}


def require_decided(body: Dict[str, Any]) -> None:
    """Two different people of another organisation than the author's approved each item; the policy allowed it."""
    for one in body["items"]:
        people = {
            review["reviewer"]
            for review in body["decisions"]
            for vote in review["votes"]
            if vote == {**vote, "item": one["number"], "vote": "approve", "sha256": one["sha256"]}
            and (review["reviewer"] != body["author"] and review["organisation"] != body["operator"])
        }
        failed = any(check["item"] == one["number"] and check["verdict"] == "fail" for check in body["checks"])
        stands = failed and not all(review["override"] for review in body["decisions"])
        if len(people) < 2 or stands or body["policy"]["allowed"] is not True:
            raise Fault("certificate", f"第 {one['number']} 项没有两人同意 / item {one['number']} lacks two approvals")


class Revenue:
    """Derives every closed month again from usage, published prices and signed agreements: to the fen."""

    def __init__(self, files: Files) -> None:
        self.files, self.invoices, self.fen = files, 0, 0
        self.books: List[Dict[str, Any]] = []
        self.usage: List[Dict[str, Any]] = []
        self.ceilings: Dict[str, Tuple[str, int]] = {}
        self.terms: Dict[str, Dict[str, Any]] = {}  # by grant
        self.closed: Dict[str, List[Dict[str, Any]]] = {}  # by month

    def take(self, logged: Logged) -> None:
        event, public = logged.entry["event"], logged.entry["public"]
        if event in METERS and (event == "release.item.released" or public["status"] in ("finished", "cancelled")):
            self._use(logged, METERS[event])
        elif event == "price.ceiling.set":
            self.ceilings[public["ceiling"]] = (public["price"], public["microfen"])
        elif event == "price.book.published":
            self._publish(logged.number, public)
        elif event == "authorization.agreement.compiled":
            terms = {**self._part(logged, "agreement"), "agreement": public["number"]}
            self.terms.update(dict.fromkeys(public["grants"], terms))
        elif event == "settlement.period.closed":
            self._close(logged)

    def _part(self, logged: Logged, name: str) -> Any:
        if name not in logged.payloads:
            raise Fault("payload-missing", f"需要监管方的导出 / a regulator's export is needed: {name}", logged.number)
        return logged.payloads[name]

    def _publish(self, index: int, public: Dict[str, Any]) -> None:
        book = json.loads(self.files.read(f"prices/{public['version']}.json") or b"")
        if hashlib.sha256(canonical(book)).hexdigest() != public["book"]:
            raise Fault("price", f"收费标准与条目不符 / the price book is not #{index}'s", index)
        for code, price in book["prices"].items():
            amounts, bound = [tier["microfen"] for tier in price["tiers"]], self.ceilings.get(price["ceiling"] or "")
            free = price["kind"] == "zero-rated" or max(amounts) == 0
            if min(amounts) < 0 or not (free or (bound and bound[0] == code and max(amounts) <= bound[1])):
                raise Fault("price", f"{code} 为负或高于上限 / {code} is negative or above its ceiling", index)
        self.books.append(book)

    def _use(self, logged: Logged, counted: str) -> None:
        entry, meter = logged.entry, "released_cells" if counted == "cells" else counted
        local = datetime.strptime(entry["time"], "%Y-%m-%dT%H:%M:%S.%fZ") + timedelta(hours=8)
        for use in sorted(self._part(logged, "usage")["datasets"], key=lambda one: str(one["dataset"])):
            if use[counted] > 0:
                line = {"index": logged.number, "dataset": use["dataset"], "meter": meter, "quantity": use[counted]}
                line.update(scenario=entry["scenario"], operator=entry["organisation"], price=use["price"])
                self.usage.append({**line, "_": {**use, "time": entry["time"], "month": local.strftime("%Y-%m")}})

    def _rated(self, month: str, size: int) -> List[Dict[str, Any]]:
        """The month's lines with their amounts; lines of one entry and price are charged together, then shared."""
        groups: Dict[Tuple[int, str], List[Dict[str, Any]]] = {}
        for line in self.usage:
            if line["_"]["month"] == month and line["index"] < size:
                groups.setdefault((line["index"], line["price"]), []).append(line)
        rated: List[Dict[str, Any]] = []
        position: Dict[Tuple[str, ...], int] = {}  # how much of the month's tiers is used up
        for (_, code), lines in sorted(groups.items()):
            first, weights = lines[0], [line["quantity"] for line in lines]
            valid = [book for book in self.books if book["effective_from"] <= first["_"]["time"]]
            book = max(valid, key=lambda one: int(one["version"])) if valid else None
            price = book["prices"].get(code) if book else None
            if book is None or price is None:
                rated += [{**line, "price_version": 0, "charged_microfen": 0, "shadow_microfen": 0} for line in lines]
            elif price["meter"] == first["meter"]:
                place = (first["operator"], first["scenario"], code)
                start = position.get(place, 0)
                position[place] = start + sum(weights)
                cost = cost_of(price, position[place]) - cost_of(price, start)
                for line, listed in zip(lines, share(cost, weights)):
                    free = price["kind"] == "zero-rated" or line["_"]["use"] == "public-interest"
                    amounts = {"charged_microfen": 0 if free else listed, "shadow_microfen": listed if free else 0}
                    rated.append({**line, "price_version": book["version"], **amounts})
        return rated

    def _close(self, logged: Logged) -> None:
        said, month = logged.entry["public"], logged.entry["public"]["period"]
        earlier = self.closed.setdefault(month, [])
        start, size = earlier[-1]["log_size"] if earlier else 0, said["log_size"]
        rated = self._rated(month, size)
        now, frontier = [line for line in rated if line["index"] >= start], Frontier()
        for line in now:
            frontier.append(leaf_hash(canonical({name: value for name, value in line.items() if name != "_"})))
        payers, issued = sorted({line["operator"] for line in now}), sum(len(one["invoices"]) for one in earlier)
        found = [self._invoice(said, issued + place, payer, rated, start) for place, payer in enumerate(payers)]
        mine = {"run": len(earlier) + 1, "first_size": start, "lines": len(now), "lines_root": frontier.root().hex()}
        mine["invoices"] = [
            {"invoice": one["invoice"], "payer": one["payer"], "sha256": hashlib.sha256(canonical(one)).hexdigest()}
            for one in found
        ]
        wrong = [name for name, value in mine.items() if said[name] != value]
        if wrong or size > logged.number:
            raise Fault("revenue", f"{month} 重算不一致 / recomputed {month} differs: {wrong}", logged.number)
        earlier.append(said)
        self.invoices += len(found)
        self.fen += sum(invoice["fen"] for invoice in found)

    def _invoice(self, said: Dict[str, Any], place: int, payer: str, rated: List[Any], start: int) -> Dict[str, Any]:
        groups: Dict[Tuple[str, str, str, int], List[Dict[str, Any]]] = {}
        for line in rated:
            key = (line["scenario"], self.terms[line["_"]["grant"]]["agreement"], line["price"], line["price_version"])
            if line["operator"] == payer:
                groups.setdefault(key, []).append(line)
        lines: List[Dict[str, Any]] = []
        for (scenario, agreement, price, version), group in sorted(groups.items()):
            now = [line for line in group if line["index"] >= start]
            if not now:
                continue
            before = sum(line["charged_microfen"] for line in group if line["index"] < start)
            exact = [before, sum(one["charged_microfen"] for one in group), sum(one["shadow_microfen"] for one in now)]
            old, new, shadow = [(microfen + 500_000) // 1_000_000 for microfen in exact]
            line = {"number": len(lines) + 1, "scenario": scenario, "agreement": agreement, "price": price}
            line.update(price_version=version, fen=new - old, allocations=self._parts(now, old, new))
            line.update({name: sum(one[name] for one in now) for name in ("quantity", "charged_microfen")})
            lines.append({**line, "entries": len({one["index"] for one in now}), "shadow_fen": shadow})
        number = f"I-{said['period']}-{letters(place)}"
        form = {"schema": 1, "invoice": number, "period": said["period"], "run": said["run"]}
        sums = {name: sum(line[name] for line in lines) for name in ("fen", "shadow_fen")}
        return {**form, **sums, "payer": payer, "payee": "platform", "lines": lines}

    def _parts(self, lines: List[Dict[str, Any]], old: int, new: int) -> List[Dict[str, Any]]:
        """Split the running total and post the difference; the providers' part goes by what each dataset earned."""
        terms = self.terms[lines[0]["_"]["grant"]]
        shares, parts = [Fraction(one["share"]) for one in terms["split"]], []
        for one, before, after in zip(terms["split"], share(old, shares), share(new, shares)):
            if one["party"] != "providers":
                parts.append({"party": one["party"], "dataset": "", "fen": after - before, "accounted": False})
                continue
            names = sorted({line["dataset"] for line in lines})
            earned = [sum(line["charged_microfen"] for line in lines if line["dataset"] == name) for name in names]
            owners = {term["dataset"]: term["provider"] for term in terms["terms"]}
            for name, fen in zip(names, share(after - before, earned)):
                parts.append({"party": owners[name], "dataset": name, "fen": fen, "accounted": True})
        return parts


def letters(place: int) -> str:
    return (letters(place // 26 - 1) if place >= 26 else "") + chr(65 + place % 26)


def cost_of(price: Dict[str, Any], quantity: int) -> int:
    """Micro-fen for the month's first `quantity`: each tier's part at that tier's price, rounded down once."""
    tiers = price["tiers"]
    ends = [quantity if tier["up_to"] is None else min(quantity, tier["up_to"]) for tier in tiers]
    parts = [max(end - start, 0) for start, end in zip([0, *ends], ends)]
    return sum(part * int(tier["microfen"]) for part, tier in zip(parts, tiers)) // int(price["unit"])


def share(total: int, weights: List[Any]) -> List[int]:
    """Largest remainder; ties go to the earlier one; no weight at all means equal parts."""
    weights = weights if sum(weights) else [1] * len(weights)
    exact = [Fraction(total) * weight / sum(weights) for weight in weights]
    parts = [each.numerator // each.denominator for each in exact]
    order = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[: total - sum(parts)]:
        parts[place] += 1
    return parts


def verify_revenue(arguments: argparse.Namespace) -> Dict[str, Any]:
    check = LogCheck(Files(arguments.place), given_key(arguments.key), None)
    revenue = Revenue(check.files)
    for logged in check.walk():
        try:
            revenue.take(logged)
        except (ValueError, KeyError, TypeError) as error:
            words = f"无法用于计费 / not fit for billing: #{logged.number} ({error!r})"
            raise Fault("revenue", words, logged.number) from error
    message = f"已重算结算单,全部一致 / invoices recomputed equal: {revenue.invoices}, {revenue.fen} fen in all"
    facts = {"size": check.checkpoint.size, "root": check.checkpoint.root.hex(), "invoices": revenue.invoices}
    return {**facts, "fen": revenue.fen, "message": message, "authentic": check.authentic}


def parse_arguments(words: List[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gongshu_verify.py", description=(__doc__ or "").split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], Dict[str, Any]], place: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name)
        added.add_argument(place)
        added.add_argument("--key", metavar="FILE", required=name == "receipt")
        added.add_argument("--json", action="store_true")
        added.set_defaults(run=run)
        return added

    command("log", verify_log, "place").add_argument("--old-checkpoint", metavar="FILE")
    command("consistency", verify_consistency, "place").add_argument("--old-checkpoint", metavar="FILE", required=True)
    command("receipt", verify_receipt, "file").add_argument("--entry", metavar="FILE")
    command("certificate", verify_certificate, "file").add_argument("--item", metavar="BYTES")
    command("revenue", verify_revenue, "place")
    return parser.parse_args(words)


def main(words: List[str]) -> int:
    arguments = parse_arguments(words)
    try:
        found = report(arguments.run, arguments)
    except Usage as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        print(("✓ " if found["ok"] else "✗ ") + str(found["message"]))
        if not found["ok"]:
            print(f"  {found['fault']}, 首个受影响条目 / first bad index: {found['first_bad_index']}")
        elif not found["authentic"]:
            print("  要证明真实,请用 --key 带上另行取得的密钥 / to prove it authentic, bring the key with --key")
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
