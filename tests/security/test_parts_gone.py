"""Parts die or hang while a notebook runs: the next statement is refused in seconds, in a sentence that names
the part, and works again by itself. Nothing runs without an entry."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.parts.live import Live

pytestmark = pytest.mark.live

# One attempt after another, each with how long it took and what came of it.
ATTEMPTS = """
import time, json
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    began = time.monotonic()
    try:
        rows = spark.sql("SELECT count(*) FROM aviation.airlines").collect()[0][0]
        said = "rows " + str(rows)
    except Exception as error:
        said = str(error)
    print("attempt", json.dumps([round(time.monotonic() - began, 2), said], ensure_ascii=False), flush=True)
    time.sleep(0.2)
"""

# A statement that would run for hours; then the same short one until it works.
ENDLESS = """
import time
count = lambda: spark.sql("SELECT count(*) FROM aviation.airlines").collect()[0][0]
count()
print("ready", flush=True)
try:
    spark.sql("SELECT sum(a.id % 7 + b.id % 5) FROM range(100000000) a CROSS JOIN range(100000000) b, "
              "(SELECT count(*) FROM aviation.airlines)").collect()
except Exception as error:
    print("ended", str(error)[:200].replace(chr(10), " "), flush=True)
for attempt in range(60):
    try:
        print("rows", count(), flush=True)
        break
    except Exception:
        time.sleep(1)
"""


@dataclass(frozen=True)
class Attempt:
    seconds: float
    said: str

    @property
    def worked(self) -> bool:
        return self.said == "rows 16"


def _children(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(status.parent.name))
    return found


def _cell_lines(live: Live, cell: Path) -> Iterator[str]:
    """Run a cell in chen's sandbox and give what it prints, line by line, as it prints it."""
    command = [str(Path(sys.executable).with_name("gongshu")), "sandbox", "run", "--as", "chen"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "GONGSHU_PASSWORD": live.password("chen"),
        "GONGSHU_HUB_URL": live.hub,
        "GONGSHU_PORTAL_URL": live.portal,
    }
    process = subprocess.Popen(
        [*command, "--scenario", "tourism-flow", str(cell)], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield from (line.rstrip("\n") for line in process.stdout)
    assert process.wait(timeout=60) == 0


def _attempt_during(
    live: Live, tmp_path: Path, seconds: int, trouble: list[tuple[float, signal.Signals, list[int]]]
) -> list[Attempt]:
    """Attempt statements for `seconds`; send each signal at its time after the first success."""
    file = tmp_path / "attempts.py"
    file.write_text(ATTEMPTS.replace("{seconds}", str(seconds)))
    attempts: list[Attempt] = []
    timers = [threading.Timer(after, _signal, (what, pids)) for after, what, pids in trouble]
    for line in _cell_lines(live, file):
        if line.startswith("attempt "):
            attempts.append(Attempt(*json.loads(line.removeprefix("attempt "))))
            if len(attempts) == 1:
                for timer in timers:
                    timer.start()
    assert all(timer.finished.is_set() for timer in timers)
    return attempts


def _signal(what: signal.Signals, pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # a database's process may end by itself
            os.kill(pid, what)


def _refusals(attempts: list[Attempt]) -> list[Attempt]:
    assert attempts[0].worked
    assert attempts[-1].worked, "it works again by itself"
    refused = [one for one in attempts if not one.worked]
    assert refused, "the trouble was noticed"
    return refused


def _pid(live: Live, part: str) -> int:
    facts = json.loads((live.run / "demo.json").read_text())
    return int(facts["pids"][part])


@pytest.mark.parametrize(
    ("part", "named", "within_seconds"),
    [("opa", "策略服务", 2.5), ("minio", "数据存储", 5.5), ("worker", "审计日志", 2.5)],
)
def test_a_hung_part_is_refused_in_seconds_by_its_name(
    live: Live, tmp_path: Path, part: str, named: str, within_seconds: float
) -> None:
    pid = _pid(live, part)
    trouble = [(1.0, signal.SIGSTOP, [pid]), (16.0, signal.SIGCONT, [pid])]
    try:
        refused = _refusals(_attempt_during(live, tmp_path, 32, trouble))
    finally:
        os.kill(pid, signal.SIGCONT)
    assert all(named in one.said for one in refused), refused
    assert max(one.seconds for one in refused) <= within_seconds


@pytest.mark.parametrize(("part", "named"), [("opa", "策略服务"), ("postgres", "数据库")])
def test_a_killed_part_is_refused_by_its_name_and_comes_back(live: Live, tmp_path: Path, part: str, named: str) -> None:
    pid = _pid(live, part)
    attempts = _attempt_during(live, tmp_path, 30, [(1.0, signal.SIGKILL, [pid])])
    assert attempts[0].worked and attempts[-1].worked and not Path(f"/proc/{pid}").exists()
    refused = [one for one in attempts if not one.worked]  # none, where it was back before the next statement came
    assert not refused or any(named in one.said for one in refused), refused
    assert max((one.seconds for one in refused), default=0) <= 2.5


def test_a_gateway_killed_between_intent_and_outcome_leaves_nothing_open(live: Live, tmp_path: Path) -> None:
    """Recovery closes the intent as unknown, at no charge, and the next statement works by itself."""
    cell = tmp_path / "endless.py"
    cell.write_text(ENDLESS)
    gateway, lines, before = _pid(live, "gateway"), [], _unknown(live)
    for line in _cell_lines(live, cell):
        lines.append(line)
        if line == "ready":
            threading.Timer(4.0, _signal, (signal.SIGKILL, [gateway])).start()
    assert lines[-1] == "rows 16" and any(line.startswith("ended") for line in lines), lines
    (index,) = _unknown(live) - before
    entry = _api(live, f"/api/v1/log/{index}")
    usage = entry["payloads"]["usage"]
    assert (usage["billable_bytes"], usage["rows_out"], usage["bytes_out"]) == (0, 0, 0)
    public = json.loads(entry["entry"])["public"]
    assert public["reason"] == "gateway.restarted"


def _unknown(live: Live) -> set[int]:
    """Indexes of the newest outcomes that nobody knows."""
    found = _api(live, "/api/v1/log?event=statement.outcome.logged")["entries"]
    return {one["index"] for one in found if one["public"]["status"] == "unknown"}


def _api(live: Live, path: str) -> dict[str, Any]:
    answer = live.gongshu("shen", "api", "GET", path, "--as", "shen")
    assert answer.returncode == 0, answer.stdout
    found: dict[str, Any] = json.loads(answer.stdout.partition("\n")[2])
    return found


def test_a_hung_database_is_refused_in_seconds(live: Live, tmp_path: Path) -> None:
    postmaster = _pid(live, "postgres")
    everyone = [postmaster, *_children(postmaster)]
    trouble = [(1.0, signal.SIGSTOP, everyone), (12.0, signal.SIGCONT, everyone)]
    try:
        refused = _refusals(_attempt_during(live, tmp_path, 28, trouble))
    finally:
        _signal(signal.SIGCONT, everyone)
    assert all("数据库" in one.said for one in refused), refused
    assert max(one.seconds for one in refused) <= 2.5
