"""An export verifies by itself, shows each reader what is theirs, and its decisions replay; receipts stand alone."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey

from gongshu.audit.reading import Search, Viewer, find_entry, open_parts, search_entries
from gongshu.audit.receipts import prove
from gongshu.cli.replay import Outcome, decisions, replay
from gongshu.errors import NotFound
from tests.integration.audit.conftest import House, verify
from tests.parts.places import ROOT, TOOLS

REGULATOR = Viewer("audit", sees_all=True)


def test_the_untouched_export_verifies(exported: Path) -> None:
    found = verify(exported)
    assert found["ok"], found
    assert (exported / "bundles").is_dir()
    assert (exported / "prices" / "1.json").read_bytes() == b'{"version":1}'
    assert "SM2 signature agree" in found["message"]


def test_an_independent_reader_finds_the_same_log(exported: Path) -> None:
    reader = TilesReader(LocalBackend(exported))
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(Vkey.from_string((exported / "keys" / "log.vkey").read_text().strip()))
    assert reader.calculate_root_hash() == checkpoint.root_hash


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.12", "3.13"])
def test_older_and_newer_pythons_verify_alike(exported: Path, version: str) -> None:
    program = ROOT / "verify" / "gongshu_verify.py"
    try:
        done = subprocess.run(
            [f"python{version}", "-I", str(program), "log", str(exported)], capture_output=True, text=True
        )
    except FileNotFoundError:
        pytest.skip(f"no python{version} here")
    if "not found" in done.stderr:
        pytest.skip(f"no python{version} here")
    assert done.returncode == 0, done.stdout + done.stderr


def test_earlier_checkpoints_are_consistent(exported: Path) -> None:
    for old in (exported / "checkpoints").iterdir():
        assert verify(exported, "--old-checkpoint", str(old))["authentic"]
        assert verify(exported, "--old-checkpoint", str(old), command="consistency")["ok"]


def test_a_company_sees_its_own_parts_and_the_public_none(lived_in: House, tmp_path: Path) -> None:
    own = lived_in.export(tmp_path / "own", Viewer("operator-a"))
    other = lived_in.export(tmp_path / "other", Viewer("operator-b"))
    assert verify(own)["ok"] and verify(other)["ok"]
    assert "salt" in json.loads((own / "payloads" / "30.json").read_text())["who"]
    assert json.loads((other / "payloads" / "30.json").read_text()) == {"who": {"withheld": True}}
    assert "陈" not in "".join(path.read_text() for path in (other / "payloads").iterdir())


def test_erasure_keeps_every_proof_and_is_an_entry(exported: Path) -> None:
    assert json.loads((exported / "payloads" / "20.json").read_text()) == {"who": {"erased": True}}
    assert verify(exported)["ok"]


def test_every_decision_replays_equal(exported: Path, tmp_path: Path) -> None:
    outcome = replay(exported, TOOLS / "opa", tmp_path)
    assert outcome == Outcome(equal=3)


def test_replay_command_says_so(exported: Path) -> None:
    command = [str(Path(sys.executable).with_name("gongshu")), "replay", str(exported)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "GONGSHU_OPA": str(TOOLS / "opa")}
    )
    assert done.returncode == 0, done.stderr
    assert "3 条判定全部一致" in done.stdout


def test_replay_finds_altered_rules(copy_of: Callable[[], Path], tmp_path: Path) -> None:
    folder = copy_of()
    bundle = next((folder / "bundles").iterdir())
    rules = gzip.decompress(bundle.read_bytes())
    bundle.write_bytes(gzip.compress(rules.replace(b"revoked", b"rev0ked", 1), mtime=0))
    assert len(replay(folder, TOOLS / "opa", tmp_path).mismatches) == 3


def test_replay_finds_a_decision_that_was_never_made(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = list(decisions(exported, Outcome()))
    forged = [replace(one, answer={**one.answer, "allow": True}) for one in logged]
    monkeypatch.setattr("gongshu.cli.replay.decisions", lambda *_: iter(forged))
    outcome = replay(exported, TOOLS / "opa", tmp_path)
    assert (outcome.equal, len(outcome.mismatches)) == (1, 2)


def test_a_receipt_stands_alone(lived_in: House, exported: Path, tmp_path: Path) -> None:
    with lived_in.sessions() as session:
        entry = find_entry(session, REGULATOR, 300)
    proof = prove(lived_in.store, 300, entry.data)
    assert proof is not None and proof.good
    file, key = tmp_path / "300.tlog-proof", exported / "keys" / "log.vkey"
    file.write_text(proof.receipt(entry.data))
    found = verify(file, "--key", str(key), command="receipt")
    assert found["ok"] and "#300" in found["message"]
    for old, new in (("index 300", "index 301"), ("extra ey", "extra eX"), ("\n\nexample", "\nAAAA\n\nexample")):
        file.write_text(proof.receipt(entry.data).replace(old, new, 1))
        assert not verify(file, "--key", str(key), command="receipt")["ok"]


def test_entries_are_found_by_what_they_speak_of(lived_in: House) -> None:
    with lived_in.sessions() as session:
        by_dataset = search_entries(session, REGULATOR, Search(dataset="tourism.stays"), offset=0, limit=1000)
        assert len(by_dataset) == 683
        denied = search_entries(session, REGULATOR, Search(outcome="denied"), offset=0, limit=10)
        assert len(denied) == 2
        with pytest.raises(NotFound):
            find_entry(session, Viewer("operator-b"), 30)
        parts = open_parts(session, lived_in.vault, Viewer("operator-a"), [30])
        assert parts[30][0].payload["name"].startswith("陈")
