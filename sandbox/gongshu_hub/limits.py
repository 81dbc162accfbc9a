"""Memory, processes and processor time of one sandbox: cgroup v2, cgroup v1, else the kernel's per-process limits.

It decides which of them this machine offers and says so; it never pretends a limit that is not there.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import resource
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PERIOD_US = 100_000
REMOVE_TRIES = 10
MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    memory_mib: int
    processes: int
    cpus: int


@dataclass(frozen=True)
class Cage:
    """The cgroup directories of one sandbox; empty when the machine offers none."""

    directories: tuple[Path, ...]

    @property
    def kind(self) -> str:
        if not self.directories:
            return "rlimit"
        return "cgroup v1" if len(self.directories) > 1 else "cgroup v2"

    def join(self, pids: list[int]) -> None:
        for directory in self.directories:
            for pid in pids:
                (directory / "cgroup.procs").write_text(str(pid))

    async def remove(self) -> None:
        """Remove the directories; a last process may still be leaving, so it is tried for a second."""
        left = list(self.directories)
        for _ in range(REMOVE_TRIES):
            left = [directory for directory in left if not _removed(directory)]
            if not left:
                return
            await asyncio.sleep(0.1)


def _removed(directory: Path) -> bool:
    with contextlib.suppress(OSError):
        directory.rmdir()
    return not directory.exists()


def make_cage(house: Path, number: int, limits: Limits) -> Cage:
    """Make the sandbox's cgroups where this process may; `house` tells two checkouts apart."""
    name = f"gongshu-{hashlib.sha256(str(house).encode()).hexdigest()[:8]}-{number}"
    for make in (_version_2, _version_1):
        try:
            return make(name, limits)
        except OSError:
            continue
    return Cage(())


def _version_2(name: str, limits: Limits) -> Cage:
    offered = (CGROUPS / "cgroup.controllers").read_text().split()
    if not {"memory", "pids"} <= set(offered):
        raise OSError("controllers missing")
    directory = CGROUPS / name
    directory.mkdir(exist_ok=True)
    (directory / "memory.max").write_text(str(limits.memory_mib * MIB))
    (directory / "pids.max").write_text(str(limits.processes))
    if "cpu" in offered:
        (directory / "cpu.max").write_text(f"{limits.cpus * PERIOD_US} {PERIOD_US}")
    return Cage((directory,))


def _version_1(name: str, limits: Limits) -> Cage:
    values = {
        "memory": {"memory.limit_in_bytes": limits.memory_mib * MIB},
        "pids": {"pids.max": limits.processes},
        "cpu": {"cpu.cfs_period_us": PERIOD_US, "cpu.cfs_quota_us": limits.cpus * PERIOD_US},
    }
    made: list[Path] = []
    for controller, settings in values.items():
        directory = CGROUPS / controller / name
        if not os.access(directory.parent, os.W_OK):
            raise OSError("not writable")
        directory.mkdir(exist_ok=True)
        made.append(directory)
        for file, value in settings.items():
            (directory / file).write_text(str(value))
    return Cage(tuple(made))


def limit_process(limits: Limits, own_uid: bool) -> None:
    """Called in the child before bubblewrap: what the kernel limits for each process or uid."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096 * MIB, 4096 * MIB))
    if own_uid:  # it counts a whole uid: in ordinary-user mode it would hit the person's other programs
        resource.setrlimit(resource.RLIMIT_NPROC, (limits.processes, limits.processes))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
