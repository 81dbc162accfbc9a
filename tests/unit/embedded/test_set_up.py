"""Set-up is safe to interrupt and to run again; accounts reach only what they must."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.embedded import setup, state, steps
from deploy.embedded.accounts import KEEPER, PARTS, SOCKET_GROUPS, Accounts
from deploy.embedded.errors import CannotGoOn
from deploy.embedded.parts import PARTS as TABLE
from deploy.embedded.places import ROOT, RunFolder
from deploy.embedded.steps import Step, carry_out


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(steps, "TOOLS", tmp_path)
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    return tmp_path


def test_a_step_that_is_done_is_not_done_again_until_its_source_changes(tools: Path) -> None:
    lock, made, runs = tools / "lock", tools / "made", []
    lock.write_text("1")

    def action(_: Step) -> None:
        runs.append(1)
        made.touch()

    for _ in range(2):
        carry_out([Step("one", action, [lock], [made])])
    assert len(runs) == 1
    lock.write_text("2")
    carry_out([Step("one", action, [lock], [made])])
    made.unlink()
    carry_out([Step("one", action, [lock], [made])])
    assert len(runs) == 3


def test_a_failed_step_says_its_last_words_and_the_next_run_goes_on(tools: Path) -> None:
    done: list[str] = []

    def first(_: Step) -> None:
        done.append("first")

    def broken(step: Step) -> None:
        step.run(["sh", "-c", "echo the registry is out of reach; exit 3"])

    with pytest.raises(CannotGoOn, match="the registry is out of reach"):
        carry_out([Step("first", first, ["1"]), Step("second", broken, ["1"], needs=["first"])])
    carry_out([Step("first", first, ["1"]), Step("second", lambda _: done.append("second"), ["1"], needs=["first"])])
    assert done == ["first", "second"]


def test_no_two_parts_share_a_uid_and_only_the_keeper_is_root() -> None:
    accounts = Accounts(separate=True, first_id=180_000)
    uids = {part: accounts.uid(part) for part in PARTS}
    assert len(set(uids.values())) == len(PARTS)
    assert [part for part, uid in uids.items() if uid == 0] == [KEEPER]
    assert accounts.become("portal")[0].endswith("setpriv")
    assert "--bounding-set=-all" in accounts.become("gateway")


def test_a_part_is_in_the_groups_of_the_sockets_it_uses_and_in_no_other() -> None:
    accounts = Accounts(separate=True, first_id=180_000)
    assert accounts.groups("opa") == [] == accounts.groups("minio")
    assert accounts.groups("doors") == [accounts.socket_gid(g) for g in ("hub", "internal", "gateway", "doors")]
    assert set(SOCKET_GROUPS["postgres"][1]) == {"hub", "portal", "gateway", "worker"}


def test_every_part_of_the_table_has_an_account_and_its_needs_come_before_it() -> None:
    seen: set[str] = set()
    for part in TABLE:
        assert part.name in PARTS
        assert set(part.needs) <= seen | {"portal"}, part.name
        seen.add(part.name)


def test_sockets_move_to_a_short_folder_where_the_path_would_be_too_long(tmp_path: Path) -> None:
    assert RunFolder(Path("/srv/g/.run")).sockets == Path("/srv/g/.run/sockets")
    deep = RunFolder(Path("/srv") / ("x" * 60) / ".run")
    assert len(os.fsencode(deep.sockets)) < 40
    assert deep.sockets != RunFolder(Path("/srv") / ("y" * 60) / ".run").sockets


def test_a_port_that_was_asked_for_and_is_taken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGSHU_PORT", "8099")
    monkeypatch.setattr(state, "_is_free", lambda _: False)
    with pytest.raises(CannotGoOn, match="8099"):
        state.choose_ports(RunFolder(tmp_path))


def test_what_no_lock_file_pins_is_pinned_in_one_place() -> None:
    versions = setup.read_versions()
    assert all("@v" in versions[name] for name in ("OPA_MODULE", "MINIO_MODULE"))
    for path in (ROOT / "deploy" / "embedded").glob("*.py"):
        assert versions["OPA_MODULE"].split("@")[1] not in path.read_text(), path
