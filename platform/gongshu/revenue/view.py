"""What each person may see of money: a company its own, a provider what its data earned, supervisors all.

It decides visibility; another company's invoice reads like one that does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gongshu.errors import NotFound, Words
from gongshu.identity import Actor, Role
from gongshu.revenue.books import all_books
from gongshu.revenue.models import AllocationRow, InvoiceLineRow, InvoiceRow, Posting, SettlementRun
from gongshu.revenue.rating import RatedLine
from gongshu.revenue.reading import UsageReader
from gongshu.revenue.run import Frame, Run, compute_run
from gongshu.revenue.terms import terms_of
from gongshu.revenue.usage import UsageLine


@dataclass(frozen=True)
class Earning:
    """What one dataset earned in one month from one scenario."""

    period: str
    dataset: str
    scenario: str
    party: str
    fen: int
    accounted: bool


def sees_all_money(actor: Actor) -> bool:
    """Officers and regulators supervise all companies' bills."""
    return actor.has(Role.OFFICER) or actor.has(Role.REGULATOR)


def invoices_for(session: Session, actor: Actor, period: str | None = None) -> Sequence[InvoiceRow]:
    """Invoices a person may list, newest first: a manager the company's, supervisors all, others none."""
    query = select(InvoiceRow).order_by(InvoiceRow.issued_at.desc(), InvoiceRow.number)
    if not sees_all_money(actor):
        query = query.where(InvoiceRow.payer.in_(actor.organisations_as(Role.MANAGER)))
    if period:
        query = query.where(InvoiceRow.period == period)
    return session.scalars(query.limit(500)).all()


def invoice_for(session: Session, actor: Actor, number: str) -> InvoiceRow:
    """One invoice. Raises NotFound when absent or another company's."""
    row = session.get(InvoiceRow, number)
    if row is None or not (sees_all_money(actor) or actor.has(Role.MANAGER, row.payer)):
        raise NotFound(
            "revenue.invoice.absent",
            Words(f"没有结算单 {number}。", f"There is no invoice {number}."),
            Words("请核对编号", "Check the number"),
        )
    return row


def invoice_value(row: InvoiceRow) -> dict[str, object]:
    """The invoice as it was issued."""
    found: dict[str, object] = orjson.loads(row.document)
    return found


def lines_of(session: Session, number: str) -> Sequence[InvoiceLineRow]:
    query = select(InvoiceLineRow).where(InvoiceLineRow.invoice == number).order_by(InvoiceLineRow.number)
    return session.scalars(query).all()


def allocations_of(session: Session, number: str) -> Sequence[AllocationRow]:
    query = select(AllocationRow).where(AllocationRow.invoice == number)
    return session.scalars(query.order_by(AllocationRow.line, AllocationRow.accounted, AllocationRow.party)).all()


def runs(session: Session, period: str | None = None) -> Sequence[SettlementRun]:
    """Closed runs, newest first."""
    query = select(SettlementRun).order_by(SettlementRun.closed_at.desc())
    return session.scalars(query.where(SettlementRun.period == period) if period else query).all()


def recompute(session: Session, reader: UsageReader, period: str, number: int, now: datetime) -> Run:
    """Run a closed run again from the log. Raises NotFound. Its invoices are byte-identical to those issued."""
    row = session.get(SettlementRun, (period, number))
    if row is None:
        raise NotFound(
            "revenue.run.absent", Words(f"{period} 没有第 {number} 次结算。", f"{period} has no run {number}.")
        )
    issued = select(func.count()).select_from(InvoiceRow).where(InvoiceRow.period == period, InvoiceRow.run < number)
    frame = Frame(period, number, row.first_size, row.log_size, session.scalar(issued) or 0)
    usage = reader.read(session, row.log_size)
    return compute_run(frame, usage, all_books(session), terms_of(session, usage, now))


def entries_behind(
    session: Session, reader: UsageReader, invoice: InvoiceRow, line: int, now: datetime
) -> tuple[tuple[RatedLine, ...], bool]:
    """The rated lines of one invoice line, and whether the invoice computes to the same bytes again."""
    again = recompute(session, reader, invoice.period, invoice.run, now)
    for candidate in again.invoices:
        if candidate.number == invoice.number:
            for each in candidate.lines:
                if each.number == line:
                    return each.lines, candidate.digest == invoice.sha256
    raise NotFound("revenue.line.absent", Words("没有这一行。", "There is no such line."))


def earnings_for(session: Session, providers: frozenset[str], period: str | None = None) -> list[Earning]:
    """What the datasets of these providers earned, newest month first."""
    query = (
        select(
            InvoiceRow.period,
            AllocationRow.dataset,
            InvoiceLineRow.scenario,
            AllocationRow.party,
            func.sum(AllocationRow.fen),
            AllocationRow.accounted,
        )
        .join(
            InvoiceLineRow,
            (InvoiceLineRow.invoice == AllocationRow.invoice) & (InvoiceLineRow.number == AllocationRow.line),
        )
        .join(InvoiceRow, InvoiceRow.number == AllocationRow.invoice)
        .where(AllocationRow.party.in_(providers), AllocationRow.dataset != "")
        .group_by(
            InvoiceRow.period,
            AllocationRow.dataset,
            InvoiceLineRow.scenario,
            AllocationRow.party,
            AllocationRow.accounted,
        )
        .order_by(InvoiceRow.period.desc(), AllocationRow.dataset, InvoiceLineRow.scenario)
    )
    if period:
        query = query.where(InvoiceRow.period == period)
    return [
        Earning(p, dataset, scenario, party, int(fen), accounted)
        for p, dataset, scenario, party, fen, accounted in session.execute(query)
    ]


def usage_for(actor: Actor, usage: Sequence[UsageLine], month: str) -> list[UsageLine]:
    """Usage lines of a month that a person may see: a manager the company's, an analyst the own, supervisors all."""
    lines = [line for line in usage if line.month == month]
    if sees_all_money(actor):
        return lines
    companies = actor.organisations_as(Role.MANAGER)
    return [line for line in lines if line.operator in companies or line.actor == actor.pseudonym]


def balances(session: Session) -> dict[str, int]:
    """Every account of the journal with its balance in fen; they sum to zero."""
    query = select(Posting.account, func.sum(Posting.fen)).group_by(Posting.account).order_by(Posting.account)
    return {account: int(fen) for account, fen in session.execute(query)}
