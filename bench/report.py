"""Writes what was measured into docs/performance.md, between two marks; the rest of the page is people's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

BEGIN, END = "<!-- gateway: written by make bench -->", "<!-- end of gateway -->"
PAGE = f"""# Performance

What governance costs, measured as ratios in one run: the governed statement against the same statement on stock
Spark Connect, over the same files in the same store, one after the other. Absolute times depend on the machine; the
ratios are what we promise: TPC-H geometric mean ≤ 1.10, worst ≤ 1.30; a trivial statement ≤ 40 ms more.

{BEGIN}
{END}
"""


def write(results: dict[str, Any], page: Path) -> None:
    """Replace the gateway's part of the page."""
    text = page.read_text() if page.exists() else PAGE
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    page.write_text(f"{head}{BEGIN}\n{section(results)}{END}{tail}")


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
