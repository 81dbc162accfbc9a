"""A run: the invoices and splits of one service month, for the log entries between two sizes of the log.

A run is a pure function of (month, previous log size, log size), usage, price books and agreements'
terms: run again, it gives the same bytes. A later run of the same month bills only what came after the
earlier one, on the month's own tiers and prices, so every entry is billed exactly once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from gongshu.audit import Value
from gongshu.audit.entry import canonical
from gongshu.audit.tree import leaf_hash, root_of
from gongshu.money import share_cumulatively, to_fen
from gongshu.revenue.price import Book
from gongshu.revenue.rating import RatedLine, rate
from gongshu.revenue.usage import UsageLine

PAYEE = "platform"
PROVIDERS = "providers"


@dataclass(frozen=True)
class Terms:
    """What an agreement says about money. split: party → share, summing to 1; the party `providers` stands for
    the data sources, whose share is accounted to them (核算贡献) and not paid out (document 13 §3)."""

    agreement: str
    scenario: str
    operator: str
    split: tuple[tuple[str, Fraction], ...]
    providers: Mapping[str, str]

    def as_value(self) -> dict[str, Value]:
        return {
            "agreement": self.agreement,
            "scenario": self.scenario,
            "operator": self.operator,
            "split": [
                {"party": party, "share": f"{share.numerator}/{share.denominator}"} for party, share in self.split
            ],
            "providers": dict(sorted(self.providers.items())),
        }


@dataclass(frozen=True)
class Allocation:
    """One party's part of an invoice line. accounted: shown as a contribution, paid to the treasury."""

    party: str
    dataset: str
    fen: int
    accounted: bool

    def as_value(self) -> dict[str, Value]:
        return {"party": self.party, "dataset": self.dataset, "fen": self.fen, "accounted": self.accounted}


@dataclass(frozen=True)
class InvoiceLine:
    """One price of one scenario in one version of the book; rounded to fen once, here."""

    number: int
    scenario: str
    agreement: str
    price: str
    price_version: int
    quantity: int
    entries: int
    charged_microfen: int
    fen: int
    shadow_fen: int
    allocations: tuple[Allocation, ...]
    lines: tuple[RatedLine, ...] = field(repr=False)

    def as_value(self) -> dict[str, Value]:
        return {
            "number": self.number,
            "scenario": self.scenario,
            "agreement": self.agreement,
            "price": self.price,
            "price_version": self.price_version,
            "quantity": self.quantity,
            "entries": self.entries,
            "charged_microfen": self.charged_microfen,
            "fen": self.fen,
            "shadow_fen": self.shadow_fen,
            "allocations": [allocation.as_value() for allocation in self.allocations],
        }


@dataclass(frozen=True)
class Invoice:
    """What one operator owes the platform for one run."""

    number: str
    period: str
    run: int
    payer: str
    lines: tuple[InvoiceLine, ...]

    @property
    def fen(self) -> int:
        return sum(line.fen for line in self.lines)

    @property
    def shadow_fen(self) -> int:
        return sum(line.shadow_fen for line in self.lines)

    def as_value(self) -> dict[str, Value]:
        return {
            "schema": 1,
            "invoice": self.number,
            "period": self.period,
            "run": self.run,
            "payer": self.payer,
            "payee": PAYEE,
            "fen": self.fen,
            "shadow_fen": self.shadow_fen,
            "lines": [line.as_value() for line in self.lines],
        }

    @property
    def digest(self) -> str:
        return hashlib.sha256(canonical(self.as_value())).hexdigest()


@dataclass(frozen=True)
class Run:
    """One closing of a month. first_size, log_size: entries with first_size ≤ index < log_size are billed."""

    period: str
    number: int
    first_size: int
    log_size: int
    lines: tuple[RatedLine, ...] = field(repr=False)
    invoices: tuple[Invoice, ...]

    @property
    def lines_root(self) -> str:
        return root_of([leaf_hash(canonical(line.as_value())) for line in self.lines]).hex()

    @property
    def parked(self) -> tuple[RatedLine, ...]:
        """Lines without a price in force: shown, not charged."""
        return tuple(line for line in self.lines if line.price_version == 0)


@dataclass(frozen=True)
class Frame:
    """Which run is asked for. invoices_before: how many invoices the month's earlier runs issued."""

    period: str
    number: int
    first_size: int
    log_size: int
    invoices_before: int = 0


def compute_run(frame: Frame, usage: Iterable[UsageLine], books: Sequence[Book], terms: Mapping[str, Terms]) -> Run:
    """Compute a run. terms: by grant. Raises KeyError when a line's grant has none."""
    month = [line for line in usage if line.month == frame.period and line.index < frame.log_size]
    rated = list(rate(month, books))
    billed = tuple(line for line in rated if line.usage.index >= frame.first_size)
    groups = _grouped(rated, terms)
    payers = sorted({line.usage.operator for line in billed})
    invoices = tuple(
        Invoice(
            number=invoice_number(frame.period, frame.invoices_before + position),
            period=frame.period,
            run=frame.number,
            payer=payer,
            lines=tuple(_invoice_lines(frame, {k: v for k, v in groups.items() if k[0] == payer}, terms)),
        )
        for position, payer in enumerate(payers)
    )
    return Run(frame.period, frame.number, frame.first_size, frame.log_size, billed, invoices)


def invoice_number(period: str, position: int) -> str:
    """``I-2026-11-A`` for the month's first invoice, then B … Z, AA, AB …"""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"I-{period}-{letters}"


# operator, scenario, agreement, price, version of the book
Group = tuple[str, str, str, str, int]


def _grouped(rated: Iterable[RatedLine], terms: Mapping[str, Terms]) -> dict[Group, list[RatedLine]]:
    groups: dict[Group, list[RatedLine]] = {}
    for line in rated:
        use = line.usage
        key = (use.operator, use.scenario, terms[use.grant].agreement, use.price, line.price_version)
        groups.setdefault(key, []).append(line)
    return dict(sorted(groups.items()))


def _invoice_lines(
    frame: Frame, groups: Mapping[Group, list[RatedLine]], terms: Mapping[str, Terms]
) -> Iterator[InvoiceLine]:
    billed = [(key, lines) for key, lines in groups.items() if lines[-1].usage.index >= frame.first_size]
    for number, ((_payer, scenario, agreement, price, version), lines) in enumerate(billed, 1):
        now = [line for line in lines if line.usage.index >= frame.first_size]
        before = to_fen(sum(line.charged_microfen for line in lines if line.usage.index < frame.first_size))
        after = to_fen(sum(line.charged_microfen for line in lines))
        yield InvoiceLine(
            number=number,
            scenario=scenario,
            agreement=agreement,
            price=price,
            price_version=version,
            quantity=sum(line.usage.quantity for line in now),
            entries=len({line.usage.index for line in now}),
            charged_microfen=sum(line.charged_microfen for line in now),
            fen=after - before,
            shadow_fen=to_fen(sum(line.shadow_microfen for line in now)),
            allocations=tuple(_allocations(terms[now[0].usage.grant], before, after, now)),
            lines=tuple(now),
        )


def _allocations(terms: Terms, before: int, after: int, lines: Sequence[RatedLine]) -> Iterator[Allocation]:
    """Split the line's running total and post the difference; the providers' part goes by what each dataset earned."""
    ratios = [share for _party, share in terms.split]
    earlier, later = share_cumulatively(before, ratios), share_cumulatively(after, ratios)
    for (party, _share), old, new in zip(terms.split, earlier, later, strict=True):
        if party != PROVIDERS:
            yield Allocation(party, "", new - old, accounted=False)
        else:
            yield from _contributions(terms, new - old, lines)


def _contributions(terms: Terms, fen: int, lines: Sequence[RatedLine]) -> Iterator[Allocation]:
    earned: dict[str, int] = {}
    for line in lines:
        earned[line.usage.dataset] = earned.get(line.usage.dataset, 0) + line.charged_microfen
    datasets, total = sorted(earned), sum(earned.values())
    ratios = (
        [Fraction(earned[name], total) for name in datasets] if total else [Fraction(1, len(datasets))] * len(datasets)
    )
    for name, part in zip(datasets, share_cumulatively(fen, ratios), strict=True):
        yield Allocation(terms.providers[name], name, part, accounted=True)
