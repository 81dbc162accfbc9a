"""Preparing and closing a service month.

Anyone may prepare (it changes nothing); only the agency's officer closes, and a closing is a log entry
with the root of its lines. Closed means closed: what comes later in the same month is a run of its own.
It must never issue an invoice above a ceiling, nor bill an entry twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork, Value
from gongshu.audit.entry import canonical
from gongshu.clock import to_text
from gongshu.errors import Conflict, Invalid, Words
from gongshu.identity import Actor, Role, require_role
from gongshu.policy import Decision, Opa
from gongshu.revenue.books import all_books, pricing_facts
from gongshu.revenue.journal import postings
from gongshu.revenue.models import AllocationRow, Ceiling, InvoiceLineRow, InvoiceRow, PriceBook, SettlementRun
from gongshu.revenue.price import Book, Price
from gongshu.revenue.reading import UsageReader
from gongshu.revenue.run import Frame, Invoice, InvoiceLine, Run, compute_run
from gongshu.revenue.terms import terms_of
from gongshu.revenue.usage import month_of

PERIOD = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
CLOSE_LOCK = 7_002  # advisory: one closing at a time


@dataclass(frozen=True)
class Closing:
    """The policy's answer, and the run when it was closed (None: refused; commit, then `decision.require()`)."""

    run: Run | None
    decision: Decision | None
    entry_id: str

    def require(self) -> Run:
        """The run. Raises Denied with the reason when the policy refused."""
        if self.run is None and self.decision is not None:
            raise self.decision.refusal()
        assert self.run is not None
        return self.run


def prepare(session: Session, reader: UsageReader, period: str, now: datetime, log_size: int | None = None) -> Run:
    """Compute what closing now would close; nothing is written. Raises Invalid for a period that has not begun."""
    _require_period(period, now)
    size = reader.log_size(session) if log_size is None else log_size
    usage = reader.read(session, size)
    return compute_run(_frame(session, period, size), usage, all_books(session), terms_of(session, usage, now))


def close_period(
    work: UnitOfWork, actor: Actor, reader: UsageReader, period: str, opa: Opa, *, lines_root: str | None = None
) -> Closing:
    """Close a month up to this moment. lines_root: of the prepared run the officer looked at, when there was one.

    Raises Denied for anyone but the agency's officer, Conflict when nothing new is to be billed or the
    prepared run is no longer the present one, Unavailable.
    """
    require_role(actor, Role.OFFICER, duty="agency")
    work.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CLOSE_LOCK})
    run = prepare(work.session, reader, period, work.clock.now())
    if run.number > 1 and not run.lines:
        raise Conflict(
            "revenue.period.closed",
            Words(f"{period} 已关账,之后没有新的用量。", f"{period} is closed and nothing was used since."),
            Words("有新用量后再做补充结算", "Run a supplement once there is new usage"),
        )
    if lines_root is not None and lines_root != run.lines_root:
        raise Conflict(
            "revenue.period.moved",
            Words(
                "预结算之后又有新的用量,没有关账。", "There is new usage since this was prepared; nothing was closed."
            ),
            Words("请看过新的预结算再关账", "Look at the new preparation, then close"),
        )
    decision = _ask(work.session, run, opa)
    if decision is not None and not decision.allowed:
        return Closing(None, decision, _record(work, actor, run, decision, EventType.CLOSING_REFUSED))
    entry_id = _record(work, actor, run, decision, EventType.PERIOD_CLOSED)
    _keep(work, actor, run, entry_id)
    return Closing(run, decision, entry_id)


def _require_period(period: str, now: datetime) -> None:
    if not PERIOD.match(period) or period > month_of(to_text(now)):
        raise Invalid(
            "revenue.period",
            Words(f"{period} 不是可结算的月份。", f"{period} is not a month that can be settled."),
            Words("写作 2026-11,且不晚于本月", "Write it as 2026-11, not later than this month"),
        )


def _frame(session: Session, period: str, log_size: int) -> Frame:
    last = session.scalars(
        select(SettlementRun).where(SettlementRun.period == period).order_by(SettlementRun.number.desc()).limit(1)
    ).one_or_none()
    issued = session.scalar(select(func.count()).select_from(InvoiceRow).where(InvoiceRow.period == period)) or 0
    if last is None:
        return Frame(period, 1, 0, log_size)
    return Frame(period, last.number + 1, last.log_size, log_size, issued)


def _ask(session: Session, run: Run, opa: Opa) -> Decision | None:
    """Put every charged or zero-rated line's price before the policy, as of the last service time in the run."""
    books = {book.version: book for book in all_books(session)}
    facts: list[dict[str, Any]] = []
    for line in _invoice_lines(run):
        price = _price_of(books, line)
        if price is not None:
            ceiling = session.get(Ceiling, price.ceiling) if price.ceiling else None
            uses = {rated.usage.use for rated in line.lines if rated.charged_microfen} or {price.use}
            facts += [dict(pricing_facts(price, use, ceiling)) for use in sorted(uses)]
    if not facts:
        return None
    moment = max(line.usage.time for line in run.lines)
    return opa.ask("pricing", {"action": "issue-invoice", "prices": facts, "now": moment})


def _invoice_lines(run: Run) -> Iterator[InvoiceLine]:
    for invoice in run.invoices:
        yield from invoice.lines


def _price_of(books: dict[int, Book], line: InvoiceLine) -> Price | None:
    book = books.get(line.price_version)
    return book.prices.get(line.price) if book else None


def _record(work: UnitOfWork, actor: Actor, run: Run, decision: Decision | None, kind: EventType) -> str:
    public: dict[str, Value] = {
        "period": run.period,
        "run": run.number,
        "first_size": run.first_size,
        "log_size": run.log_size,
        "lines": len(run.lines),
        "parked": len(run.parked),
        "lines_root": run.lines_root,
        "books": {
            str(row.version): row.sha256 for row in work.session.scalars(select(PriceBook).order_by(PriceBook.version))
        },
        "invoices": [{"invoice": one.number, "payer": one.payer, "sha256": one.digest} for one in run.invoices],
    }
    private = {one.number: Private(one.as_value(), audience=(one.payer,)) for one in run.invoices}
    if decision is not None:
        facts, parts = decision.evidence()
        public.update(facts)
        private.update({name: Private(payload) for name, payload in parts.items()})
    return work.record(
        Event(kind, actor=actor.pseudonym, organisation=actor.organisation, public=public, private=private)
    )


def _keep(work: UnitOfWork, actor: Actor, run: Run, entry_id: str) -> None:
    session, now = work.session, work.clock.now()
    session.add(
        SettlementRun(
            period=run.period,
            number=run.number,
            first_size=run.first_size,
            log_size=run.log_size,
            lines=len(run.lines),
            lines_root=run.lines_root,
            closed_by=actor.pseudonym,
            closed_at=now,
            entry_id=entry_id,
        )
    )
    session.flush()
    books = {book.version: book for book in all_books(session)}
    for invoice in run.invoices:
        session.add(_invoice_row(invoice, now, entry_id))
        session.flush()
        for line in invoice.lines:
            session.add(_line_row(invoice, line, _price_of(books, line)))
            session.flush()
            session.add_all(
                AllocationRow(invoice=invoice.number, line=line.number, **allocation.as_value())
                for allocation in line.allocations
            )
        session.add_all(postings(invoice, entry_id))
    session.flush()


def _invoice_row(invoice: Invoice, now: datetime, entry_id: str) -> InvoiceRow:
    return InvoiceRow(
        number=invoice.number,
        period=invoice.period,
        run=invoice.run,
        payer=invoice.payer,
        fen=invoice.fen,
        shadow_fen=invoice.shadow_fen,
        document=canonical(invoice.as_value()).decode(),
        sha256=invoice.digest,
        issued_at=now,
        entry_id=entry_id,
    )


def _line_row(invoice: Invoice, line: InvoiceLine, price: Price | None) -> InvoiceLineRow:
    return InvoiceLineRow(
        invoice=invoice.number,
        number=line.number,
        scenario=line.scenario,
        agreement=line.agreement,
        price=line.price,
        price_version=line.price_version if price else None,
        unit=price.unit if price else 1,
        ceiling_microfen=price.ceiling_microfen if price else None,
        quantity=line.quantity,
        charged_microfen=line.charged_microfen,
        fen=line.fen,
        shadow_fen=line.shadow_fen,
    )
