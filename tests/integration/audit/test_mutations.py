"""Whatever is changed in an exported log, an outsider finds it, and finds where. The untouched log always passes."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gongshu.audit.note import Checkpoint, Signer, VerifierKey, read_checkpoint
from gongshu.audit.tiles import WIDTH, TileGrower, bundle, tile_path, unbundle
from gongshu.audit.tree import leaf_hash
from tests.parts.places import ROOT

ROUNDS = int(os.environ.get("GONGSHU_MUTATIONS", "520"))


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    """The outsider's program, loaded once: a process for each of hundreds of runs would only be slow."""
    spec = importlib.util.spec_from_file_location("gongshu_verify", ROOT / "verify" / "gongshu_verify.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Log:
    """An exported log in a folder, with what is needed to change it and to put it back."""

    def __init__(self, folder: Path, module: ModuleType) -> None:
        self.folder, self.module = folder, module
        self.size = int(self.read("checkpoint").split(b"\n")[1])
        self.files = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
        self._before: dict[str, bytes | None] = {}

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def write(self, name: str, data: bytes | None) -> None:
        path = self.folder / name
        self._before.setdefault(name, path.read_bytes() if path.exists() else None)
        if data is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def restore(self) -> None:
        for name, data in self._before.items():
            self._before = {}
            self.write(name, data)
        self._before = {}

    def check(self, *words: str) -> dict[str, object]:
        arguments = self.module.parse_arguments(["log", str(self.folder), *words])
        return dict(self.module.report(arguments.run, arguments))

    def bundle_of(self, index: int) -> tuple[str, list[bytes]]:
        start = index - index % WIDTH
        name = tile_path("entries", start // WIDTH, 0 if start + WIDTH <= self.size else self.size % WIDTH)
        return name, unbundle(self.read(name))

    def entries(self) -> list[bytes]:
        return [entry for start in range(0, self.size, WIDTH) for entry in self.bundle_of(start)[1]]


@pytest.fixture
def log(copy_of: Callable[[], Path], verifier: ModuleType) -> Log:
    return Log(copy_of(), verifier)


def mutations(log: Log, luck: random.Random) -> Iterator[tuple[str, int | None]]:
    """One change after another; yields its name and the first index it damages (None: not tied to one)."""
    while True:
        index = luck.randrange(log.size)
        name, entries = log.bundle_of(index)
        start, place = index - index % WIDTH, index % WIDTH
        kind = luck.choice(("bit", "any-file", "reorder", "drop", "repeat", "payload-swap", "payload-drop", "tile"))
        if kind == "bit":
            changed = bytearray(entries[place])
            changed[luck.randrange(len(changed))] ^= 1 << luck.randrange(8)
            log.write(name, bundle([*entries[:place], bytes(changed), *entries[place + 1 :]]))
            yield kind, index
        elif kind == "any-file":
            victim = luck.choice(log.files)
            data = bytearray(log.read(victim))
            data[luck.randrange(len(data))] ^= 1 << luck.randrange(8)
            log.write(victim, bytes(data))
            yield f"{kind}:{victim}", None
        elif kind == "reorder" and place + 1 < len(entries):
            entries[place], entries[place + 1] = entries[place + 1], entries[place]
            log.write(name, bundle(entries))
            yield kind, index
        elif kind == "drop":
            log.write(name, bundle(entries[:place] + entries[place + 1 :]))
            yield kind, index
        elif kind == "repeat":
            log.write(name, bundle([*entries[: place + 1], entries[place], *entries[place + 1 :]]))
            yield kind, index + 1
        elif kind == "payload-swap" and 50 < index < log.size - 20:
            first, second = f"payloads/{index}.json", f"payloads/{index + 1}.json"
            if first in log.files and second in log.files:
                one, other = log.read(first), log.read(second)
                log.write(first, other)
                log.write(second, one)
                yield kind, index
        elif kind == "payload-drop" and f"payloads/{index}.json" in log.files:
            log.write(f"payloads/{index}.json", None)
            yield kind, index
        elif kind == "tile":
            path = tile_path(0, start // WIDTH, 0 if start + WIDTH <= log.size else log.size % WIDTH)
            data = bytearray(log.read(path))
            data[place * 32 + luck.randrange(32)] ^= 1 << luck.randrange(8)
            log.write(path, bytes(data))
            yield kind, index


def test_every_random_change_is_found_at_its_place(log: Log) -> None:
    luck = random.Random(20261122)
    assert log.check()["ok"]
    changes = mutations(log, luck)
    for _ in range(ROUNDS):
        what, index = next(changes)
        found = log.check()
        assert not found["ok"], what
        if index is not None:
            assert found["first_bad_index"] == index, (what, index, found)
        log.restore()
    assert log.check()["ok"]


def rewrite(log: Log, entries: list[bytes], signer: Signer | None = None) -> None:
    """What a thorough forger would do: new entries, new tiles, and a new checkpoint where there is a key."""
    grower, files = TileGrower(), {}
    for entry in entries:
        grower.append(leaf_hash(entry))
        files |= grower.take_completed()
    files |= grower.open_tiles()
    for start in range(0, len(entries), WIDTH):
        part = entries[start : start + WIDTH]
        files[tile_path("entries", start // WIDTH, len(part) % WIDTH)] = bundle(part)
    for name in log.files:
        if name.startswith("tile/"):
            log.write(name, None)
    for name, data in files.items():
        log.write(name, data)
    if signer:
        log.write("checkpoint", signer.sign(Checkpoint(signer.origin, len(entries), grower.frontier.root())))
        log.write("keys/log.vkey", signer.verifier.text().encode())


def test_a_consistent_forgery_is_bracketed_by_the_earlier_checkpoints(log: Log) -> None:
    entries = log.entries()
    entries[400] = entries[400].replace(b'"n":', b'"m":', 1)
    rewrite(log, entries)
    found = log.check()
    sizes = sorted(int(name.rpartition("/")[2]) for name in log.files if name.startswith("checkpoints/"))
    assert found["fault"] == "fork"
    assert found["first_bad_index"] == max(size for size in sizes if size <= 400)


def test_a_forgery_with_a_swapped_key_is_found_by_whoever_holds_the_key(log: Log, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(log.read("keys/log.vkey"))
    thief = Signer("example.test/log", Ed25519PrivateKey.generate())
    rewrite(log, log.entries()[:-5], thief)
    for name in [name for name in log.files if name.startswith(("checkpoints/", "payloads/"))]:
        log.write(name, None)
    assert log.check("--key", str(key))["fault"] == "key"
    assert not log.check()["ok"]  # the log's own entries pin its key


def test_an_old_checkpoint_put_back_is_found(log: Log) -> None:
    key = VerifierKey.parse(log.read("keys/log.vkey").decode())
    for name in [name for name in log.files if name.startswith("checkpoints/")]:
        old = read_checkpoint(log.read(name), key)
        if old.size == log.size:
            continue
        log.write("checkpoint", log.read(name))
        found = log.check()
        assert (found["fault"], found["first_bad_index"]) == ("truncated", old.size)
        log.restore()


def test_a_truncated_log_is_found_at_its_end(log: Log) -> None:
    last = log.size - log.size % WIDTH
    log.write(tile_path("entries", last // WIDTH, log.size % WIDTH), None)
    found = log.check()
    assert (found["fault"], found["first_bad_index"]) == ("truncated", last)


def test_a_shorter_log_is_found_by_whoever_holds_a_later_checkpoint(log: Log, exported: Path) -> None:
    shorter = min((name for name in log.files if name.startswith("checkpoints/")), key=lambda n: int(n[12:]))
    size = int(shorter[12:])
    rewrite(log, log.entries()[:size])
    log.write("checkpoint", log.read(shorter))
    for name in log.files:
        if name.startswith(("checkpoints/", "seal/")):
            log.write(name, None)
        if name.startswith("payloads/") and int(name[9:-5]) >= size:
            log.write(name, None)
    assert log.check()["ok"]  # by itself it is a good, shorter log
    found = log.check("--old-checkpoint", str(exported / "checkpoint"))
    assert (found["fault"], found["first_bad_index"]) == ("truncated", size)


@pytest.mark.parametrize("folder", ["bundles", "prices", "blobs", "payloads"])
def test_a_file_that_no_entry_names_is_found(log: Log, folder: str) -> None:
    log.write(f"{folder}/999999.json", b"{}")
    assert log.check()["fault"] == "unexpected-file"


@pytest.mark.parametrize("folder", ["bundles", "prices", "blobs"])
def test_a_missing_document_is_found(log: Log, folder: str) -> None:
    victim = next(name for name in log.files if name.startswith(folder))
    log.write(victim, None)
    found = log.check()
    assert found["fault"] == "missing-file"
    assert isinstance(found["first_bad_index"], int)


def test_an_erasure_that_was_never_logged_is_found(log: Log) -> None:
    log.write("payloads/33.json", b'{"who":{"erased":true}}')
    found = log.check()
    assert (found["fault"], found["first_bad_index"]) == ("payload-missing", 33)


def test_what_cannot_be_tried_is_usage_and_never_damage(verifier: ModuleType, tmp_path: Path) -> None:
    assert verifier.main(["log", str(tmp_path / "absent")]) == 2
    shutil.copy(__file__, tmp_path / "key")
    assert verifier.main(["log", str(tmp_path), "--key", str(tmp_path / "key")]) == 2
