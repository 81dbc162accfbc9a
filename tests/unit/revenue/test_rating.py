"""Prices, tiers and rating: amounts add up exactly, public interest is free, time decides the version."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gongshu.revenue.price import Book, Kind, Meter, Price, Tier, book_at, book_from
from gongshu.revenue.rating import rate
from gongshu.revenue.usage import LogFact, UsageLine, usage_lines

# The machine may be busy: what is tested is the sum, not the speed.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
GIB = 1 << 30


def price(
    code: str = "p", *, kind: Kind = Kind.GRADUATED, tiers: tuple[Tier, ...] | None = None, unit: int = GIB
) -> Price:
    steps = tiers or (Tier(20 * GIB, 12_000_000_000), Tier(None, 9_000_000_000))
    return Price(
        code, "价", "price", Meter.BILLABLE_BYTES, unit, "GiB", kind, "industry", steps, "C-0001", 13_000_000_000
    )


def line(
    index: int, quantity: int, *, dataset: str = "d", use: str = "industry", time: str = "2026-11-03T01:00:00.000000Z"
) -> UsageLine:
    return UsageLine(
        index, time, "operator-a", "s", "p-1", f"S{index}", dataset, 1, "G-1", "p", use, Meter.BILLABLE_BYTES, quantity
    )


def book(version: int = 1, effective: str = "2026-11-01T00:00:00.000000Z", **prices: Price) -> Book:
    return Book(version, effective, prices or {"p": price()})


def test_graduated_tiers_charge_each_part_at_its_own_price() -> None:
    assert price().charged(20 * GIB) == 20 * 12_000_000_000
    assert price().charged(41 * GIB) == 20 * 12_000_000_000 + 21 * 9_000_000_000


def test_zero_rated_costs_nothing_and_shows_its_shadow() -> None:
    free = price(kind=Kind.ZERO_RATED)
    [rated] = rate([line(7, GIB)], [book(p=free)])
    assert (rated.charged_microfen, rated.shadow_microfen) == (0, 12_000_000_000)
    assert free.highest_microfen == 0


def test_public_interest_use_is_never_charged_whatever_the_price_says() -> None:
    [rated] = rate([line(7, GIB, use="public-interest")], [book()])
    assert (rated.charged_microfen, rated.shadow_microfen) == (0, 12_000_000_000)


def test_the_version_in_force_at_service_time_rates() -> None:
    later = book(2, "2026-11-10T00:00:00.000000Z", p=price(tiers=(Tier(None, 1),), unit=1))
    rated = list(rate([line(1, 5), line(2, 5, time="2026-11-10T00:00:00.000000Z")], [book(), later]))
    assert [r.price_version for r in rated] == [1, 2]
    assert rated[1].charged_microfen == 5


def test_usage_without_a_price_in_force_is_parked_not_guessed() -> None:
    [rated] = rate([line(1, 5, time="2026-10-31T23:59:59.000000Z")], [book()])
    assert (rated.price_version, rated.charged_microfen) == (0, 0)


def test_a_price_that_counts_cells_leaves_bytes_out() -> None:
    cells = Price("p", "价", "p", Meter.RELEASED_CELLS, 1, "cell", Kind.UNIT, "industry", (Tier(None, 5),), "C-1", 9)
    assert list(rate([line(1, 5)], [book(p=cells)])) == []


@PATIENT
@given(st.lists(st.tuples(st.integers(1, 40 * GIB), st.integers(1, 3)), min_size=1, max_size=30))
def test_rated_lines_add_up_to_the_whole_month_exactly(entries: list[tuple[int, int]]) -> None:
    lines = [
        line(i, quantity, dataset=f"d{n}") for i, (quantity, datasets) in enumerate(entries) for n in range(datasets)
    ]
    rated = list(rate(lines, [book()]))
    total = sum(one.quantity for one in lines)
    assert sum(one.charged_microfen for one in rated) == price().charged(total)
    for one in rated:  # within one entry the driver shares to the unit
        group = [other for other in rated if other.usage.index == one.usage.index]
        whole, quantity = sum(o.charged_microfen for o in group), sum(o.usage.quantity for o in group)
        assert abs(one.charged_microfen - Fraction(whole * one.usage.quantity, quantity)) < 1


def test_a_book_survives_its_own_file() -> None:
    assert book_from(book().as_value()) == book()  # type: ignore[arg-type]
    assert book_at([book()], "2026-10-01T00:00:00.000000Z") is None


def fact(index: int, event: str, public: dict[str, object], datasets: list[dict[str, object]]) -> LogFact:
    entry = {
        "event": event,
        "time": "2026-11-03T01:00:00.000000Z",
        "organisation": "operator-a",
        "scenario": "s",
        "actor": "p-1",
    }
    return LogFact(index, {**entry, "public": public}, {"datasets": datasets})


@pytest.mark.parametrize(("status", "billed"), [("finished", 1), ("cancelled", 1), ("failed", 0), ("unknown", 0)])
def test_only_statements_that_gave_something_are_billed(status: str, billed: int) -> None:
    used = {"dataset": "d", "version": 1, "grant": "G", "price": "p", "use": "industry", "billable_bytes": 8}
    facts = [fact(3, "statement.outcome.logged", {"statement": "S", "status": status}, [used])]
    assert len(list(usage_lines(facts))) == billed


def test_a_month_is_the_agencys_month() -> None:
    assert line(1, 1, time="2026-10-31T16:00:00.000000Z").month == "2026-11"
    assert line(1, 1, time="2026-10-31T15:59:59.999999Z").month == "2026-10"
