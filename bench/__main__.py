"""`make bench`: governed statements against the same statements on stock Spark Connect, in one run.

Both servers run side by side on the same stored files, the analyst's side in a process of its own (`bench.client`).
Writes `.run/bench/gateway.json` and the gateway's part of docs/performance.md. `BENCH_SCALE` (default 1) is TPC-H's
scale factor, `BENCH_ROUNDS` (default 3) the timed rounds.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import report, tpch
from bench.client import ANALYSTS
from bench.raw_server import start_raw_server
from bench.stages import watching
from gongshu.gateway.engine import EngineSettings
from gongshu.policy.bundle import write_bundle
from tests.parts.opa import start_opa
from tests.parts.places import ROOT
from tests.parts.postgres import start_postgres
from tests.parts.rig import TOOLS, World, start_test_engine, start_world
from tests.parts.store import start_store

OUT = ROOT / ".run" / "bench"
SCALE = os.environ.get("BENCH_SCALE", "1")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
TRIVIAL = 200


def say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def main() -> int:
    logging.disable(logging.ERROR)
    folder = Path(tempfile.mkdtemp(prefix="gb-", dir="/tmp"))
    folder.chmod(0o755)
    undo: list[Callable[[], None]] = []
    try:
        results = measure(folder, undo)
    finally:
        for step in reversed(undo):
            step()
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "gateway.json").write_text(json.dumps(results, indent=1) + "\n")
    report.write(results, ROOT / "docs" / "performance.md")
    for line in report.headlines(results):
        say(line)
    return 0


def measure(folder: Path, undo: list[Callable[[], None]]) -> dict[str, Any]:
    say("starting PostgreSQL, MinIO, OPA and two Spark drivers")
    postgres = start_postgres(folder / "pg", durable=True)
    undo.append(postgres.stop)
    store = start_store(folder / "minio")
    undo.append(store.stop)
    write_bundle(_roomy_policies(folder), folder / "bundle.tar.gz")
    opa = start_opa(folder / "bundle.tar.gz", folder / "opa.log")
    undo.append(opa.stop)
    (folder / "engine").mkdir()
    engine = start_test_engine(folder / "engine", store, memory_mib=3072)
    undo.append(engine.stop)
    world = start_world(folder, postgres, opa, store, engine)
    undo.append(world.gateway.stop)
    settings = EngineSettings(
        run_dir=folder / "engine",
        jars_dir=TOOLS / "jars",
        helper_jar=TOOLS / "helper" / "gongshu-spark-helper.jar",
        memory_mib=3072,
        store_endpoint=store.endpoint,
        aws_credentials_file=folder / "engine" / "aws",
    )
    raw = start_raw_server(settings, folder / "raw")
    undo.append(raw.stop)
    say(f"generating and registering TPC-H SF{SCALE}")
    files = tpch.register(world, store, tpch.generate(OUT / f"tpch-sf{SCALE}", SCALE))
    return ask_client(world, raw.port, files)


def _roomy_policies(folder: Path) -> Path:
    """The rules as they are, with room for a result of hundreds of megabytes."""
    copied = folder / "policies"
    shutil.copytree(ROOT / "policies", copied)
    data = copied / "gongshu" / "rules" / "data.json"
    rules = json.loads(data.read_text())
    rules["statements"] |= {"result_rows_max": 1 << 40, "result_bytes_max": 1 << 40}
    data.write_text(json.dumps(rules))
    return copied


def ask_client(world: World, port: int, files: dict[str, list[str]]) -> dict[str, Any]:
    """Let the client measure, while this process is the gateway and watches itself."""
    asked = {
        "socket": str(world.gateway.socket),
        "tokens": [world.gateway.token("chen--tpch-whole") for _ in range(ANALYSTS)],
        "filtered_token": world.gateway.token("chen--tpch-governed"),
        "raw_port": port,
        "files": files,
        "rounds": ROUNDS,
        "trivial": TRIVIAL,
    }
    idle = resident_mib()
    peak = [idle]
    with watching() as watched:
        client = subprocess.Popen([sys.executable, "-m", "bench.client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        threading.Thread(target=_watch_memory, args=(client, peak), daemon=True).start()
        said, _ = client.communicate(json.dumps(asked).encode())
    if client.returncode != 0:
        raise SystemExit("the client did not finish")
    results: dict[str, Any] = json.loads(said)
    memory = {"idle_mib": idle, "peak_mib": max(peak)}
    return {"scale": SCALE, "rounds": ROUNDS, "cores": os.cpu_count(), "stages": watched.rows(), **results, **memory}


def resident_mib() -> int:
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


def _watch_memory(client: subprocess.Popen[bytes], peak: list[int]) -> None:
    while client.poll() is None:
        peak.append(resident_mib())
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
