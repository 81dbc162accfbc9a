"""Usage lines: a pure function of log entries and their payloads, nothing else.

Each line is keyed by log index, dataset and meter, so a duplicate cannot exist. Statements count when
they finished or were cancelled (a client that hangs up pays for what it got); failed and unknown ones
cost nothing (document 13 §14).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gongshu.clock import from_text
from gongshu.revenue.price import Meter

STATEMENT_OUTCOME = "statement.outcome.logged"
ITEM_RELEASED = "release.item.released"
METERED_EVENTS = (STATEMENT_OUTCOME, ITEM_RELEASED)
BILLED_STATUSES = {"finished", "cancelled"}
# Service months are the agency's (UTC+8 all year); a constant, so that anyone derives the same month.
AGENCY_OFFSET = timedelta(hours=8)


@dataclass(frozen=True)
class LogFact:
    """One metered entry: its place, its public form, and its private part `usage`."""

    index: int
    entry: Mapping[str, Any]
    usage: Mapping[str, Any]


@dataclass(frozen=True)
class UsageLine:
    """How much of one dataset one entry used. subject: the statement or release it came from."""

    index: int
    time: str
    operator: str
    scenario: str
    actor: str
    subject: str
    dataset: str
    version: int
    grant: str
    price: str
    use: str
    meter: Meter
    quantity: int

    @property
    def month(self) -> str:
        return month_of(self.time)


def month_of(moment: str) -> str:
    """The service month of a moment, ``2026-11``, in the agency's time."""
    return (from_text(moment) + AGENCY_OFFSET).strftime("%Y-%m")


def usage_lines(facts: Iterable[LogFact]) -> Iterator[UsageLine]:
    """Derive the lines, in the order of the log; datasets of one entry by name. Nothing used, no line."""
    for fact in facts:
        kind = fact.entry["event"]
        if kind == STATEMENT_OUTCOME and fact.entry["public"]["status"] in BILLED_STATUSES:
            yield from _lines(fact, Meter.BILLABLE_BYTES, "billable_bytes", fact.entry["public"]["statement"])
        elif kind == ITEM_RELEASED:
            yield from _lines(fact, Meter.RELEASED_CELLS, "cells", fact.entry["public"]["release"])


def _lines(fact: LogFact, meter: Meter, counted: str, subject: str) -> Iterator[UsageLine]:
    entry = fact.entry
    for use in sorted(fact.usage["datasets"], key=lambda each: each["dataset"]):
        if use[counted] > 0:
            yield UsageLine(
                index=fact.index,
                time=entry["time"],
                operator=entry["organisation"],
                scenario=entry["scenario"],
                actor=entry["actor"],
                subject=subject,
                dataset=use["dataset"],
                version=use["version"],
                grant=use["grant"],
                price=use["price"],
                use=use["use"],
                meter=meter,
                quantity=use[counted],
            )
