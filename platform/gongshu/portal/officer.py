"""The officer's pages: authorise what the departments agreed to, and stop an operator at once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gongshu import authorization
from gongshu.authorization.models import Freeze
from gongshu.errors import GongshuError
from gongshu.identity import OrganisationKind, Role, organisations
from gongshu.portal import todo
from gongshu.portal.agreements import Reason
from gongshu.portal.edge import Context, Ctx, Form
from gongshu.portal.language import _

pages = APIRouter()
api = APIRouter()
FREEZABLE = (OrganisationKind.OPERATOR.value, OrganisationKind.PARTNER.value)


@api.post("/scenarios/{code}/authorise")
def authorise(ctx: Ctx, code: str) -> dict[str, Any]:
    """The authorising office approves a scenario."""
    row = authorization.authorise_scenario(ctx.work, ctx.actor, code)
    facts = authorization.facts_of(row)
    ctx.commit()
    return facts


@api.get("/organisations")
def list_organisations(ctx: Ctx) -> dict[str, Any]:
    """All organisations, and which are on hold."""
    _require_reader(ctx)
    return {
        "organisations": [
            {
                "code": row.code,
                "name_zh": row.name_zh,
                "name_en": row.name_en,
                "kind": row.kind,
                "frozen": held is not None,
            }
            for row, held in _rows(ctx)
        ]
    }


@api.post("/organisations/{code}/freeze")
def freeze(ctx: Ctx, code: str, why: Reason) -> dict[str, Any]:
    """Put an operator on hold: the next statement is refused."""
    row = authorization.freeze_organisation(ctx.work, ctx.actor, code, why.reason)
    facts = _freeze_facts(row)
    ctx.commit()
    return facts


@api.post("/organisations/{code}/unfreeze")
def unfreeze(ctx: Ctx, code: str, why: Reason) -> dict[str, Any]:
    """The first officer asks (state lift-asked), a second one lifts (state lifted)."""
    row = authorization.unfreeze_organisation(ctx.work, ctx.actor, code, why.reason)
    facts = _freeze_facts(row)
    ctx.commit()
    return facts


def _freeze_facts(row: Freeze) -> dict[str, Any]:
    state = "lifted" if row.lifted_at else "lift-asked" if row.lift_asked_at else "frozen"
    return {"freeze": row.id, "organisation": row.organisation, "state": state}


@pages.post("/scenarios/{code}/authorise")
def authorise_on_page(ctx: Ctx, code: str) -> Response:
    authorization.authorise_scenario(ctx.work, ctx.actor, code)
    ctx.commit()
    return ctx.redirect(f"/scenarios/{code}")


@pages.get("/organisations")
def organisations_page(ctx: Ctx) -> Response:
    return _page(ctx)


@pages.post("/organisations/{code}/freeze")
def freeze_on_page(ctx: Ctx, code: str, form: Form) -> Response:
    return _act(ctx, lambda: authorization.freeze_organisation(ctx.work, ctx.actor, code, str(form.get("reason", ""))))


@pages.post("/organisations/{code}/unfreeze")
def unfreeze_on_page(ctx: Ctx, code: str, form: Form) -> Response:
    return _act(
        ctx, lambda: authorization.unfreeze_organisation(ctx.work, ctx.actor, code, str(form.get("reason", "")))
    )


def _act(ctx: Context, verb: Any) -> Response:
    try:
        verb()
        ctx.commit()
    except GongshuError as error:
        if error.status not in (403, 409, 422):
            raise
        return _page(ctx, error)
    return ctx.redirect("/organisations")


def _page(ctx: Context, error: GongshuError | None = None) -> Response:
    _require_reader(ctx)
    return ctx.render(
        "officer/organisations.html",
        status=error.status if error else 200,
        rows=_rows(ctx),
        freezable=FREEZABLE,
        officer=ctx.actor.has(Role.OFFICER),
        error=error,
    )


def _rows(ctx: Context) -> list[tuple[Any, Freeze | None]]:
    return [(row, authorization.open_freeze(ctx.session, row.code)) for row in organisations(ctx.session)]


def _require_reader(ctx: Context) -> None:
    if not ctx.actor.has(Role.REGULATOR):
        ctx.require(Role.OFFICER)


@todo.provides(Role.OFFICER)
def waiting_cases(ctx: Context) -> list[todo.Todo]:
    """The principal authorises, the agency drafts; a lift of a freeze waits for a second person."""
    mine = {"agreed": "principal", "authorised": "agency"}
    verbs = {
        "agreed": _("批准授权:%(title)s"),
        "authorised": _("拟订协议:%(title)s"),
        "submitted": _("数源单位审定中:%(title)s"),
    }
    found = []
    for row in authorization.visible_scenarios(ctx.session, ctx.actor):
        if row.state in verbs:
            title = verbs[row.state] % {"title": row.title_en if ctx.language == "en" else row.title_zh}
            own = mine.get(row.state) in ctx.actor.duties
            found.append(todo.Todo(title, f"/scenarios/{row.code}", row.state, mine=own))
    for organisation, held in _rows(ctx):
        if held and held.lift_asked_by and held.lift_asked_by != ctx.actor.pseudonym:
            name = organisation.name_en if ctx.language == "en" else organisation.name_zh
            found.append(todo.Todo(_("确认解除冻结:%(name)s", name=name), "/organisations", "frozen"))
    return found
