"""Paging of lists by the server: 100 rows a page, the filter stays in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

PAGE_ROWS = 100


@dataclass(frozen=True)
class Page:
    """One page of a list. number starts at 1; asked: the filter that stays in the links."""

    number: int
    total: int
    asked: Mapping[str, str]
    size: int = PAGE_ROWS

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    @property
    def first(self) -> int:
        return self.offset + 1 if self.total else 0

    @property
    def last(self) -> int:
        return min(self.offset + self.size, self.total)

    def query(self, number: int) -> str:
        """The query of another page with the same filter."""
        return urlencode({**{k: v for k, v in self.asked.items() if v and k != "page"}, "page": number})


def page_of(asked: Mapping[str, str], total: int, size: int = PAGE_ROWS) -> Page:
    """The page that the query asks for, kept within the list."""
    text = asked.get("page", "1")
    wanted = int(text) if text.isdigit() and len(text) < 9 else 1
    last = max(1, -(-total // size))
    return Page(min(max(wanted, 1), last), total, dict(asked), size)
