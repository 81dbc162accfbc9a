"""Applications and scenarios: the manager applies and submits; everyone concerned sees where a case stands."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from gongshu import authorization
from gongshu.authorization import NewScenario, ScenarioState, can_move
from gongshu.authorization.models import Scenario
from gongshu.catalogue import dataset_versions, signed_off_names
from gongshu.errors import GongshuError, Invalid, Words
from gongshu.identity import Role, find_organisation, people_of
from gongshu.policy import describe_filter, describe_mask
from gongshu.portal import todo
from gongshu.portal.edge import Context, Ctx, Form
from gongshu.portal.forms import parse
from gongshu.portal.language import _, in_words
from gongshu.portal.maskforms import OPERATORS, fitting_masks, read_filter, read_mask

pages = APIRouter()
api = APIRouter()


@api.post("/scenarios", status_code=201)
def create(ctx: Ctx, new: NewScenario) -> dict[str, Any]:
    """Enter an application as a draft."""
    row = authorization.draft_scenario(ctx.work, ctx.actor, new, demo=ctx.settings.demo)
    facts = authorization.facts_of(row)
    ctx.commit()
    return facts


@api.get("/scenarios")
def list_scenarios(ctx: Ctx) -> dict[str, Any]:
    return {
        "scenarios": [authorization.facts_of(row) for row in authorization.visible_scenarios(ctx.session, ctx.actor)]
    }


@api.get("/scenarios/{code}")
def read(ctx: Ctx, code: str) -> dict[str, Any]:
    """A scenario with its requests, documents, agreements and grants."""
    row = authorization.find_scenario(ctx.session, ctx.actor, code)
    grants = authorization.grants_in_force(ctx.session, None, code, ctx.now)
    return {
        **authorization.facts_of(row),
        "documents": [
            {"id": one.id, "kind": one.kind, "title": one.title, "sha256": one.sha256}
            for one in authorization.documents_of(ctx.session, code)
        ],
        "agreements": [authorization.facts_of_agreement(one) for one in authorization.agreements_of(ctx.session, code)],
        "grants": [grant.snapshot() for grant in grants],
    }


@api.post("/scenarios/{code}/submit")
def submit(ctx: Ctx, code: str) -> dict[str, Any]:
    row = authorization.submit_scenario(ctx.work, ctx.actor, code)
    facts = authorization.facts_of(row)
    ctx.commit()
    return facts


@api.post("/scenarios/{code}/withdraw")
def withdraw(ctx: Ctx, code: str) -> dict[str, Any]:
    row = authorization.withdraw_scenario(ctx.work, ctx.actor, code)
    facts = authorization.facts_of(row)
    ctx.commit()
    return facts


@api.post("/scenarios/{code}/attachments", status_code=201)
def attach(ctx: Ctx, code: str, form: Form) -> dict[str, Any]:
    """Attach a document: form fields `kind`, `title`, and `file` (PDF, PNG, text) or `text`."""
    document = _attach(ctx, code, form)
    facts = {"id": document.id, "kind": document.kind, "title": document.title, "sha256": document.sha256}
    ctx.commit()
    return facts


@api.get("/scenarios/{code}/attachments/{number}")
@pages.get("/scenarios/{code}/attachments/{number}")
def download_attachment(ctx: Ctx, code: str, number: str) -> Response:
    """The bytes of a document, as a download that the browser never runs."""
    authorization.find_scenario(ctx.session, ctx.actor, code)
    row = authorization.document_content(ctx.session, code, number)
    headers = {
        "Content-Disposition": f'attachment; filename="{row.id}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return Response(row.content, media_type=row.media_type, headers=headers)


def _attach(ctx: Context, code: str, form: FormData) -> Any:
    authorization.find_scenario(ctx.session, ctx.actor, code)
    scenario = ctx.work.session.get_one(Scenario, code)
    kind, title, file = str(form.get("kind", "")), str(form.get("title", "")).strip(), form.get("file")
    authorization.require_can_attach(ctx.actor, scenario, kind)
    title = title or in_words(authorization.KIND_WORDS.get(kind, Words(kind, kind)))
    if isinstance(file, UploadFile) and file.filename:
        return authorization.attach_file(ctx.work, ctx.actor, scenario, kind, title[:200], file.file.read(21 << 20))
    text = str(form.get("text", "")).strip()
    if not text:
        raise Invalid(
            "authorization.document.empty",
            Words("没有文件内容。", "The document is empty."),
            Words("选择文件,或填写正文", "Choose a file, or write the text"),
        )
    return authorization.attach_text(ctx.work, ctx.actor, scenario, kind, title[:200], text)


@pages.get("/scenarios")
def scenarios_page(ctx: Ctx) -> Response:
    rows = authorization.visible_scenarios(ctx.session, ctx.actor)
    return ctx.render("scenarios/list.html", rows=[(row, _name(ctx, row.operator), _ends(ctx, row)) for row in rows])


@pages.get("/scenarios/new")
def new_page(ctx: Ctx) -> Response:
    ctx.require(Role.MANAGER)
    return _form(ctx, ctx.request.query_params.getlist("dataset"))


@pages.post("/scenarios/new")
def create_on_page(ctx: Ctx, form: Form) -> Response:
    ctx.require(Role.MANAGER)
    chosen = [str(name) for name in form.getlist("dataset")]
    try:
        new = parse(NewScenario, _application_of(ctx, chosen, form))
        authorization.draft_scenario(ctx.work, ctx.actor, new, demo=ctx.settings.demo)
        ctx.commit()
    except GongshuError as error:
        if error.status not in (409, 422):
            raise
        return _form(ctx, chosen, error, form)
    return ctx.redirect(f"/scenarios/{new.code}")


@pages.get("/scenarios/{code}")
def scenario_page(ctx: Ctx, code: str) -> Response:
    return _page(ctx, code)


@pages.post("/scenarios/{code}/submit")
def submit_on_page(ctx: Ctx, code: str) -> Response:
    authorization.submit_scenario(ctx.work, ctx.actor, code)
    ctx.commit()
    return ctx.redirect(f"/scenarios/{code}")


@pages.post("/scenarios/{code}/withdraw")
def withdraw_on_page(ctx: Ctx, code: str) -> Response:
    authorization.withdraw_scenario(ctx.work, ctx.actor, code)
    ctx.commit()
    return ctx.redirect(f"/scenarios/{code}")


@pages.post("/scenarios/{code}/attachments")
def attach_on_page(ctx: Ctx, code: str, form: Form) -> Response:
    try:
        _attach(ctx, code, form)
        ctx.commit()
    except Invalid as error:
        return _page(ctx, code, error)
    return ctx.redirect(f"/scenarios/{code}")


def _application_of(ctx: Context, chosen: list[str], form: FormData) -> dict[str, Any]:
    """The posted form as an application; nothing is guessed, wrong values are left for the model to name."""
    texts = {
        name: str(form.get(name, "")).strip() for name in ("code", "title_zh", "title_en", "purpose", "beneficiary")
    }
    months = str(form.get("term_months", "")).strip()
    quota = {
        "billable_bytes_per_day": _whole(form, "quota_gib") * (1 << 30),
        "statements_per_day": _whole(form, "quota_statements"),
    }
    return {
        **texts,
        "output_kinds": [str(kind) for kind in form.getlist("output_kinds")],
        "term_months": int(months) if months.isdigit() and len(months) < 6 else None,
        "analysts": [str(name) for name in form.getlist("analysts")],
        "commission": str(form.get("commission", "")).strip() or None,
        "quota": quota,
        "requests": [_request_of(ctx, name, form) for name in chosen],
    }


def _whole(form: FormData, name: str) -> int:
    text = str(form.get(name, "")).strip()
    return int(text) if text.isdigit() and len(text) < 12 else 0


def _request_of(ctx: Context, dataset: str, form: FormData) -> dict[str, Any]:
    version = dataset_versions(ctx.session, [dataset]).get(dataset)
    types = {column.name: column.type for column in version.columns} if version else {}
    columns = [str(name) for name in form.getlist(f"columns-{dataset}")]
    masks = {name: read_mask(form, f"{dataset}-{name}") for name in columns}
    return {
        "dataset": dataset,
        "columns": columns,
        "row_filter": read_filter(form, dataset, types),
        "masks": {name: mask for name, mask in masks.items() if mask},
        "use": str(form.get(f"use-{dataset}", "industry")),
        "price": str(form.get(f"price-{dataset}", "")).strip(),
        "reason": str(form.get(f"reason-{dataset}", "")).strip(),
    }


def _form(ctx: Context, chosen: list[str], error: GongshuError | None = None, form: FormData | None = None) -> Response:
    names = signed_off_names(ctx.session)
    versions = dataset_versions(ctx.session, names)
    return ctx.render(
        "scenarios/new.html",
        status=error.status if error else 200,
        available=[versions[name] for name in names],
        chosen=[versions[name] for name in chosen if name in versions],
        analysts=[one for one in people_of(ctx.session, ctx.actor.organisation) if one.has(Role.ANALYST)],
        fitting=fitting_masks,
        operators=[(one, one) for one in OPERATORS],
        column_choices=lambda version: [("", _("不限")), *((one.name, one.name) for one in version.columns)],
        describe=lambda kind: in_words(describe_mask({"kind": kind, "size": 1000})),
        error=error,
        form=form or FormData(),
    )


def _page(ctx: Context, code: str, error: GongshuError | None = None) -> Response:
    row = authorization.find_scenario(ctx.session, ctx.actor, code)
    own = ctx.actor.has(Role.MANAGER, row.operator)
    officer = ctx.actor.has(Role.OFFICER)
    return ctx.render(
        "scenarios/one.html",
        status=error.status if error else 200,
        row=row,
        operator=_name(ctx, row.operator),
        providers={one.provider: _name(ctx, one.provider) for one in row.requests},
        documents=authorization.documents_of(ctx.session, code),
        missing=authorization.missing_documents(ctx.session, code),
        kind_words=authorization.KIND_WORDS,
        agreements=authorization.agreements_of(ctx.session, code),
        grants=authorization.grants_in_force(ctx.session, None, code, ctx.now),
        filter_text=describe_filter,
        describe=lambda mask: in_words(describe_mask(mask)),
        may={
            "submit": own and can_move(row.state, "submit"),
            "withdraw": own and can_move(row.state, "withdraw"),
            "attach": (own or (officer and "agency" in ctx.actor.duties)) and can_move(row.state, "attach"),
            "authorise": officer and "principal" in ctx.actor.duties and can_move(row.state, "authorise"),
            "draft": officer and "agency" in ctx.actor.duties and can_move(row.state, "draft-agreement"),
        },
        error=error,
    )


def _ends(ctx: Context, row: Scenario) -> Any:
    """The end of the running term, or None."""
    grants = authorization.grants_in_force(ctx.session, None, row.code, ctx.now)
    return max((grant.valid_until for grant in grants), default=None)


def _name(ctx: Context, code: str) -> str:
    row = find_organisation(ctx.session, code)
    return row.name_en if ctx.language == "en" else row.name_zh


@todo.provides(Role.MANAGER)
def own_cases(ctx: Context) -> list[todo.Todo]:
    """Drafts to submit are mine; what waits for departments and authorities is theirs."""
    found = []
    for row in authorization.visible_scenarios(ctx.session, ctx.actor):
        title = row.title_en if ctx.language == "en" else row.title_zh
        if row.state == ScenarioState.DRAFT.value:
            found.append(todo.Todo(_("提交申请:%(title)s", title=title), f"/scenarios/{row.code}", "draft"))
        elif row.state in ("submitted", "agreed", "authorised"):
            found.append(todo.Todo(_("申请:%(title)s", title=title), f"/scenarios/{row.code}", row.state, mine=False))
    return found
