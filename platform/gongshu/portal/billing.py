"""Pages and API of money: usage, invoices to their entries, earnings, settlement.

Every number leads to the log entries it came from. The rules are the revenue room's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from gongshu import revenue
from gongshu.clock import to_text
from gongshu.errors import GongshuError
from gongshu.identity import Role, require_role
from gongshu.portal import todo
from gongshu.portal.billing_forms import ClosingIn
from gongshu.portal.edge import Context, Ctx, Form
from gongshu.portal.formats import money
from gongshu.portal.language import _
from gongshu.portal.pages import page_of
from gongshu.portal.receipts import receipt_of
from gongshu.portal.releases import names_of
from gongshu.revenue.models import InvoiceRow, SettlementRun

pages = APIRouter()
api = APIRouter()

METER_NAMES = {"billable_bytes": "billable bytes", "released_cells": "released cells"}


def _reader(ctx: Context) -> revenue.UsageReader:
    return revenue.reader_for(ctx.services.vault, ctx.services.sessions)


def _month(ctx: Context, asked: str) -> str:
    return asked or revenue.month_of(to_text(ctx.now))


# --- Usage and estimates -----------------------------------------------------------------------------------------


def _usage(ctx: Context, month: str) -> dict[str, Any]:
    """The month so far of what this person may see: totals by scenario and price, by day, by person."""
    lines = revenue.usage_for(ctx.actor, _reader(ctx).read(ctx.session), month)
    prices = []
    for scenario in sorted({line.scenario for line in lines}):
        of = [line for line in lines if line.scenario == scenario]
        found = revenue.sandbox_prices(
            ctx.session, _reader(ctx), scenario, {line.price for line in of}, ctx.now, month=month
        )
        prices += [{"scenario": scenario, **one.as_value()} for one in found]
    by_day: dict[str, int] = defaultdict(int)
    by_person: dict[tuple[str, str], int] = defaultdict(int)
    for line in lines:
        if line.meter is revenue.Meter.BILLABLE_BYTES:
            by_day[line.time[:10]] += line.quantity
            by_person[(line.scenario, line.actor)] += line.quantity
    return {
        "month": month,
        "prices": prices,
        "bytes_by_day": [{"day": day, "bytes": count} for day, count in sorted(by_day.items())],
        "bytes_by_person": [
            {"scenario": s, "person": p, "bytes": count} for (s, p), count in sorted(by_person.items())
        ],
        "fen": sum(one["month_fen"] for one in prices),
        "shadow_fen": sum(one["month_shadow_fen"] for one in prices),
    }


@pages.get("/usage")
def usage_page(ctx: Ctx, month: str = "") -> Response:
    return ctx.render("billing/usage.html", usage=_usage(ctx, _month(ctx, month)))


@api.get("/usage")
def usage_json(ctx: Ctx, month: str = "") -> dict[str, Any]:
    """The month so far."""
    return _usage(ctx, _month(ctx, month))


# --- Invoices ----------------------------------------------------------------------------------------------------


@pages.get("/invoices")
def invoices_page(ctx: Ctx, period: str = "") -> Response:
    found = revenue.invoices_for(ctx.session, ctx.actor, period or None)
    return ctx.render(
        "billing/invoices.html",
        invoices=found,
        names=names_of(ctx.session),
    )


@pages.get("/invoices/{number}")
def invoice_page(ctx: Ctx, number: str) -> Response:
    row = revenue.invoice_for(ctx.session, ctx.actor, number)
    return ctx.render(
        "billing/invoice.html",
        names=names_of(ctx.session),
        invoice=row,
        lines=revenue.lines_of(ctx.session, number),
        allocations=_by_line(revenue.allocations_of(ctx.session, number)),
        books={book.version: book for book in revenue.all_books(ctx.session)},
        run=_run_of(ctx, row),
        capital=revenue.capital_yuan(row.fen),
        describe_price=revenue.describe_price,
        unit_yuan=revenue.unit_yuan,
    )


@pages.get("/invoices/{number}/lines/{line}")
def line_page(ctx: Ctx, number: str, line: int) -> Response:
    row = revenue.invoice_for(ctx.session, ctx.actor, number)
    rated, same = revenue.entries_behind(ctx.session, _reader(ctx), row, line, ctx.now)
    page = page_of(ctx.request.query_params, len(rated))
    return ctx.render(
        "billing/line.html",
        names=names_of(ctx.session),
        invoice=row,
        line=next(one for one in revenue.lines_of(ctx.session, number) if one.number == line),
        allocations=_by_line(revenue.allocations_of(ctx.session, number)).get(line, []),
        rated=rated[page.offset : page.offset + page.size],
        total_quantity=sum(one.usage.quantity for one in rated),
        total_microfen=sum(one.charged_microfen for one in rated),
        entries=len({one.usage.index for one in rated}),
        same=same,
        page=page,
    )


@api.get("/invoices")
def invoices_json(ctx: Ctx, period: str = "") -> dict[str, Any]:
    """The invoices this person may list, newest first."""
    found = revenue.invoices_for(ctx.session, ctx.actor, period or None)
    return {"invoices": [_invoice_facts(ctx, row) for row in found]}


@api.get("/invoices/{number}")
def invoice_json(ctx: Ctx, number: str) -> dict[str, Any]:
    """The invoice as it was issued, with its split and the closing it belongs to."""
    row = revenue.invoice_for(ctx.session, ctx.actor, number)
    return {**_invoice_facts(ctx, row), **revenue.invoice_value(row)}


@api.get("/invoices/{number}/lines/{line}")
def line_json(ctx: Ctx, number: str, line: int) -> dict[str, Any]:
    """The log entries behind one line."""
    row = revenue.invoice_for(ctx.session, ctx.actor, number)
    rated, same = revenue.entries_behind(ctx.session, _reader(ctx), row, line, ctx.now)
    return {"invoice": number, "line": line, "recomputed_equal": same, "entries": [one.as_value() for one in rated]}


@pages.get("/invoices/{number}/beancount")
def beancount(ctx: Ctx, number: str) -> Response:
    """The invoice as Beancount text."""
    row = revenue.invoice_for(ctx.session, ctx.actor, number)
    text = revenue.to_beancount(revenue.invoice_value(row), row.issued_at.date().isoformat())
    return PlainTextResponse("\n".join(text))


@pages.get("/invoices/{number}/receipt")
def invoice_receipt(ctx: Ctx, number: str) -> Response:
    """The receipt of the closing that issued the invoice; its digest stands in that entry."""
    row = revenue.invoice_for(ctx.session, ctx.actor, number)
    return receipt_of(ctx, row.entry_id, f"{number}.tlog-proof")


def _by_line(allocations: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for allocation in allocations:
        found[allocation.line].append(allocation)
    return found


def _run_of(ctx: Context, row: InvoiceRow) -> SettlementRun:
    return next(run for run in revenue.runs(ctx.session, row.period) if run.number == row.run)


def _invoice_facts(ctx: Context, row: InvoiceRow) -> dict[str, Any]:
    return {
        "invoice": row.number,
        "no": row.number,
        "period": row.period,
        "run": row.run,
        "payer": row.payer,
        "fen": row.fen,
        "shadow_fen": row.shadow_fen,
        "sha256": row.sha256,
        "issued_at": row.issued_at.isoformat(),
        "entry": row.entry_id,
        "log_size": _run_of(ctx, row).log_size,
    }


# --- Earnings ----------------------------------------------------------------------------------------------------


@pages.get("/earnings")
def earnings_page(ctx: Ctx, period: str = "") -> Response:
    found = revenue.earnings_for(ctx.session, _providers(ctx), period or None)
    return ctx.render("billing/earnings.html", earnings=found, total=sum(one.fen for one in found))


@api.get("/earnings")
def earnings_json(ctx: Ctx, period: str = "") -> dict[str, Any]:
    """What this department's datasets earned (accounted contribution)."""
    return {"earnings": [vars(one) for one in revenue.earnings_for(ctx.session, _providers(ctx), period or None)]}


def _providers(ctx: Context) -> frozenset[str]:
    return ctx.actor.organisations_as(Role.STEWARD) | ctx.actor.organisations_as(Role.CDO)


# --- Settlement --------------------------------------------------------------------------------------------------


@pages.get("/settlement")
def settlement_index(ctx: Ctx) -> Response:
    return ctx.redirect(f"/settlement/{_month(ctx, '')}")


@pages.get("/settlement/{period}")
def settlement_page(ctx: Ctx, period: str) -> Response:
    return _settlement(ctx, period, None)


@pages.post("/settlement/{period}/close")
def close_page(ctx: Ctx, period: str, form: Form) -> Response:
    try:
        _close(ctx, period, str(form.get("lines_root") or "") or None)
    except GongshuError as error:
        return _settlement(ctx, period, error)
    return ctx.redirect(f"/settlement/{period}")


@api.get("/settlement/{period}")
def settlement_json(ctx: Ctx, period: str) -> dict[str, Any]:
    """The closed runs of a month and what closing now would add."""
    _require_supervisor(ctx)
    run = revenue.prepare(ctx.session, _reader(ctx), period, ctx.now)
    return {
        "period": period,
        "closed": [_closed_facts(one) for one in revenue.runs(ctx.session, period)],
        "prepared": _run_facts(run),
    }


@api.post("/settlement/{period}/prepare")
def prepare_json(ctx: Ctx, period: str) -> dict[str, Any]:
    """Compute what closing now would close; nothing is written."""
    _require_supervisor(ctx)
    return _run_facts(revenue.prepare(ctx.session, _reader(ctx), period, ctx.now))


@api.post("/settlement/{period}/close")
def close_json(ctx: Ctx, period: str, body: ClosingIn | None = None) -> dict[str, Any]:
    """Close the month up to this moment (the agency's officer). Later usage of the month is a run of its own."""
    run, index = _close(ctx, period, body.lines_root if body else None)
    return {**_run_facts(run), "state": "closed", "log_index": index}


def _close(ctx: Context, period: str, lines_root: str | None) -> tuple[revenue.Run, int]:
    closing = revenue.close_period(ctx.work, ctx.actor, _reader(ctx), period, ctx.opa, lines_root=lines_root)
    index = ctx.commit()[0].index
    return closing.require(), index


def _settlement(ctx: Context, period: str, error: GongshuError | None) -> Response:
    _require_supervisor(ctx)
    prepared = revenue.prepare(ctx.session, _reader(ctx), period, ctx.now)
    invoices = revenue.invoices_for(ctx.session, ctx.actor, period)
    return ctx.render(
        "billing/settlement.html",
        names=names_of(ctx.session),
        status=error.status if error else 200,
        error=error,
        period=period,
        prepared=prepared,
        closed=revenue.runs(ctx.session, period),
        invoices=invoices,
        shares=_shares(ctx, invoices),
        balances=revenue.balances(ctx.session),
        may_close=ctx.actor.has(Role.OFFICER) and "agency" in ctx.actor.duties,
    )


def _shares(ctx: Context, invoices: Sequence[InvoiceRow]) -> list[tuple[str, bool, int]]:
    """Every party's part of a month: party, accounted or paid, fen."""
    parts: dict[tuple[bool, str], int] = defaultdict(int)
    for invoice in invoices:
        for one in revenue.allocations_of(ctx.session, invoice.number):
            parts[(one.accounted, one.party)] += one.fen
    return [(party, accounted, fen) for (accounted, party), fen in sorted(parts.items())]


def _require_supervisor(ctx: Context) -> None:
    if not revenue.sees_all_money(ctx.actor):
        require_role(ctx.actor, Role.OFFICER)


def _closed_facts(run: SettlementRun) -> dict[str, Any]:
    return {
        "run": run.number,
        "first_size": run.first_size,
        "log_size": run.log_size,
        "lines": run.lines,
        "lines_root": run.lines_root,
        "closed_at": run.closed_at.isoformat(),
        "entry": run.entry_id,
    }


def _run_facts(run: revenue.Run) -> dict[str, Any]:
    return {
        "period": run.period,
        "run": run.number,
        "first_size": run.first_size,
        "log_size": run.log_size,
        "lines": len(run.lines),
        "parked": len(run.parked),
        "lines_root": run.lines_root,
        "invoices": [invoice.as_value() for invoice in run.invoices],
    }


# --- Home page ---------------------------------------------------------------------------------------------------


@todo.facts(Role.MANAGER, Role.ANALYST)
def month_so_far(ctx: Context) -> Iterable[todo.Fact]:
    usage = _usage(ctx, _month(ctx, ""))
    yield todo.Fact(_("本月已用(未结算)"), money(usage["fen"]), "/usage")


@todo.facts(Role.OFFICER)
def unsettled(ctx: Context) -> Iterable[todo.Fact]:
    """What closing the running month now would bill."""
    month = _month(ctx, "")
    run = revenue.prepare(ctx.session, _reader(ctx), month, ctx.now)
    yield todo.Fact(_("本月未结算"), money(sum(one.fen for one in run.invoices)), f"/settlement/{month}")


@todo.facts(Role.STEWARD)
def contribution(ctx: Context) -> Iterable[todo.Fact]:
    found = revenue.earnings_for(ctx.session, _providers(ctx))
    yield todo.Fact(_("核算贡献(累计)"), money(sum(one.fen for one in found)), "/earnings")
