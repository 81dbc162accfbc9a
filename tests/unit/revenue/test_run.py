"""Runs: every entry billed once, no fen lost or made, the same bytes every time."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gongshu.audit.entry import canonical
from gongshu.money import to_fen
from gongshu.revenue.journal import postings, to_beancount
from gongshu.revenue.price import Book, Kind, Meter, Price, Tier
from gongshu.revenue.run import Frame, Run, Terms, compute_run, invoice_number
from gongshu.revenue.usage import UsageLine

# The machine may be busy: what is tested is the sum, not the speed.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PRICE = Price(
    "p", "价", "price", Meter.BILLABLE_BYTES, 1000, "kB", Kind.GRADUATED, "industry",
    (Tier(50_000, 12_345_679), Tier(None, 9_876_543)), "C-0001", 13_000_000,
)  # fmt: skip
BOOKS = [Book(1, "2026-11-01T00:00:00.000000Z", {"p": PRICE})]
SPLIT = (("providers", Fraction(3, 5)), ("treasury", Fraction(1, 5)), ("platform", Fraction(1, 5)))
TERMS = {
    grant: Terms(
        "示数授〔2026〕1号", scenario, operator, SPLIT, {"tourism.stays": "tourism", "transit.trips": "transport"}
    )
    for grant, scenario, operator in [("G-1", "flow", "operator-a"), ("G-2", "climate", "operator-b")]
}

usage = st.builds(
    lambda which, dataset, quantity, day: (which, dataset, quantity, day),
    st.sampled_from(["G-1", "G-2"]),
    st.sampled_from(["tourism.stays", "transit.trips"]),
    st.integers(1, 90_000),
    st.integers(1, 28),
)
months = st.lists(usage, max_size=40)


def lines_of(month: list[tuple[str, str, int, int]]) -> list[UsageLine]:
    return [
        UsageLine(
            index, f"2026-11-{day:02d}T03:00:00.000000Z", TERMS[grant].operator, TERMS[grant].scenario, "p-1",
            f"S{index}", dataset, 1, grant, "p", "industry", Meter.BILLABLE_BYTES, quantity,
        )
        for index, (grant, dataset, quantity, day) in enumerate(month)
    ]  # fmt: skip


def run(lines: list[UsageLine], first: int, size: int, number: int = 1, before: int = 0) -> Run:
    return compute_run(Frame("2026-11", number, first, size, before), lines, BOOKS, TERMS)


@PATIENT
@given(months)
def test_each_invoice_line_is_rounded_once_and_split_to_the_fen(month: list[tuple[str, str, int, int]]) -> None:
    closed = run(lines_of(month), 0, len(month))
    for invoice in closed.invoices:
        for line in invoice.lines:
            assert line.fen == to_fen(line.charged_microfen) == sum(part.fen for part in line.allocations)
            assert line.charged_microfen == PRICE.charged(line.quantity)
        assert sum(posting.fen for posting in postings(invoice, "E")) == 0


@PATIENT
@given(months, st.data())
def test_closing_in_several_runs_bills_every_entry_once_and_loses_no_fen(
    month: list[tuple[str, str, int, int]], data: st.DataObject
) -> None:
    lines, whole = lines_of(month), run(lines_of(month), 0, len(month))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(month)), max_size=3)))
    parts, first, issued = [], 0, 0
    for number, size in enumerate([*cuts, len(month)], 1):
        parts.append(run(lines, first, size, number, issued))
        first, issued = size, issued + len(parts[-1].invoices)
    assert [line for part in parts for line in part.lines] == list(whole.lines)
    numbers = [invoice.number for part in parts for invoice in part.invoices]
    assert len(set(numbers)) == len(numbers)

    def totals(runs: list[Run]) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for invoice in (invoice for each in runs for invoice in each.invoices):
            found[(invoice.payer, "")] = found.get((invoice.payer, ""), 0) + invoice.fen
            for part in (part for line in invoice.lines for part in line.allocations if not part.accounted):
                found[(invoice.payer, part.party)] = found.get((invoice.payer, part.party), 0) + part.fen
        return found

    assert totals(parts) == totals([whole])


@PATIENT
@given(months)
def test_a_run_again_is_byte_identical(month: list[tuple[str, str, int, int]]) -> None:
    first, again = run(lines_of(month), 0, len(month)), run(lines_of(month), 0, len(month) + 50)
    assert first.lines_root == again.lines_root
    assert [canonical(i.as_value()) for i in first.invoices] == [canonical(i.as_value()) for i in again.invoices]


def test_other_months_and_later_entries_stay_out() -> None:
    lines = lines_of([("G-1", "tourism.stays", 5, 3), ("G-1", "tourism.stays", 5, 4)])
    assert run(lines, 0, 1).lines[0].usage.index == 0
    assert compute_run(Frame("2026-12", 1, 0, 2), lines, BOOKS, TERMS).lines == ()


def test_invoices_are_numbered_beyond_the_alphabet() -> None:
    assert [invoice_number("2026-11", n) for n in (0, 25, 26, 27)] == [
        "I-2026-11-A",
        "I-2026-11-Z",
        "I-2026-11-AA",
        "I-2026-11-AB",
    ]


def test_beancount_text_balances() -> None:
    [invoice] = run(lines_of([("G-1", "tourism.stays", 49_999, 3), ("G-1", "transit.trips", 77, 3)]), 0, 9).invoices
    amounts = [row.split()[1] for row in to_beancount(invoice.as_value(), "2026-11-30") if row.startswith("  ")]
    assert round(sum(float(amount) for amount in amounts), 2) == 0
