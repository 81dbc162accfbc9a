"""The Rego itself: strictly typed, tested in tables, free of clocks and networks, and bundled the same every time."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from gongshu.authorization.documents import REQUIRED_TO_SIGN
from gongshu.policy import REASON_CODES, build_bundle, content_revision, read_bundle
from gongshu.policy.bundle import policies_dir
from tests.parts.places import TOOLS

OPA = TOOLS / "opa"
# What would make the same question answer differently at another time or place.
FOREIGN = ("http.send", "time.now_ns", "opa.runtime", "rand.intn", "uuid.rfc4122", "net.lookup_ip_addr", "trace")


def _opa(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([OPA, *map(str, arguments)], capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def closed_capabilities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OPA's capabilities without clock, network and chance."""
    capabilities = json.loads(_opa("capabilities", "--current").stdout)
    names = {one["name"] for one in capabilities["builtins"]}
    assert set(FOREIGN) <= names
    capabilities["builtins"] = [one for one in capabilities["builtins"] if one["name"] not in FOREIGN]
    path = tmp_path_factory.mktemp("opa") / "capabilities.json"
    path.write_text(json.dumps(capabilities))
    return path


def test_rules_check_strictly_against_their_schemas_without_clock_or_network(closed_capabilities: Path) -> None:
    root = policies_dir()
    checked = _opa(
        "check", "--strict", "--bundle", "--schema", root / "schemas", "--capabilities", closed_capabilities, root
    )
    assert checked.returncode == 0, checked.stderr


def test_rules_pass_their_tables() -> None:
    tested = _opa("test", "--bundle", policies_dir())
    assert tested.returncode == 0, tested.stdout[-2000:]


def test_rules_are_formatted() -> None:
    assert _opa("fmt", "--list", policies_dir()).stdout == ""


def test_every_reason_has_words() -> None:
    """A code that the Rego can give and nobody can read would turn into 'policy unavailable'."""
    import re  # only here

    given: set[str] = set()
    for path in policies_dir().rglob("*.rego"):
        if not path.stem.endswith("_test"):
            text = path.read_text()
            given |= set(re.findall(r'reason\("([a-z-]+)"', text)) | set(re.findall(r'"code": "([a-z-]+)"', text))
    assert len(given) > 25
    assert given <= REASON_CODES


def test_documents_to_sign_are_those_of_the_policy_data() -> None:
    rules = json.loads((policies_dir() / "gongshu" / "rules" / "data.json").read_text())
    assert tuple(rules["agreement"]["documents"]) == REQUIRED_TO_SIGN


def test_the_same_rules_give_the_same_bundle_and_other_rules_another_revision(tmp_path: Path) -> None:
    first, second = build_bundle(), build_bundle()
    assert first == second
    assert content_revision(first.data) == first.revision
    path = tmp_path / "bundle.tar.gz"
    path.write_bytes(first.data)
    assert read_bundle(path).revision == first.revision
    rules = tmp_path / "gongshu" / "authorization"
    rules.mkdir(parents=True)
    (rules / "decision.rego").write_text("package gongshu.authorization\n\ndecision := {}\n")
    assert build_bundle(tmp_path).revision != first.revision
