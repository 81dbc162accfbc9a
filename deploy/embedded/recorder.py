"""Keeps RUN/demo.json true: an event listener of the supervisor that notes each part's pid.

It writes pids only; everything else in the file is written when the house is ready.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from deploy.embedded.places import RunFolder


def main() -> None:
    """Speak the supervisor's listener protocol for ever."""
    run = RunFolder(Path(sys.argv[1]))
    while True:
        _say("READY\n")
        header = _fields(sys.stdin.readline())
        if not header:
            return
        payload = _fields(sys.stdin.read(int(header["len"])))
        note(run, payload["processname"], int(payload["pid"]))
        _say("RESULT 2\nOK")


def note(run: RunFolder, part: str, pid: int) -> None:
    """Write the part's pid into pids.json, and into demo.json if it is there."""
    if part == "recorder":
        return
    known = pids(run)
    known[part] = pid
    replace(_file(run), known)
    demo = _read(run.demo_file)
    if demo:
        demo["pids"][part] = pid
        replace(run.demo_file, demo)


def pids(run: RunFolder) -> dict[str, int]:
    """Part → pid, as last noted."""
    found: dict[str, int] = _read(_file(run))
    return found


def _file(run: RunFolder) -> Path:
    return run.path / "supervisor" / "pids.json"


def replace(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half; owner only."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    new.replace(path)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


def _fields(line: str) -> dict[str, str]:
    return dict(word.split(":", 1) for word in line.split())


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
