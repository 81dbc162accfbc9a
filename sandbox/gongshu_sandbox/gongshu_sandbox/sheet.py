"""A small table that reads well in a notebook (HTML) and outside it (plain text)."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

STYLE = "text-align:left;vertical-align:top"


def width(text: str) -> int:
    """Columns that a text takes on a terminal: Han characters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


@dataclass
class Sheet:
    """Headings, rows of text, a title above and notes below."""

    headings: Sequence[str]
    rows: list[list[str]]
    title: str = ""
    notes: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        lines = [list(self.headings), *self.rows]
        widths = [max(width(line[column]) for line in lines) for column in range(len(self.headings))]
        text = [
            "  ".join(cell + " " * (size - width(cell)) for cell, size in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        text.insert(1, "  ".join("─" * size for size in widths))
        return "\n".join([*([self.title] if self.title else []), *text, *self.notes])

    def _repr_html_(self) -> str:
        head = "".join(f'<th style="{STYLE}">{html.escape(name)}</th>' for name in self.headings)
        body = "".join(
            "<tr>" + "".join(f'<td style="{STYLE}">{html.escape(cell)}</td>' for cell in row) + "</tr>"
            for row in self.rows
        )
        title = f"<p><strong>{html.escape(self.title)}</strong></p>" if self.title else ""
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return f"{title}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"
