"""The house rules that a machine can hold: imports go one way, files stay rooms, locks stay canonical."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.parts.places import ROOT

CODE = ("platform/gongshu", "sandbox", "verify", "deploy", "demo", "bench", "tests")
LOCKS = ("uv.lock", "package-lock.json", "sandbox/image/uv.lock")
# The public registries' own addresses; anything else in a lock file is somebody's mirror.
CANONICAL_HOSTS = {"pypi.org", "files.pythonhosted.org", "registry.npmjs.org"}


def _tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_rooms_import_downwards_only() -> None:
    """The contract of pyproject.toml, checked by import-linter itself."""
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-3000:]


def test_platform_is_a_folder_and_never_a_package() -> None:
    """`platform/__init__.py` would shadow the standard library's module."""
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_no_corridors() -> None:
    names = {path.stem for path in _tracked(*(f"{place}/*.py" for place in CODE))}
    assert not names & {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def test_files_stay_small_enough_to_read() -> None:
    """Past 400 lines a file is split by meaning; the verifier is one file by promise, with a cap of its own."""
    verifier = ROOT / "verify" / "gongshu_verify.py"
    long = {str(p.relative_to(ROOT)): n for p in _tracked("*.py") if (n := len(p.read_text().splitlines())) > 400}
    assert long.pop(str(verifier.relative_to(ROOT)), 0) <= 900
    assert not long


def test_every_module_says_what_it_is_for() -> None:
    silent = []
    for path in _tracked(*(f"{place}/*.py" for place in CODE)):
        # A ruff line may stand first; the demo's cells open as an analyst's do, with a comment.
        lines = [line for line in path.read_text().splitlines() if not line.startswith("# ruff:")]
        text = "\n".join(lines).lstrip()
        if text.startswith("# ") and path.parent.name == "cells":
            continue
        if text and not text.startswith(('"""', "'''", 'r"""', "#!")):
            silent.append(str(path.relative_to(ROOT)))
    assert not silent


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_files_name_only_the_public_registries(lock: str) -> None:
    # An npm lock also names where to send thanks; only "resolved" is where bytes come from.
    pattern = r'"resolved": "(https?://[^"]+)"' if lock.endswith(".json") else r'(https?://[^\s"]+)'
    hosts = {urlsplit(url).hostname for url in re.findall(pattern, (ROOT / lock).read_text())}
    assert hosts <= CANONICAL_HOSTS


def test_nothing_committed_names_a_folder_of_somebodys_machine() -> None:
    """Absolute paths of one machine make a clone elsewhere break in the dark."""
    pattern = re.compile(r"(?<![\w.])/(?:root|work|home/\w+)/\w")
    found = []
    for path in _tracked("*.py", "*.md", "*.toml", "*.json", "Makefile", "*.xml", "*.cfg", "*.rego", "*.sh"):
        if path == Path(__file__) or path.name == "package-lock.json":
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found
