"""Finding and ending exactly the processes that a house started, by pid and start time.

A pid alone can be reused; together with the start time it names one process for ever. Nothing is ever
ended by name.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    pid: int
    started: int  # clock ticks since boot, from /proc/PID/stat

    def is_alive(self) -> bool:
        found = _stat(self.pid)
        return found is not None and found[1] == self.started and found[2] != "Z"

    def send(self, number: signal.Signals) -> None:
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def identify(pid: int) -> Process | None:
    found = _stat(pid)
    return Process(pid, found[1]) if found else None


def family(root: Process) -> list[Process]:
    """`root` and all its descendants, as they are now."""
    children: dict[int, list[Process]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (found := _stat(int(entry.name))):
            children.setdefault(found[0], []).append(Process(int(entry.name), found[1]))
    found_all, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found_all.append(process)
        waiting += children.get(process.pid, [])
    return found_all


def end(processes: list[Process], grace_seconds: float) -> None:
    """Wait for the processes to end by themselves; kill those that have not within the grace time."""
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and any(p.is_alive() for p in processes):
        time.sleep(0.1)
    for process in processes:
        process.send(signal.SIGKILL)


def _stat(pid: int) -> tuple[int, int, str] | None:
    """Parent, start time and state of a process, or None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return int(fields[1]), int(fields[19]), fields[0]
