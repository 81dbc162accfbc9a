"""Rated lines: what each usage line costs, in micro-fen, at the price in force when it was used.

A month's tiers run on over the whole month of one operator, scenario and price; an entry is charged the
difference its quantity makes, so that lines add up to the whole exactly. Public-interest use is never
charged, whatever its price says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from gongshu.audit import Value
from gongshu.money import share_cumulatively
from gongshu.revenue.price import Book, Price, book_at
from gongshu.revenue.usage import UsageLine

PUBLIC_INTEREST = "public-interest"


@dataclass(frozen=True)
class RatedLine:
    """A usage line with its amounts. version 0 and amount 0: no price was in force (parked, not charged)."""

    usage: UsageLine
    price_version: int
    charged_microfen: int
    shadow_microfen: int

    def as_value(self) -> dict[str, Value]:
        """The line as it enters the root of a closed period."""
        use = self.usage
        return {
            "index": use.index,
            "dataset": use.dataset,
            "meter": use.meter.value,
            "quantity": use.quantity,
            "scenario": use.scenario,
            "operator": use.operator,
            "price": use.price,
            "price_version": self.price_version,
            "charged_microfen": self.charged_microfen,
            "shadow_microfen": self.shadow_microfen,
        }


def rate(lines: Iterable[UsageLine], books: Sequence[Book]) -> Iterator[RatedLine]:
    """Rate lines in log order. Lines whose price counts another meter are not of that price and are left out."""
    position: dict[tuple[str, str, str, str], int] = {}
    by_entry_and_price = groupby(
        sorted(lines, key=lambda line: (line.index, line.price, line.dataset)),
        key=lambda line: (line.index, line.price),
    )
    for _key, grouped in by_entry_and_price:
        group = list(grouped)
        first = group[0]
        book = book_at(books, first.time)
        price = book.prices.get(first.price) if book else None
        if price is None or book is None:
            yield from (RatedLine(line, 0, 0, 0) for line in group)
        elif price.meter is first.meter:
            place = (first.month, first.operator, first.scenario, first.price)
            before = position.get(place, 0)
            position[place] = before + sum(line.quantity for line in group)
            yield from _rate_group(group, price, book.version, before)


def _rate_group(group: list[UsageLine], price: Price, version: int, before: int) -> Iterator[RatedLine]:
    """Charge one entry's lines together; the declared driver shares the amount among its datasets by quantity."""
    quantity = sum(line.quantity for line in group)
    listed = price.listed(before + quantity) - price.listed(before)
    charged = price.charged(before + quantity) - price.charged(before)
    ratios = [Fraction(line.quantity, quantity) for line in group]
    for line, whole, due in zip(
        group, share_cumulatively(listed, ratios), share_cumulatively(charged, ratios), strict=True
    ):
        free = line.use == PUBLIC_INTEREST or due == 0
        yield RatedLine(line, version, 0 if free else due, whole if free else 0)
