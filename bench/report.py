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


def headlines(results: dict[str, Any]) -> list[str]:
    """The figures we promise, a line each."""
    trivial, tpch, filtered, bulk = (results[name] for name in ("trivial", "tpch", "filtered", "bulk"))
    return [
        f"TPC-H SF{results['scale']}, all rows: geometric mean {tpch['geometric_mean']:.3f}, worst {tpch['worst']:.3f}",
        f"row filter and masks, against the same by hand: geometric mean {filtered['geometric_mean']:.3f}, "
        f"worst {filtered['worst']:.3f}",
        f"SELECT 1: {trivial['plain_p50_ms']:.1f} ms plain; added p50 {trivial['added_p50_ms']:.1f} ms, "
        f"p99 {trivial['added_p99_ms']:.1f} ms",
        f"100 small statements: ratio {results['burst']['ratio']:.3f}; 250 columns: {results['wide']['ratio']:.3f}; "
        f"8 analysts at once: {results['together']['ratio']:.3f}",
        f"bulk, {bulk['megabytes']:.0f} MB of Arrow: {bulk['of_raw']:.3f} of raw speed; gateway's memory at most "
        f"{results['peak_mib'] - results['idle_mib']} MiB above idle ({results['idle_mib']} MiB)",
    ]


def section(results: dict[str, Any]) -> str:
    lines = [
        f"## The gateway (TPC-H SF{results['scale']} from MinIO, {results['cores']} cores, "
        f"best of {results['rounds']} rounds)",
        "",
        *(f"- {line}" for line in headlines(results)),
        "",
        "Where a statement's time goes inside the gateway (medians over the whole run; a statement that first asks "
        "for its schema is decided twice and planned once; planning runs while the intent is written):",
        "",
        "| stage | calls per statement | median ms |",
        "| --- | --- | --- |",
        *(f"| {row['stage']} | {row['calls']:.2f} | {row['p50_ms']:.1f} |" for row in results["stages"]),
        "",
        *_table("TPC-H, all rows", results["tpch"]),
        *_table("Row filter and masks, against the same written by hand", results["filtered"]),
    ]
    return "\n".join(lines)


def _table(title: str, found: dict[str, Any]) -> list[str]:
    return [
        f"### {title}",
        "",
        "| query | governed s | plain s | ratio |",
        "| --- | --- | --- | --- |",
        *(
            f"| {row['query']} | {row['governed']:.2f} | {row['plain']:.2f} | {row['ratio']:.3f} |"
            for row in found["queries"]
        ),
        "",
    ]
