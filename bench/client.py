"""The analyst's side of `make bench`, in a process of its own: the same calls to gateway and stock Spark Connect.

Reads what to do as JSON from standard input, tells its progress on standard error, writes the figures as JSON.
The two are asked in turn, so that what disturbs one disturbs the other.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

from pyspark.sql.connect.session import SparkSession  # noqa: E402

from bench import tpch  # noqa: E402
from tests.parts.gateway import DoorChannel  # noqa: E402

Pair = dict[str, SparkSession]
# What the second grant of the bench governs, written by hand: per table the changed columns and the filter.
HAND = {
    "lineitem": (
        {"l_shipdate": "CAST(trunc(l_shipdate, 'MM') AS DATE)", "l_comment": "CAST(NULL AS STRING)"},
        "l_shipmode IN ('AIR', 'RAIL', 'SHIP', 'TRUCK')",
    ),
    "customer": ({"c_phone": "concat(repeat('*', greatest(length(c_phone) - 4, 0)), right(c_phone, 4))"}, "true"),
}
FILTERED_QUERIES = (1, 3, 6, 10, 12, 14)
ANALYSTS = 8


def say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turn(pair: Pair, rounds: int, work: Callable[[SparkSession], object], warm: int = 1) -> dict[str, list[float]]:
    """Seconds of each round for both, one after the other; the first `warm` rounds are not counted."""
    times: dict[str, list[float]] = {name: [] for name in pair}
    for turn in range(rounds + warm):
        for name, spark in pair.items():
            elapsed = timed(lambda spark=spark: work(spark))
            if turn >= warm:
                times[name].append(elapsed)
    return times


def compared(times: dict[str, list[float]]) -> dict[str, float]:
    """Best of the rounds, and their ratio."""
    governed, plain = min(times["governed"]), min(times["plain"])
    return {"governed": governed, "plain": plain, "ratio": governed / plain}


def trivial(pair: Pair, turns: int) -> dict[str, float]:
    times = in_turn(pair, turns, lambda spark: spark.sql("SELECT 1").collect(), warm=20)
    found: dict[str, float] = {}
    for name, seconds in times.items():
        milliseconds = sorted(1000 * one for one in seconds)
        found[f"{name}_p50_ms"] = statistics.median(milliseconds)
        found[f"{name}_p99_ms"] = milliseconds[int(len(milliseconds) * 0.99)]
    found["added_p50_ms"] = found["governed_p50_ms"] - found["plain_p50_ms"]
    found["added_p99_ms"] = found["governed_p99_ms"] - found["plain_p99_ms"]
    return found


def queries(pair: Pair, rounds: int, numbers: tuple[int, ...] | None = None) -> dict[str, Any]:
    rows = []
    for number, text in sorted(tpch.queries().items()):
        if numbers and number not in numbers:
            continue
        query = text.strip().rstrip(";")
        row = compared(in_turn(pair, rounds, lambda spark, query=query: spark.sql(query).toArrow()))
        rows.append({"query": number, **row})
        say(f"Q{number}: governed {row['governed']:.2f} s, plain {row['plain']:.2f} s, ratio {row['ratio']:.3f}")
    ratios = [row["ratio"] for row in rows]
    return {"queries": rows, "geometric_mean": statistics.geometric_mean(ratios), "worst": max(ratios)}


def wide(pair: Pair, rounds: int) -> dict[str, float]:
    return compared(in_turn(pair, rounds, lambda spark: spark.sql("SELECT * FROM wide WHERE c7 = 7").toArrow()))


def burst(pair: Pair) -> dict[str, float]:
    """A notebook's hundred small cells."""

    def cells(spark: SparkSession) -> None:
        for number in range(100):
            spark.sql(f"SELECT count(*) FROM nation WHERE n_regionkey = {number % 5}").collect()

    return compared(in_turn(pair, 1, cells))


def bulk(pair: Pair, rounds: int) -> dict[str, float]:
    sizes: list[int] = []
    text = "SELECT l_orderkey, l_partkey, l_suppkey, l_quantity, l_extendedprice, l_shipdate FROM lineitem"
    found = compared(in_turn(pair, rounds, lambda spark: sizes.append(spark.sql(text).toArrow().nbytes)))
    return {**found, "megabytes": min(sizes) / 1e6, "of_raw": found["plain"] / found["governed"]}


def together(sessions: dict[str, list[SparkSession]], rounds: int) -> dict[str, float]:
    """Eight analysts at once, each with a query of the day."""
    query = tpch.queries()[6].strip().rstrip(";")

    def all_of(name: str) -> None:
        with ThreadPoolExecutor(ANALYSTS) as pool:
            list(pool.map(lambda spark: spark.sql(query).toArrow(), sessions[name]))

    times: dict[str, list[float]] = {name: [] for name in sessions}
    for turn in range(rounds + 1):
        for name in sessions:
            elapsed = timed(lambda name=name: all_of(name))
            if turn:
                times[name].append(elapsed)
    return compared(times)


def plain_session(port: int, files: dict[str, list[str]], prefix: str = "") -> SparkSession:
    spark: SparkSession = SparkSession(connection=f"sc://localhost:{port}")
    for name, paths in files.items():
        spark.read.parquet(*paths).createOrReplaceTempView(prefix + name)
    return spark


def hand_written(port: int, files: dict[str, list[str]]) -> SparkSession:
    spark = plain_session(port, files, "all_")
    for name in files:
        changed, where = HAND.get(name, ({}, "true"))
        columns = [f"{changed.get(one, one)} AS {one}" for one in spark.table(f"all_{name}").columns]
        spark.sql(f"SELECT {', '.join(columns)} FROM all_{name} WHERE {where}").createOrReplaceTempView(name)
    return spark


def main() -> int:
    asked: dict[str, Any] = json.load(sys.stdin)
    rounds, port, files = int(asked["rounds"]), int(asked["raw_port"]), asked["files"]
    socket = Path(asked["socket"])
    governed = [SparkSession(connection=DoorChannel(socket, token)) for token in asked["tokens"]]
    for spark in governed:
        spark.sql("USE tpch")
    filtered = SparkSession(connection=DoorChannel(socket, asked["filtered_token"]))
    filtered.sql("USE tpch")
    pair = {"governed": governed[0], "plain": plain_session(port, files)}
    say("SELECT 1")
    results: dict[str, Any] = {"trivial": trivial(pair, int(asked["trivial"]))}
    say("a burst of 100 statements, 250 columns, bulk, 8 analysts")
    results["burst"] = burst(pair)
    results["wide"] = wide(pair, rounds)
    results["bulk"] = bulk(pair, rounds)
    others = [plain_session(port, {"lineitem": files["lineitem"]}) for _ in range(ANALYSTS - 1)]
    results["together"] = together({"governed": governed, "plain": [pair["plain"], *others]}, rounds)
    say("TPC-H")
    results["tpch"] = queries(pair, rounds)
    say("with a row filter and masks, against the same by hand")
    results["filtered"] = queries({"governed": filtered, "plain": hand_written(port, files)}, rounds, FILTERED_QUERIES)
    json.dump(results, sys.stdout)
    for spark in (*governed, filtered):
        spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
