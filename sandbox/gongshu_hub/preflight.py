"""Before the first sandbox: a throw-away one tries to get out. Anything that answers stops every start.

The same attempts are made outside as the control, so that a broken probe cannot pass for a wall. It never
falls back to running without walls.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gongshu_hub import probe
from gongshu_hub.bubblewrap import PYTHON, Room
from gongshu_hub.launch import Launch, Launcher, LaunchError
from gongshu_hub.registry import Registry
from gongshu_hub.settings import HubSettings

SECONDS = 60.0
ABSTRACT = "gongshu-preflight-control"
NO_NAMESPACES = (
    "bubblewrap 无法建立隔离环境:{words}。请启用用户命名空间(sysctl user.max_user_namespaces、"
    "kernel.unprivileged_userns_clone=1,或放行 AppArmor 的 userns)后重试。"
    "bubblewrap cannot build the walls: {words}. Allow user namespaces (sysctl user.max_user_namespaces, "
    "kernel.unprivileged_userns_clone=1, or AppArmor's userns rule), then try again."
)
ANSWERED = (
    "沙箱内的探测得到了应答:{names}。在封住之前不启动任何沙箱。"
    "Something answered from inside: {names}. No sandbox starts until it is closed."
)


@dataclass(frozen=True)
class Row:
    attempt: str
    inside: bool
    outside: bool
    detail: str

    @property
    def verdict(self) -> str:
        if self.inside:
            return "open"
        return "closed" if self.outside else "closed, no control"


@dataclass(frozen=True)
class Report:
    """What the probe found. `passed` only when it ran and nothing answered inside."""

    passed: bool
    message: str
    walls: str = ""
    rows: tuple[Row, ...] = field(default=())

    def as_answer(self) -> dict[str, Any]:
        rows = [asdict(row) | {"verdict": row.verdict} for row in self.rows]
        return {"passed": self.passed, "message": self.message, "walls": self.walls, "rows": rows}


async def run_preflight(settings: HubSettings, registry: Registry, launcher: Launcher) -> Report:
    """Probe from inside and from outside. Never raises: trouble is a report that has not passed."""
    question = {"targets": settings.probe_targets, "paths": settings.probe_paths, "abstract": [ABSTRACT]}
    place = registry.place(".preflight", number=0)
    neighbour = registry.homes / ".preflight-neighbour"
    neighbour.mkdir(mode=0o700, exist_ok=True)
    question["paths"] = [*settings.probe_paths, str(neighbour)]
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0" + ABSTRACT)
        listening.listen(1)
        try:
            inside, walls = await _inside(settings, launcher, place, question)
            outside = await _outside(question)
        except (LaunchError, OSError, ValueError, TimeoutError) as error:
            return Report(False, NO_NAMESPACES.format(words=str(error)[:200] or type(error).__name__))
        finally:
            registry.clear(place)
            shutil.rmtree(place.home, ignore_errors=True)
            shutil.rmtree(neighbour, ignore_errors=True)
    rows = tuple(
        Row(row["attempt"], row["answered"], other["answered"], row["detail"])
        for row, other in zip(inside, outside, strict=True)
    )
    names = ", ".join(row.attempt for row in rows if row.inside)
    message = ANSWERED.format(names=names) if names else "隔离检查通过。The walls hold."
    return Report(not names, message, walls, rows)


async def _inside(
    settings: HubSettings, launcher: Launcher, place: Any, question: dict[str, Any]
) -> tuple[list[dict[str, Any]], str]:
    source = Path(probe.__file__).read_bytes()
    venv = Path(settings.need("sandbox_venv"))
    room = Room("preflight", "probe", place.home, venv, place.doors, files={"/opt/gongshu/probe.py": source})
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/home/probe", "LANG": "C.UTF-8"}
    launch = Launch(place, room, [PYTHON, "-I", "/opt/gongshu/probe.py"], environment)
    process, cage = await launcher.start(launch)
    try:
        rows = await _rows(process, question)
    finally:
        await cage.remove()
    return rows, f"{cage.kind}, uid {place.uid}"


async def _outside(question: dict[str, Any]) -> list[dict[str, Any]]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(probe.__file__), stdin=pipe, stdout=pipe, stderr=pipe
    )
    return await _rows(process, question)


async def _rows(process: asyncio.subprocess.Process, question: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        out, errors = await asyncio.wait_for(process.communicate(json.dumps(question).encode() + b"\n"), SECONDS)
    except TimeoutError:
        process.kill()
        raise
    if process.returncode != 0:
        raise LaunchError(errors.decode(errors="replace").strip().splitlines()[-1] if errors else "no output")
    rows: list[dict[str, Any]] = json.loads(out)["rows"]
    return rows
