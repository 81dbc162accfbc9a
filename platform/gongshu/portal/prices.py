"""Pages and API of ceilings and the price book: the office sets the one, the agency publishes the other.

The rules are the revenue room's; a price above its ceiling is refused there, by the policy, and by the database.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gongshu import revenue
from gongshu.errors import GongshuError
from gongshu.identity import Role
from gongshu.portal.billing_forms import BookIn, CeilingIn, microfen_of_yuan, price_from_form
from gongshu.portal.edge import Context, Ctx, Form
from gongshu.portal.forms import parse, values_of
from gongshu.revenue.models import Ceiling

pages = APIRouter()
api = APIRouter()


@pages.get("/ceilings")
def ceilings_page(ctx: Ctx) -> Response:
    return _ceilings(ctx, None, {})


@pages.post("/ceilings")
def set_ceiling_page(ctx: Ctx, form: Form) -> Response:
    sent = values_of(form)
    try:
        amount = microfen_of_yuan(str(sent.get("amount", "")))
        plain = {key: value for key, value in sent.items() if key != "amount"}
        new = parse(CeilingIn, {**plain, "unit_price_microfen": amount})
        revenue.set_ceiling(ctx.work, ctx.actor, new.to_ceiling(ctx.now))
        ctx.commit()
    except GongshuError as error:
        return _ceilings(ctx, error, sent)
    return ctx.redirect("/ceilings")


@api.get("/ceilings")
def ceilings_json(ctx: Ctx) -> dict[str, Any]:
    """All ceilings, the newest of each price first."""
    return {"ceilings": [_ceiling_facts(row) for row in revenue.ceilings(ctx.session)]}


@api.post("/ceilings", status_code=201)
def set_ceiling_json(ctx: Ctx, body: CeilingIn) -> dict[str, Any]:
    """Set the ceiling of a price (the authorising office's officer)."""
    row = revenue.set_ceiling(ctx.work, ctx.actor, body.to_ceiling(ctx.now))
    facts = _ceiling_facts(row)
    return {**facts, "log_index": ctx.commit()[0].index}


@pages.get("/prices")
def prices_page(ctx: Ctx) -> Response:
    return _prices(ctx, None, {})


@pages.post("/prices")
def publish_page(ctx: Ctx, form: Form) -> Response:
    sent = values_of(form)
    try:
        body = parse(BookIn, {"prices": [price_from_form(dict(sent))]})
        _publish(ctx, body)
    except GongshuError as error:
        return _prices(ctx, error, sent)
    return ctx.redirect("/prices")


@api.get("/prices")
def prices_json(ctx: Ctx) -> dict[str, Any]:
    """Every published version, newest first, as its canonical JSON says."""
    books = revenue.all_books(ctx.session)
    return {"versions": [book.as_value() for book in reversed(books)]}


@api.post("/prices", status_code=201)
def publish_json(ctx: Ctx, body: BookIn) -> dict[str, Any]:
    """Publish the next version of the price book (the agency's officer), under the ceilings."""
    version, effective_from, sha256, index = _publish(ctx, body)
    return {"version": version, "effective_from": effective_from, "sha256": sha256, "log_index": index}


def _publish(ctx: Context, body: BookIn) -> tuple[int, str, str, int]:
    new = [price.to_price() for price in body.prices]
    row, decision = revenue.publish_book(ctx.work, ctx.actor, new, body.effective_from, ctx.opa)
    kept = (row.version, row.effective_from.isoformat(), row.sha256) if row else (0, "", "")
    index = ctx.commit()[0].index
    decision.require()
    return (*kept, index)


def _ceilings(ctx: Context, error: GongshuError | None, sent: dict[str, Any]) -> Response:
    book = revenue.present_book(ctx.session, ctx.now)
    return ctx.render(
        "billing/ceilings.html",
        status=error.status if error else 200,
        error=error,
        sent=sent,
        ceilings=revenue.ceilings(ctx.session),
        prices=book.prices if book else {},
        may_set=ctx.actor.has(Role.OFFICER) and "principal" in ctx.actor.duties,
        unit_yuan=revenue.unit_yuan,
    )


def _prices(ctx: Context, error: GongshuError | None, sent: dict[str, Any]) -> Response:
    return ctx.render(
        "billing/prices.html",
        status=error.status if error else 200,
        error=error,
        sent=sent,
        book=revenue.present_book(ctx.session, ctx.now),
        versions=revenue.published(ctx.session),
        may_publish=ctx.actor.has(Role.OFFICER) and "agency" in ctx.actor.duties,
        describe_price=revenue.describe_price,
        unit_yuan=revenue.unit_yuan,
    )


def _ceiling_facts(row: Ceiling) -> dict[str, Any]:
    return {
        "ceiling": row.id,
        "price": row.price,
        "meter": row.meter,
        "unit": row.unit,
        "unit_name": row.unit_name,
        "unit_price_microfen": row.microfen,
        "basis": row.basis,
        "valid_from": row.valid_from.isoformat(),
        "valid_until": row.valid_until.isoformat(),
    }
