"""The steward's pages: what was asked of the department's data, and the verdict on every column."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from gongshu import authorization
from gongshu.authorization import Verdicts
from gongshu.authorization.models import ColumnRequest, Scenario
from gongshu.catalogue import DatasetVersion, dataset_versions
from gongshu.errors import GongshuError, Invalid
from gongshu.identity import Role, find_organisation
from gongshu.policy import MASK_KINDS, describe_filter, describe_mask
from gongshu.portal import todo
from gongshu.portal.edge import Context, Ctx, Form
from gongshu.portal.forms import parse
from gongshu.portal.language import _, in_words
from gongshu.portal.maskforms import fitting_masks, read_mask

pages = APIRouter()
api = APIRouter()


@api.get("/approvals")
def list_approvals(ctx: Ctx) -> dict[str, Any]:
    """Requests made of the steward's departments, undecided ones first."""
    ctx.require(Role.STEWARD)
    rows = authorization.requests_for(ctx.session, ctx.actor)
    waiting = sorted(rows, key=lambda row: (row.state != "to-be-decided", row.id))
    return {"approvals": [authorization.request_facts(row) for row in waiting]}


@api.get("/approvals/{number}")
def read_approval(ctx: Ctx, number: str) -> dict[str, Any]:
    row, scenario = authorization.find_request(ctx.session, ctx.actor, number)
    return {**authorization.request_facts(row), "purpose": scenario.purpose, "operator": scenario.operator}


@api.post("/approvals/{number}/decide")
def decide(ctx: Ctx, number: str, verdicts: Verdicts) -> dict[str, Any]:
    """Agree to or veto each column; masks and row filter as proposed unless given."""
    row = authorization.decide_request(ctx.work, ctx.actor, number, verdicts)
    facts = authorization.request_facts(row)
    ctx.commit()
    return facts


@pages.get("/approvals")
def approvals_page(ctx: Ctx) -> Response:
    ctx.require(Role.STEWARD)
    rows = authorization.requests_for(ctx.session, ctx.actor)
    return ctx.render("approvals/list.html", rows=[(row, *_asker(ctx, row)) for row in reversed(rows)])


@pages.get("/approvals/{number}")
def approval_page(ctx: Ctx, number: str) -> Response:
    return _page(ctx, number)


@pages.post("/approvals/{number}")
def decide_on_page(ctx: Ctx, number: str, form: Form) -> Response:
    row, _scenario = authorization.find_request(ctx.session, ctx.actor, number)
    try:
        verdicts = parse(Verdicts, _verdicts_of(row, form))
        authorization.decide_request(ctx.work, ctx.actor, number, verdicts)
        ctx.commit()
    except Invalid as error:
        return _page(ctx, number, error, form)
    return ctx.redirect(f"/approvals/{number}")


def _verdicts_of(row: ColumnRequest, form: FormData) -> dict[str, Any]:
    """The form as `Verdicts`: `rest` speaks for the columns without a choice of their own."""
    rest = str(form.get("rest", ""))
    columns = {one.column: str(form.get(f"verdict-{one.column}") or rest) for one in row.columns}
    masks = {one.column: read_mask(form, one.column) for one in row.columns if f"mask-{one.column}" in form}
    return {
        "columns": {name: verdict for name, verdict in columns.items() if verdict} or {"": "agree"},
        "masks": {name: mask for name, mask in masks.items() if columns[name] == "agree"},
        "reason": str(form.get("reason", "")),
    }


def _page(ctx: Context, number: str, error: GongshuError | None = None, form: FormData | None = None) -> Response:
    row, scenario = authorization.find_request(ctx.session, ctx.actor, number)
    version = dataset_versions(ctx.session, [row.dataset]).get(row.dataset)
    refusal = _why_not(ctx, row, scenario)
    return ctx.render(
        "approvals/decide.html",
        status=error.status if error else 200,
        row=row,
        scenario=scenario,
        operator=_name(ctx, scenario.operator),
        specs=_specs(version),
        fitting=_fitting(row, version),
        filter_text=describe_filter(row.agreed_filter if row.state == "agreed" else row.row_filter),
        describe=lambda mask: in_words(describe_mask(mask)),
        refusal=refusal,
        error=error,
        form=form or {},
    )


def _fitting(row: ColumnRequest, version: DatasetVersion | None) -> dict[str, list[str]]:
    specs = _specs(version)
    return {
        one.column: fitting_masks(specs[one.column].type) if one.column in specs else list(MASK_KINDS)
        for one in row.columns
    }


def _specs(version: DatasetVersion | None) -> dict[str, Any]:
    return {spec.name: spec for spec in version.columns} if version else {}


def _why_not(ctx: Context, row: ColumnRequest, scenario: Scenario) -> GongshuError | None:
    """The rule that stands instead of the form, when this person may not decide."""
    try:
        authorization.require_can_decide(ctx.session, ctx.actor, row, scenario)
    except GongshuError as error:
        return error
    return None


def _asker(ctx: Context, row: ColumnRequest) -> tuple[Scenario, str]:
    scenario = authorization.find_request(ctx.session, ctx.actor, row.id)[1]
    return scenario, _name(ctx, scenario.operator)


def _name(ctx: Context, code: str) -> str:
    row = find_organisation(ctx.session, code)
    return row.name_en if ctx.language == "en" else row.name_zh


@todo.provides(Role.STEWARD)
def waiting_requests(ctx: Context) -> list[todo.Todo]:
    rows = authorization.requests_for(ctx.session, ctx.actor, waiting=True)
    return [
        todo.Todo(
            _("审定 %(dataset)s 的 %(n)s 列", dataset=row.dataset, n=len(row.columns)),
            f"/approvals/{row.id}",
            "to-be-decided",
            note=_("申请 %(id)s · 场景 %(scenario)s", id=row.id, scenario=row.scenario),
        )
        for row in rows
    ]


@todo.facts(Role.STEWARD)
def columns_to_decide(ctx: Context) -> list[todo.Fact]:
    rows = authorization.requests_for(ctx.session, ctx.actor, waiting=True)
    return [todo.Fact(_("待审定的列"), str(sum(len(row.columns) for row in rows)), "/approvals")]
