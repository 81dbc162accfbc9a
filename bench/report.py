"""Writes what was measured into docs/performance.md, between two marks; the rest of the page is people's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PAGE = """# Performance

What governance costs, measured as ratios in one run: the governed statement against the same statement on stock
Spark Connect, over the same files in the same store, one after the other. Absolute times depend on the machine; the
ratios are what we promise: TPC-H geometric mean ≤ 1.10, worst ≤ 1.30; a trivial statement ≤ 40 ms more; from the click
on "start" to the first cell's answer ≤ 6 s.
"""


def write(results: dict[str, Any], page: Path) -> None:
    """Replace the gateway's part of the page."""
    place(page, "gateway", section(results))


def place(page: Path, part: str, body: str) -> None:
    """Put `body` between the marks of `part`, at the end of the page when it has none yet."""
    begin, end = f"<!-- {part}: written by make bench -->", f"<!-- end of {part} -->"
    text = page.read_text() if page.exists() else PAGE
    if begin not in text:
        text = f"{text.rstrip()}\n\n{begin}\n{end}\n"
    head, rest = text.split(begin, 1)
    tail = rest.split(end, 1)[1]
    page.write_text(f"{head}{begin}\n{body}{end}{tail}")


def section(results: dict[str, Any]) -> str:
    trivial, tpch = results["trivial"], results["tpch"]
    lines = [
        f"## The gateway (TPC-H SF{results['scale']} from MinIO, {results['cores']} cores, "
        f"best of {results['rounds']} rounds)",
        "",
        f"Geometric mean **{tpch['geometric_mean']:.3f}**, worst **{tpch['worst']:.3f}**. `SELECT 1`: "
        f"{trivial['governed_p50_ms']:.1f} ms governed, {trivial['plain_p50_ms']:.1f} ms plain, "
        f"added p50 **{trivial['added_p50_ms']:.1f} ms** (two executions, one decision, two durable entries).",
        "",
        "| query | governed s | plain s | ratio |",
        "| --- | --- | --- | --- |",
        *(
            f"| {row['query']} | {row['governed']:.2f} | {row['plain']:.2f} | {row['ratio']:.3f} |"
            for row in tpch["queries"]
        ),
        "",
    ]
    return "\n".join(lines)
