"""Charts as SVG written by the server, each with its numbers as a table beneath (document 11 §2).

At most four series, labelled directly, colour and dash together; no script, no style attribute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from gongshu.portal.language import _

COLOURS = ("#2B7CC4", "#B85C00", "#2E9E6B", "#3A434E")
DASHES = ("", "6 3", "2 3", "8 3 2 3")
WIDTH = 640


@dataclass(frozen=True)
class Series:
    name: str
    values: Sequence[int]


def bars(title: str, labels: Sequence[str], values: Sequence[int], shown: Sequence[str] | None = None) -> Markup:
    """Horizontal bars, one a row, the value written at the end. shown: the values in words (units)."""
    words = list(shown or [f"{value:,}" for value in values])
    top = max([*values, 1])
    rows = []
    for at, (label, value, word) in enumerate(zip(labels, values, words, strict=True)):
        y, length = at * 28, round(value / top * (WIDTH - 300))
        rows.append(
            f'<text x="0" y="{y + 17}">{escape(label)}</text>'
            f'<rect x="160" y="{y + 5}" width="{max(length, 1)}" height="16" rx="2" fill="{COLOURS[0]}"/>'
            f'<text x="{168 + length}" y="{y + 17}">{escape(word)}</text>'
        )
    return _figure(
        title, len(labels) * 28, "".join(rows), [_("名称"), _("数值")], list(zip(labels, words, strict=True))
    )


def lines(title: str, labels: Sequence[str], series: Sequence[Series], height: int = 200) -> Markup:
    """Lines over equal steps; the name stands at the end of each line."""
    top = max([value for one in series for value in one.values] + [1])
    step = (WIDTH - 160) / max(len(labels) - 1, 1)
    drawn = [f'<line x1="0" x2="{WIDTH - 160}" y1="{height - 24}" y2="{height - 24}" stroke="#b9bcc0"/>']
    drawn.append(f'<text x="0" y="12">{top:,}</text>')
    for at, one in enumerate(series[:4]):
        points = [(i * step, 20 + (height - 44) * (1 - value / top)) for i, value in enumerate(one.values)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dash = f' stroke-dasharray="{DASHES[at]}"' if DASHES[at] else ""
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[at]}" stroke-width="2"{dash}/>')
        drawn.append(f'<text x="{points[-1][0] + 8:.1f}" y="{points[-1][1] + 4:.1f}">{escape(one.name)}</text>')
    if labels:
        drawn.append(f'<text x="0" y="{height - 6}">{escape(labels[0])}</text>')
        drawn.append(f'<text x="{WIDTH - 160}" y="{height - 6}" text-anchor="end">{escape(labels[-1])}</text>')
    rows = [(label, *(f"{one.values[i]:,}" for one in series)) for i, label in enumerate(labels)]
    return _figure(title, height, "".join(drawn), [_("时间"), *(one.name for one in series)], rows)


def stacked(title: str, labels: Sequence[str], values: Sequence[int], shown: Sequence[str] | None = None) -> Markup:
    """One bar split into parts (a settlement, a share), each part named below it."""
    words = list(shown or [f"{value:,}" for value in values])
    whole, x, drawn = max(sum(values), 1), 0.0, []
    for at, (label, value, word) in enumerate(zip(labels, values, words, strict=True)):
        length = value / whole * WIDTH
        drawn.append(f'<rect x="{x:.1f}" y="0" width="{max(length - 1, 0):.1f}" height="22" fill="{COLOURS[at % 4]}"/>')
        y = 44 + at * 20
        drawn.append(f'<rect x="0" y="{y - 10}" width="10" height="10" fill="{COLOURS[at % 4]}"/>')
        drawn.append(f'<text x="18" y="{y}">{escape(label)} · {escape(word)}</text>')
        x += length
    return _figure(
        title, 34 + len(labels) * 20, "".join(drawn), [_("部分"), _("数值")], list(zip(labels, words, strict=True))
    )


def meter(value: int, limit: int, sentence: str) -> Markup:
    """A value against its ceiling: amber from 80 %, red when over."""
    part = min(value / limit, 1) if limit else 0
    colour = "#C01B1B" if value > limit else "#B85C00" if part >= 0.8 else "#1F4E8C"
    return Markup(
        '<span class="gs-meter" role="img" aria-label="{}"><svg viewBox="0 0 100 4" preserveAspectRatio="none" '
        'aria-hidden="true"><rect width="{}" height="4" fill="{}"/></svg></span>'
    ).format(sentence, f"{part * 100:.1f}", colour)


def _figure(title: str, height: int, drawn: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    summary = escape(_("以表格查看"))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return Markup(
        f'<figure class="gs-chart"><svg viewBox="0 0 {WIDTH} {max(height, 24)}" role="img" '
        f'aria-label="{escape(title)}">'
        f"{drawn}</svg><details><summary>{summary}</summary>"
        f'<table class="gs-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></details></figure>'
    )
