"""The product's own commands, run by the journey as anybody would run them (document 10)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from demo.browsers import Browsers, JourneyFailed

ROOT = Path(__file__).resolve().parents[1]
BUSY = "暂时不可用"
GONGSHU = Path(sys.executable).with_name("gongshu")


def gongshu(browsers: Browsers, name: str, *words: str | Path, expect: int = 0) -> tuple[str, str]:
    """`gongshu WORDS` as that person; returns stdout and stderr. Raises JourneyFailed on another exit code.

    A part that is busy says so and asks to try again: that is done twice, as a person would.
    """
    environment = {
        **os.environ,
        "GONGSHU_HUB_URL": browsers.hub_url,
        "GONGSHU_PORTAL_URL": browsers.portal_url,
        "GONGSHU_PASSWORD": browsers.passwords[name],
    }
    command = [str(GONGSHU), *map(str, words)]
    for _ in range(2):
        try:
            return _run(command, environment, expect)
        except JourneyFailed as error:
            if BUSY not in str(error):
                raise
            print(f"      {name}: a part is busy; trying again as it asks", flush=True)
    return _run(command, environment, expect)


def verify(*words: str | Path) -> str:
    """The outsider's verifier, by a Python that has nothing of ours."""
    python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
    command = [python, "-I", str(ROOT / "verify" / "gongshu_verify.py"), *map(str, words)]
    return _run(command, {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}, 0)[0]


def _run(command: list[str], environment: dict[str, str], expect: int) -> tuple[str, str]:
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != expect:
        shown = " ".join(Path(word).name if word.startswith("/") else word for word in command)
        last = "\n      ".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise JourneyFailed(f"`{shown}` ended with {done.returncode}, not {expect}:\n      {last}")
    return done.stdout, done.stderr
