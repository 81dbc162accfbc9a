"""Start one bubblewrap as the tenant and put it into its cage, before anything of the tenant runs.

As root the uid is dropped before bubblewrap starts (run as root it would map the inside user to real
root); bubblewrap waits on a descriptor until the cgroups hold it. Only the keeper's main thread starts
sandboxes: the kernel ends them when that thread ends.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gongshu_hub.bubblewrap import Room, data_descriptor, write_arguments
from gongshu_hub.limits import Cage, Limits, limit_process, make_cage
from gongshu_hub.registry import Place
from gongshu_hub.settings import HubSettings

START_SECONDS = 15.0


class LaunchError(Exception):
    """Bubblewrap did not start; the message says why in both languages."""


@dataclass(frozen=True)
class Launch:
    """One start: who, where, what, with which descriptors inside."""

    place: Place
    room: Room
    command: list[str]
    environment: dict[str, str]
    inside_descriptors: tuple[int, ...] = ()
    log: Path | None = None


class Launcher:
    """Knows the machine's bubblewrap, uids and limits."""

    def __init__(self, settings: HubSettings) -> None:
        self.bubblewrap = str(settings.need("bubblewrap"))
        self.house = Path(settings.need("state_dir"))
        self.own_uid = settings.tenant_uid_base is not None
        self.limits = Limits(settings.memory_mib, settings.processes, settings.cpus)

    async def start(self, launch: Launch) -> tuple[asyncio.subprocess.Process, Cage]:
        """Start it. Raises LaunchError with bubblewrap's own words when it refuses."""
        arguments, descriptors = write_arguments(launch.room, launch.command)
        arguments_end = data_descriptor("\0".join(_before_command(arguments)).encode())
        gate_out, gate_in = os.pipe()
        info_out, info_in = os.pipe()
        passed = [*descriptors, *launch.inside_descriptors, arguments_end, gate_out, info_in]
        line = [self.bubblewrap, "--args", str(arguments_end), "--info-fd", str(info_in), "--block-fd", str(gate_out)]
        cage = make_cage(self.house, launch.place.number, self.limits)
        try:
            process = await self._spawn([*line, "--", *launch.command], launch, passed)
        finally:
            for number in (*descriptors, arguments_end, gate_out, info_in):
                os.close(number)
        try:
            child = await asyncio.wait_for(asyncio.to_thread(_child_of, info_out), START_SECONDS)
            if child:
                cage.join([process.pid, child])
                os.write(gate_in, b"\0")
        except (OSError, TimeoutError) as error:
            process.kill()
            raise LaunchError(f"沙箱没有启动。The sandbox did not start: {type(error).__name__}") from error
        finally:
            os.close(gate_in)
        return process, cage

    async def _spawn(self, line: list[str], launch: Launch, passed: list[int]) -> asyncio.subprocess.Process:
        identity: dict[str, Any] = {}
        if self.own_uid:
            uid = launch.place.uid
            identity = {"user": uid, "group": uid, "extra_groups": []}
        log = launch.log.open("ab") if launch.log else None
        try:
            return await asyncio.create_subprocess_exec(
                *line,
                stdin=asyncio.subprocess.DEVNULL if log else asyncio.subprocess.PIPE,
                stdout=log or asyncio.subprocess.PIPE,
                stderr=log or asyncio.subprocess.PIPE,
                env=launch.environment,
                cwd="/",
                pass_fds=passed,
                start_new_session=True,
                preexec_fn=partial(limit_process, self.limits, self.own_uid),
                **identity,
            )
        except OSError as error:
            raise LaunchError(f"无法执行 bubblewrap。Cannot run bubblewrap: {error.strerror}") from error
        finally:
            if log:
                log.close()


def _before_command(arguments: list[str]) -> list[str]:
    return arguments[: arguments.index("--")]


def _child_of(info: int) -> int:
    """Read the pid of bubblewrap's child; 0 when bubblewrap ended without one."""
    with os.fdopen(info, "rb") as stream:
        text = stream.read()
    return int(json.loads(text)["child-pid"]) if text.strip() else 0
