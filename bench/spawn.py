"""How long an analyst waits: from asking for a sandbox to the first cell's answer, in the real house.

Starts the demo where it is not up, then five times: login, spawn, kernel, `print(1)`, stop. The whole command is
timed, so that login and client start-up are in the figure: an upper bound of what a browser needs.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import report
from tests.parts.places import ROOT

RUN = Path(os.environ.get("BENCH_RUN", ROOT / ".run"))
ROUNDS = 5
NAME, SCENARIO = "huang", "tourism-flow"


def main() -> int:
    if not (RUN / "demo.json").exists():
        subprocess.run([sys.executable, "-m", "demo", "--run", str(RUN)], cwd=ROOT, check=True)
    facts = json.loads((RUN / "demo.json").read_text())
    cell = RUN / "bench-cell.py"
    cell.write_text("print(1)\n")
    first = run_once(facts, cell)  # the first start also runs the preflight
    found = sorted(run_once(facts, cell) for _ in range(ROUNDS))
    results = {"first_s": first, "p50_s": statistics.median(found), "worst_s": found[-1], "rounds": ROUNDS}
    (ROOT / ".run" / "bench").mkdir(parents=True, exist_ok=True)
    (ROOT / ".run" / "bench" / "spawn.json").write_text(json.dumps(results, indent=1) + "\n")
    report.place(ROOT / "docs" / "performance.md", "spawn", section(results))
    print(f"spawn to first cell: p50 {results['p50_s']:.1f} s, worst {results['worst_s']:.1f} s of {ROUNDS}")
    return 0


def run_once(facts: dict[str, dict[str, dict[str, str]]], cell: Path) -> float:
    """Seconds of one whole `gongshu sandbox run … --stop`, less the stopping."""
    command = [str(Path(sys.executable).with_name("gongshu")), "sandbox", "run", "--as", NAME]
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "GONGSHU_PASSWORD": facts["accounts"][NAME]["password"],
        "GONGSHU_HUB_URL": str(facts["hub"]),
        "GONGSHU_PORTAL_URL": str(facts["portal"]),
    }
    began = time.monotonic()
    with subprocess.Popen(
        [*command, "--scenario", SCENARIO, "--stop", str(cell)], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        answered = next((time.monotonic() for line in process.stdout if line.strip() == "1"), None)
    if process.returncode != 0 or answered is None:
        raise SystemExit(f"the sandbox did not answer (exit {process.returncode})")
    return answered - began


def section(results: dict[str, float]) -> str:
    return (
        f"## The sandbox\n\nLogin, spawn, kernel and first cell's answer, {results['rounds']} times: "
        f"p50 **{results['p50_s']:.1f} s**, worst {results['worst_s']:.1f} s; the first start after set-up, which also "
        f"runs the preflight, {results['first_s']:.1f} s.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
