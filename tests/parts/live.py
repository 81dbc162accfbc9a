"""A whole instance with the journey carried, as `make demo` leaves it, in a run folder of the tests' own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.parts.places import ROOT


class DemoFailed(RuntimeError):
    """`make demo` itself did not reach its end."""


@dataclass(frozen=True)
class Live:
    """The running demo. facts: its demo.json."""

    run: Path
    said: str

    @cached_property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.run / "demo.json").read_text())
        return found

    @property
    def hub(self) -> str:
        return str(self.facts["hub"])

    @property
    def portal(self) -> str:
        return str(self.facts["portal"])

    def password(self, name: str) -> str:
        return str(self.facts["accounts"][name]["password"])

    def gongshu(self, name: str, *words: str | Path, seconds: int = 300) -> subprocess.CompletedProcess[str]:
        """Run the command as that person, with the demo's own addresses and password."""
        command = [str(Path(sys.executable).with_name("gongshu")), *map(str, words)]
        environment = {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "GONGSHU_PASSWORD": self.password(name),
            "GONGSHU_HUB_URL": self.hub,
            "GONGSHU_PORTAL_URL": self.portal,
        }
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds, cwd=ROOT)


def start_live(run: Path) -> Live:
    """Carry the demo from nothing in `run`. Raises DemoFailed with its last words."""
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--fresh", "--run", str(run)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1500,
    )
    if done.returncode != 0:
        raise DemoFailed(f"{done.stdout[-3000:]}\n{done.stderr[-2000:]}")
    return Live(run, done.stdout)


def stop_live(live: Live) -> None:
    subprocess.run(
        [sys.executable, "-m", "deploy.embedded", "stop", "--run", str(live.run)], cwd=ROOT, check=True, timeout=120
    )
