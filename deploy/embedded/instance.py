"""Starts and stops one whole house in one run folder. Used by `make demo`, the tests and the benches.

    house = start(Path(".run/test"))        # every part well, or CannotGoOn with the failing part's last words
    ...
    stop(Path(".run/test"))                 # exactly what was started; the state stays

Parts start side by side, each as soon as what it needs is well. Starting a house that runs is a no-op
for the parts that are well.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from xmlrpc.client import Fault

from deploy.embedded import configuration, folders, postgres, recorder, store, supervision
from deploy.embedded.accounts import accounts_for
from deploy.embedded.configuration import House
from deploy.embedded.errors import CannotGoOn
from deploy.embedded.keys import Keys
from deploy.embedded.parts import PARTS, Part
from deploy.embedded.places import RunFolder
from deploy.embedded.state import choose_ports, remembered_ports

Say = Callable[[str], None]
RECORD_SECONDS = 15.0
ATTEMPTS = 3  # a part that fails so often at its first start is reported with its last words


def start(
    run_path: Path, *, parts: Sequence[str] | None = None, say: Say = print, keep_when_failed: bool = False
) -> House:
    """Bring the house up. parts: names to start (what they need is started too), all by default.

    Raises CannotGoOn, after stopping what it had started, when a part does not become well.
    """
    run = RunFolder(run_path.resolve())
    wanted = _with_needs(parts)
    if supervision.running(run):
        house = open_house(run_path)
    else:
        house = _prepare(run)
        if not house.accounts.separate:
            say("  Every part runs under your own account, none apart from the others: for the demo only.")
            say("  各部分都以您的账户运行,彼此不隔离:仅供演示。")
        programs = [_program(house, part, index) for index, part in enumerate(PARTS)]
        supervision.launch(run, house.accounts, supervision.write_configuration(run, programs))
    try:
        _start_parts(house, wanted, say)
    except BaseException:
        if not keep_when_failed:
            stop(run_path)
        raise
    return house


def stop(run_path: Path) -> bool:
    """Stop every part of this run folder and nothing else. False when nothing was running."""
    run = RunFolder(run_path.resolve())
    supervisor = supervision.running(run)
    if supervisor is None:
        return False
    supervision.stop(supervisor)
    return True


def open_house(run_path: Path) -> House:
    """The house of a run folder as it was started last."""
    run = RunFolder(run_path.resolve())
    accounts = accounts_for(run.path)
    return House(run, accounts, Keys(run, accounts), remembered_ports(run))


def _prepare(run: RunFolder) -> House:
    """Folders, secrets and settings files. Idempotent."""
    accounts = accounts_for(run.path)
    folders.make(run, accounts)
    house = House(run, accounts, Keys(run, accounts), choose_ports(run))
    store.prepare(run, house.keys)
    postgres.prepare(house.keys)
    configuration.make_secrets(house)
    configuration.write_all(house)
    return house


def _program(house: House, part: Part, index: int) -> supervision.Program:
    home = house.run.path / "work" / part.name
    environment = {"HOME": str(home), "TMPDIR": "/tmp", "PYTHONUNBUFFERED": "1", **part.environment(house)}
    command = [*house.accounts.become(part.name), *part.command(house)]
    return supervision.Program(part.name, command, environment, part.stop_signal, 100 + index)


def _with_needs(names: Sequence[str] | None) -> list[Part]:
    by_name = {part.name: part for part in PARTS}
    wanted: set[str] = set()
    waiting = list(names or by_name)
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        waiting += by_name[name].needs
    return [part for part in PARTS if part.name in wanted]


def _start_parts(house: House, parts: list[Part], say: Say) -> None:
    began = time.monotonic()
    well = {part.name: threading.Event() for part in parts}
    given_up = threading.Event()
    with ThreadPoolExecutor(len(parts)) as pool:
        running = [pool.submit(_start_part, house, part, well, given_up, say) for part in parts]
        done, _ = wait(running, return_when=FIRST_EXCEPTION)
        if any(task.exception() for task in done):
            given_up.set()
    for task in running:
        task.result()
    _wait_until_recorded(house, parts)
    say(f"  all parts are well ({time.monotonic() - began:.1f} s)")


def _wait_until_recorded(house: House, parts: list[Part]) -> None:
    """The recorder hears of each start a moment later; whoever reads the pids must find every part."""
    deadline = time.monotonic() + RECORD_SECONDS
    api = supervision.proxy(house.run).supervisor
    for part in parts:
        while recorder.pids(house.run).get(part.name) != api.getProcessInfo(part.name)["pid"]:
            if time.monotonic() > deadline:
                raise CannotGoOn(f"The pid of {part.name} was not noted.", "See recorder.log.")
            time.sleep(0.05)


def _start_part(
    house: House, part: Part, well: dict[str, threading.Event], given_up: threading.Event, say: Say
) -> None:
    for name in part.needs:
        while not well[name].wait(0.05):
            if given_up.is_set():
                return
    began = time.monotonic()
    part.prepare(house)
    api = supervision.proxy(house.run).supervisor
    try:
        api.startProcess(part.name, False)
    except Fault as fault:
        if "ALREADY_STARTED" not in fault.faultString:
            raise CannotGoOn(f"{part.name} cannot be started: {fault.faultString}", "See its log.") from fault
    _wait_until_well(house, part, given_up)
    part.settle(house)
    well[part.name].set()
    say(f"  {part.name:<9} well after {time.monotonic() - began:4.1f} s")


def _wait_until_well(house: House, part: Part, given_up: threading.Event) -> None:
    deadline = time.monotonic() + part.patience_seconds
    api = supervision.proxy(house.run).supervisor
    last: OSError | None = None
    attempts: set[int] = set()
    while time.monotonic() < deadline and len(attempts) < ATTEMPTS and not given_up.is_set():
        state = api.getProcessInfo(part.name)
        if state["statename"] == "BACKOFF":
            attempts.add(int(state["start"]))
        try:
            part.is_well(house)
            if state["statename"] in ("STARTING", "RUNNING"):
                return
        except OSError as error:
            last = error
        time.sleep(0.1)
    if not given_up.is_set():
        words = "\n    ".join(_last_words(house.run, part.name))
        raise CannotGoOn(
            f"{part.name} did not become well ({last}).\n    {words}\n", f"Log: {house.run.log(part.name)}"
        )


def _last_words(run: RunFolder, part: str) -> list[str]:
    try:
        return run.log(part).read_text(errors="replace").splitlines()[-12:]
    except OSError:
        return []


def fresh(run_path: Path, keep: Sequence[str] = ()) -> None:
    """Throw a stopped house away, with its state. keep: names in the run folder that stay."""
    run = RunFolder(run_path.resolve())
    if supervision.running(run):
        raise CannotGoOn("The house is running.", "Run make stop first.")
    for entry in run.path.iterdir() if run.path.exists() else ():
        if entry.name in keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink()
    if run.sockets != run.path / "sockets":
        shutil.rmtree(run.sockets, ignore_errors=True)
