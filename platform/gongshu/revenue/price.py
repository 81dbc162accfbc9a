"""A price and the book it stands in: what a quantity costs, in micro-fen, exactly.

Kinds: unit, graduated (each tier's part at that tier's price), zero-rated (costs nothing; the shadow
price says what it would have cost). It decides amounts by integers alone and never rounds to fen.
Source of the kinds: 发改价格〔2025〕65号 and practice (document 7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from gongshu.audit import Value


class Kind(StrEnum):
    UNIT = "unit"
    GRADUATED = "graduated"
    ZERO_RATED = "zero-rated"


class Meter(StrEnum):
    BILLABLE_BYTES = "billable_bytes"
    RELEASED_CELLS = "released_cells"


@dataclass(frozen=True)
class Tier:
    """up_to: the quantity (in the meter's smallest unit) at which the next tier begins; None for the last."""

    up_to: int | None
    microfen: int


@dataclass(frozen=True)
class Price:
    """One price. unit: how many of the meter make one priced unit (2^30 bytes for GiB). tiers: one for kind unit.

    For a zero-rated price the tiers are the shadow price. ceiling_microfen: per unit, of the ceiling `ceiling`.
    """

    code: str
    title_zh: str
    title_en: str
    meter: Meter
    unit: int
    unit_name: str
    kind: Kind
    use: str
    tiers: tuple[Tier, ...]
    ceiling: str | None
    ceiling_microfen: int | None

    @property
    def highest_microfen(self) -> int:
        """The most a unit is charged at: what the ceiling is compared with."""
        return 0 if self.kind is Kind.ZERO_RATED else max(tier.microfen for tier in self.tiers)

    def charged(self, quantity: int) -> int:
        """Micro-fen for the first `quantity` of a month, rounded down."""
        return 0 if self.kind is Kind.ZERO_RATED else self.listed(quantity)

    def listed(self, quantity: int) -> int:
        """Micro-fen by the tiers, whether or not it is charged."""
        total, start = Fraction(0), 0
        for tier in self.tiers:
            end = quantity if tier.up_to is None else min(quantity, tier.up_to)
            if end > start:
                total += Fraction((end - start) * tier.microfen, self.unit)
                start = end
        return int(total)

    def as_value(self) -> dict[str, Value]:
        return {
            "title_zh": self.title_zh,
            "title_en": self.title_en,
            "meter": self.meter.value,
            "unit": self.unit,
            "unit_name": self.unit_name,
            "kind": self.kind.value,
            "use": self.use,
            "tiers": [{"up_to": tier.up_to, "microfen": tier.microfen} for tier in self.tiers],
            "ceiling": self.ceiling,
            "ceiling_microfen": self.ceiling_microfen,
        }


def price_from(code: str, value: Mapping[str, Any]) -> Price:
    """Read what `as_value` wrote."""
    return Price(
        code=code,
        title_zh=value["title_zh"],
        title_en=value["title_en"],
        meter=Meter(value["meter"]),
        unit=value["unit"],
        unit_name=value["unit_name"],
        kind=Kind(value["kind"]),
        use=value["use"],
        tiers=tuple(Tier(tier["up_to"], tier["microfen"]) for tier in value["tiers"]),
        ceiling=value["ceiling"],
        ceiling_microfen=value["ceiling_microfen"],
    )


@dataclass(frozen=True)
class Book:
    """One version of the price book: every price in force from a moment (text as in entries) on."""

    version: int
    effective_from: str
    prices: Mapping[str, Price]

    def as_value(self) -> dict[str, Value]:
        return {
            "schema": 1,
            "version": self.version,
            "effective_from": self.effective_from,
            "prices": {code: price.as_value() for code, price in sorted(self.prices.items())},
        }


def book_from(value: Mapping[str, Any]) -> Book:
    """Read a published book."""
    prices = {code: price_from(code, price) for code, price in value["prices"].items()}
    return Book(value["version"], value["effective_from"], prices)


def book_at(books: Sequence[Book], moment: str) -> Book | None:
    """The version in force at a moment: the newest whose effective time is not after it."""
    valid = [book for book in books if book.effective_from <= moment]
    return max(valid, key=lambda book: book.version, default=None)
