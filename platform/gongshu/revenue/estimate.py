"""What using a price costs and has cost so far this month: said before a statement runs, not after.

It decides nothing that is charged; the closed run does. The month so far is the same computation on
what the log holds now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from gongshu.audit import Value
from gongshu.clock import to_text
from gongshu.errors import Words
from gongshu.money import format_yuan, to_fen
from gongshu.revenue.books import all_books
from gongshu.revenue.price import Kind, Price, book_at
from gongshu.revenue.rating import rate
from gongshu.revenue.reading import UsageReader
from gongshu.revenue.usage import UsageLine, month_of


@dataclass(frozen=True)
class PriceSoFar:
    """One price for one scenario: how it charges, and the month so far."""

    code: str
    price: Price | None
    quantity: int
    fen: int
    shadow_fen: int

    @property
    def words(self) -> Words:
        """How the price charges, as one sentence."""
        return describe_price(self.price) if self.price else Words("还没有收费标准", "no price yet")

    def as_value(self) -> dict[str, Value]:
        price = self.price
        return {
            "price": self.code,
            "title": {"zh": price.title_zh, "en": price.title_en} if price else None,
            "meter": price.meter.value if price else None,
            "unit": price.unit if price else None,
            "unit_name": price.unit_name if price else None,
            "kind": price.kind.value if price else None,
            "tiers": [{"up_to": tier.up_to, "microfen": tier.microfen} for tier in price.tiers] if price else [],
            "text": {"zh": self.words.zh, "en": self.words.en},
            "month_quantity": self.quantity,
            "month_fen": self.fen,
            "month_shadow_fen": self.shadow_fen,
        }


def sandbox_prices(
    session: Session,
    reader: UsageReader,
    scenario: str,
    codes: Iterable[str],
    now: datetime,
    *,
    month: str | None = None,
) -> list[PriceSoFar]:
    """The prices that a scenario's grants name (codes), with the month so far."""
    month, books = month or month_of(to_text(now)), all_books(session)
    book = book_at(books, to_text(now))
    usage: Sequence[UsageLine] = [
        one for one in reader.read(session) if one.scenario == scenario and one.month == month
    ]
    rated = list(rate(usage, books))
    found = []
    for code in sorted(set(codes)):
        lines = [line for line in rated if line.usage.price == code]
        found.append(
            PriceSoFar(
                code,
                book.prices.get(code) if book else None,
                sum(line.usage.quantity for line in lines),
                to_fen(sum(line.charged_microfen for line in lines)),
                to_fen(sum(line.shadow_microfen for line in lines)),
            )
        )
    return found


def describe_price(price: Price) -> Words:
    """``累进:0–20 GiB ¥120.00/GiB;20 GiB 以上 ¥90.00/GiB`` and its English."""
    zh, en, start = [], [], 0
    for tier in price.tiers:
        amount = f"¥{unit_yuan(tier.microfen)}/{price.unit_name}"
        first, last = _in_units(start, price), _in_units(tier.up_to, price)
        if len(price.tiers) == 1:
            zh.append(amount)
            en.append(amount)
        elif tier.up_to is None:
            zh.append(f"{first} {price.unit_name} 以上 {amount}")
            en.append(f"above {first} {price.unit_name} {amount}")
        else:
            zh.append(f"{first}–{last} {price.unit_name} {amount}")
            en.append(f"{first}–{last} {price.unit_name} {amount}")
        start = tier.up_to or 0
    if price.kind is Kind.ZERO_RATED:
        return Words(f"零费率(影子价 {';'.join(zh)})", f"zero rate (shadow price {'; '.join(en)})")
    if price.kind is Kind.GRADUATED:
        return Words(f"累进:{';'.join(zh)}", f"graduated: {'; '.join(en)}")
    return Words("; ".join(zh), "; ".join(en))


def unit_yuan(microfen: int) -> str:
    """A price per unit in yuan, with as many decimals as it needs (at least two)."""
    fen, rest = divmod(microfen, 1_000_000)
    return format_yuan(fen) + (f"{rest:06d}".rstrip("0") if rest else "")


def _in_units(quantity: int | None, price: Price) -> str:
    if quantity is None:
        return ""
    whole, rest = divmod(quantity, price.unit)
    return f"{whole:,}" if rest == 0 else f"{quantity / price.unit:,.3f}"
