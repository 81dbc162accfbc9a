"""The tree, its tiles and its notes agree with an independent implementation (tlog-scales) for every size."""

from __future__ import annotations

import hashlib
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from tlog_scales import tiles as oracle_tiles
from tlog_scales.reader import TilesReader
from tlog_scales.signing import PlainEd25519Signer, Vkey
from tlog_scales.tlog import Checkpoint as OracleCheckpoint
from tlog_scales.tlog import ConsistencyProof, InclusionProof

from gongshu.audit.note import Checkpoint, Signer, VerifierKey, read_checkpoint
from gongshu.audit.tiles import ENTRIES, WIDTH, TileGrower, TileReader, bundle, tile_path, tile_paths, unbundle
from gongshu.audit.tree import leaf_hash, root_from_path


def published(size: int) -> tuple[dict[str, bytes], bytes]:
    """The tiles of a log of numbered entries, as the publisher makes them, and its root."""
    grower, files = TileGrower(), {}
    entries = [f"entry {index}".encode() for index in range(size)]
    for entry in entries:
        grower.append(leaf_hash(entry))
        files |= grower.take_completed()
    files |= grower.open_tiles()
    for start in range(0, size, WIDTH):
        part = entries[start : start + WIDTH]
        files[tile_path(ENTRIES, start // WIDTH, len(part) % WIDTH)] = bundle(part)
    return files, grower.frontier.root()


class Oracle:
    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def get(self, *path: str) -> bytes | None:
        return self.files.get("/".join(path))


SIZES = st.one_of(st.integers(1, 600), st.sampled_from([255, 256, 257, 511, 512, 513, 1024]))


@settings(max_examples=60, deadline=None)
@given(SIZES, st.data())
def test_roots_and_proofs_agree_with_an_independent_reader(size: int, data: st.DataObject) -> None:
    files, root = published(size)
    oracle, ours = TilesReader(Oracle(files)), TileReader(files.get, size)
    oracle.set_size(size)
    assert ours.hashes.root(0, size) == root == oracle.calculate_root_hash()
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    path = ours.hashes.inclusion(index, size)
    assert path == oracle.get_inclusion_proof(index, size).node_hashes
    leaf = leaf_hash(oracle.get_entry(index))
    InclusionProof(index, size, path).check(leaf, root)
    assert root_from_path(leaf, index, size, path) == root
    consistency = ours.hashes.consistency(old, size)
    assert consistency == oracle.get_consistency_proof(old, size).node_hashes
    ConsistencyProof(old, size, consistency).check(published(old)[1], root)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 70_000))
def test_a_log_consists_of_exactly_the_tiles_of_the_format(size: int) -> None:
    wanted = set()
    for level in range(3):
        full, partial = oracle_tiles.level_tiles(size, level)
        for kind in (level, -1) if level == 0 else (level,):
            wanted |= {"/".join(oracle_tiles.tile_path(kind, n)) for n in range(full)}
            wanted |= {"/".join(oracle_tiles.tile_path(kind, full, partial))} if partial else set()
    assert set(tile_paths(size)) == wanted


def test_the_publisher_makes_exactly_these_tiles() -> None:
    files, _ = published(700)
    assert set(tile_paths(700)) == set(files)


@given(st.integers(0, 2**40))
def test_tile_paths_are_those_of_the_format(number: int) -> None:
    assert tile_path(0, number) == "/".join(oracle_tiles.tile_path(0, number))


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_round_trip(entries: list[bytes]) -> None:
    assert unbundle(bundle(entries)) == entries


def test_a_cut_bundle_is_refused() -> None:
    with pytest.raises(ValueError):
        unbundle(bundle([b"one", b"two"])[:-1])


def test_checkpoints_are_those_of_an_independent_signer() -> None:
    seed = secrets.token_bytes(32)
    signer = Signer("example.test/log", Ed25519PrivateKey.from_private_bytes(seed))
    root = hashlib.sha256(b"root").digest()
    note = signer.sign(Checkpoint("example.test/log", 7, root))
    theirs = PlainEd25519Signer("example.test/log", seed)
    assert note.decode() == OracleCheckpoint.make_signed("example.test/log", 7, root, [theirs]).serialize()
    assert signer.verifier.text() == theirs.vkey.serialize()
    OracleCheckpoint.from_text(note.decode()).verify(Vkey.from_string(signer.verifier.text()))
    assert read_checkpoint(note, VerifierKey.parse(signer.verifier.text())).root == root


def test_a_checkpoint_with_one_changed_bit_is_refused() -> None:
    signer = Signer("example.test/log", Ed25519PrivateKey.generate())
    note = signer.sign(Checkpoint("example.test/log", 7, bytes(32)))
    for place in range(len(note)):
        with pytest.raises(ValueError):
            read_checkpoint(note[:place] + bytes([note[place] ^ 1]) + note[place + 1 :], signer.verifier)
