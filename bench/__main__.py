"""`make bench`: TPC-H governed by an all-rows grant against stock Spark Connect, and what a trivial statement adds.

Both servers run side by side on the same stored files; each query alternates between them, so that what
disturbs one disturbs the other. Writes `.run/bench/gateway.json` and the gateway's part of docs/performance.md.
`BENCH_SCALE` (default 1) is TPC-H's scale factor, `BENCH_ROUNDS` (default 3) the timed rounds.
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

from pyspark.sql.connect.session import SparkSession  # noqa: E402

from bench import report, tpch  # noqa: E402
from bench.raw_server import start_raw_server  # noqa: E402
from gongshu.gateway.engine import EngineSettings  # noqa: E402
from gongshu.policy.bundle import write_bundle  # noqa: E402
from tests.parts.opa import start_opa  # noqa: E402
from tests.parts.places import ROOT  # noqa: E402
from tests.parts.postgres import start_postgres  # noqa: E402
from tests.parts.rig import TOOLS, start_test_engine, start_world  # noqa: E402
from tests.parts.store import start_store  # noqa: E402

OUT = ROOT / ".run" / "bench"
SCALE = os.environ.get("BENCH_SCALE", "1")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
TRIVIAL = 60


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
    tpch_part = results["tpch"]
    say(f"TPC-H SF{SCALE}: geometric mean {tpch_part['geometric_mean']:.3f}, worst {tpch_part['worst']:.3f}")
    say(f"SELECT 1: added p50 {results['trivial']['added_p50_ms']:.1f} ms")
    return 0


def measure(folder: Path, undo: list[Callable[[], None]]) -> dict[str, Any]:
    say("starting PostgreSQL, MinIO, OPA and two Spark drivers")
    postgres = start_postgres(folder / "pg")
    undo.append(postgres.stop)
    store = start_store(folder / "minio")
    undo.append(store.stop)
    write_bundle(ROOT / "policies", folder / "bundle.tar.gz")
    opa = start_opa(folder / "bundle.tar.gz", folder / "opa.log")
    undo.append(opa.stop)
    (folder / "engine").mkdir()
    engine = start_test_engine(folder / "engine", store, memory_mib=3072)
    undo.append(engine.stop)
    world = start_world(folder, postgres, opa, store, engine)
    undo.append(world.gateway.stop)
    plain_settings = EngineSettings(
        run_dir=folder / "engine",
        jars_dir=TOOLS / "jars",
        helper_jar=TOOLS / "helper" / "gongshu-spark-helper.jar",
        memory_mib=3072,
        store_endpoint=store.endpoint,
        aws_credentials_file=folder / "engine" / "aws",
    )
    raw = start_raw_server(plain_settings, folder / "raw")
    undo.append(raw.stop)
    say(f"generating and registering TPC-H SF{SCALE}")
    files = tpch.register(world, store, tpch.generate(OUT / f"tpch-sf{SCALE}", SCALE))
    governed = world.gateway.spark("chen--tourism-flow")
    undo.append(governed.stop)  # before the servers: at exit pyspark would call them for minutes
    governed.sql("USE tpch")
    plain = SparkSession(connection=f"sc://localhost:{raw.port}")
    undo.append(plain.stop)
    for name, paths in files.items():
        plain.read.parquet(*paths).createOrReplaceTempView(name)
    return {
        "scale": SCALE,
        "rounds": ROUNDS,
        "cores": os.cpu_count(),
        "trivial": trivial(governed, plain),
        "tpch": all_queries(governed, plain),
    }


def trivial(governed: SparkSession, plain: SparkSession) -> dict[str, float]:
    """The same statement through the gateway and straight to Spark Connect."""
    times: dict[str, list[float]] = {"governed": [], "plain": []}
    for number in range(TRIVIAL + 10):
        for name, spark in (("governed", governed), ("plain", plain)):
            elapsed = timed(lambda spark=spark: spark.sql("SELECT 1").collect())
            if number >= 10:
                times[name].append(elapsed * 1000)
    medians = {name: statistics.median(found) for name, found in times.items()}
    return {
        "governed_p50_ms": medians["governed"],
        "plain_p50_ms": medians["plain"],
        "added_p50_ms": medians["governed"] - medians["plain"],
    }


def all_queries(governed: SparkSession, plain: SparkSession) -> dict[str, Any]:
    rows = []
    for number, text in sorted(tpch.queries().items()):
        query = text.strip().rstrip(";")
        times: dict[str, list[float]] = {"governed": [], "plain": []}
        for turn in range(ROUNDS + 1):
            for name, spark in (("governed", governed), ("plain", plain)):
                elapsed = timed(lambda spark=spark, query=query: spark.sql(query).toArrow())
                if turn:
                    times[name].append(elapsed)
        best = {name: min(found) for name, found in times.items()}
        rows.append({"query": number, **best, "ratio": best["governed"] / best["plain"]})
        say(f"Q{number}: governed {best['governed']:.2f} s, plain {best['plain']:.2f} s, ratio {rows[-1]['ratio']:.3f}")
    ratios = [row["ratio"] for row in rows]
    return {"queries": rows, "geometric_mean": statistics.geometric_mean(ratios), "worst": max(ratios)}


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
