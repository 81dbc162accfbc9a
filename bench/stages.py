"""Where a governed statement's time goes, inside the gateway: the wall time of each stage, summed per statement."""

from __future__ import annotations

import functools
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gongshu.audit import UnitOfWork
from gongshu.gateway import edge
from gongshu.gateway.asking import Asker
from gongshu.gateway.engine import Engine
from gongshu.gateway.running import Runner
from gongshu.policy import Opa

STAGES: tuple[tuple[str, Any, str], ...] = (
    ("decode", edge, "decode"),
    ("helper: names", Engine, "describe"),
    ("helper: secure", Engine, "secure"),
    ("policy", Opa, "ask"),
    ("durable entry", UnitOfWork, "commit"),
    ("ask and intent, with policy and entry", Asker, "ask"),
    ("outcome, with entry", Asker, "close"),
    ("everything before Spark", Runner, "_begin"),
)


class Watched:
    """Times per stage, in milliseconds."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)

    def rows(self) -> list[dict[str, Any]]:
        """name, calls per statement, median of one call in ms."""
        statements = max(1, len(self.times["outcome, with entry"]))
        return [
            {"stage": name, "calls": len(found) / statements, "p50_ms": statistics.median(found)}
            for name, _, _ in STAGES
            if (found := self.times[name])
        ]


@contextmanager
def watching() -> Iterator[Watched]:
    """Time every stage while this lasts; the code is put back afterwards."""
    watched = Watched()
    before = [(place, name, getattr(place, name)) for _, place, name in STAGES]
    for (label, place, name), (_, _, work) in zip(STAGES, before, strict=True):
        setattr(place, name, _timing(watched, label, work))
    try:
        yield watched
    finally:
        for place, name, work in before:
            setattr(place, name, work)


def _timing(watched: Watched, label: str, work: Any) -> Any:
    @functools.wraps(work)
    def timed(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return work(*given, **named)
        finally:
            watched.times[label].append(1000 * (time.perf_counter() - began))

    return timed
