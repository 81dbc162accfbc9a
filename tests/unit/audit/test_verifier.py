"""The outsider's verifier by itself: its Ed25519, its readers of foreign text, and its promise to need nothing."""

from __future__ import annotations

import ast
import importlib.util
import sys
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from gongshu.audit import places, tiles, tree
from gongshu.audit.note import Checkpoint, Signer
from tests.parts.places import ROOT

PROGRAM = ROOT / "verify" / "gongshu_verify.py"
ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gongshu_verify", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_imports_the_standard_library_alone_and_reads_on_python_3_9() -> None:
    found = ast.parse(PROGRAM.read_text(), feature_version=(3, 9))
    imported = {
        name.name.split(".")[0] for node in ast.walk(found) if isinstance(node, ast.Import) for name in node.names
    }
    imported |= {(node.module or "").split(".")[0] for node in ast.walk(found) if isinstance(node, ast.ImportFrom)}
    assert imported <= set(sys.stdlib_module_names)
    assert len(PROGRAM.read_text().splitlines()) <= 900


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_its_signatures_are_those_of_the_library(verifier: ModuleType, seed: bytes, message: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verifier.ed25519_good(public, message, signature)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not verifier.ed25519_good(public, message, bytes(flipped))
    assert not verifier.ed25519_good(public, message + b"x", signature)


def test_a_signature_has_one_spelling_only(verifier: ModuleType) -> None:
    """s + order would verify in a careless reader."""
    key = Ed25519PrivateKey.generate()
    signature = key.sign(b"m")
    twin = int.from_bytes(signature[32:], "little") + ORDER
    assert not verifier.ed25519_good(
        key.public_key().public_bytes_raw(), b"m", signature[:32] + twin.to_bytes(32, "little")
    )


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_no_bytes_make_its_readers_fail_in_any_other_way(verifier: ModuleType, data: bytes) -> None:
    for read in (verifier.parse_checkpoint, lambda d: verifier.parse_key(d.decode("latin-1"))):
        with pytest.raises(ValueError):
            read(data)


def test_a_checkpoint_with_one_changed_bit_is_refused(verifier: ModuleType) -> None:
    signer = Signer("example.test/log", Ed25519PrivateKey.generate())
    note = signer.sign(Checkpoint("example.test/log", 7, bytes(32)))
    key = verifier.parse_key(signer.verifier.text())
    assert verifier.signed_checkpoint(note, key, "it").size == 7
    for place in range(len(note)):
        changed = note[:place] + bytes([note[place] ^ 1]) + note[place + 1 :]
        with pytest.raises(verifier.Fault):
            verifier.signed_checkpoint(changed, key, "it")


@given(st.integers(0, 2**30), st.integers(0, 255))
def test_it_names_tiles_as_the_publisher_does(verifier: ModuleType, number: int, partial: int) -> None:
    path = tiles.tile_path("entries", number, partial)
    assert verifier.tile_path("entries", number, partial) == path
    assert verifier.tile_of(path) == ("entries", number, partial)


@settings(deadline=None)
@given(st.integers(1, 400), st.data())
def test_it_follows_proofs_as_the_publisher_makes_them(verifier: ModuleType, size: int, data: st.DataObject) -> None:
    leaves = [tree.leaf_hash(str(index).encode()) for index in range(size)]
    frontier = verifier.Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    hashes = tree.Hashes(lambda level, number: tree.root_of(leaves[number << level : (number + 1) << level]))
    assert frontier.root() == hashes.root(0, size)
    index = data.draw(st.integers(0, size - 1))
    path = hashes.inclusion(index, size)
    assert verifier.root_from_path(leaves[index], index, size, path) == frontier.root()
    assert verifier.root_from_path(leaves[index], index, size, [*path, path[0] if path else leaves[0]]) is None


def test_it_places_documents_where_the_publisher_does(verifier: ModuleType) -> None:
    for kind, place in verifier.BLOB_PLACES.items():
        assert place % "x" == places.blob_path({"kind": kind, "label": "x", "sha256": ""})
    assert set(verifier.BLOB_PLACES) == set(places.BLOB_PLACES)
