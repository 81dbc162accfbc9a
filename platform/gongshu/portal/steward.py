"""Pages of the catalogue: what there is, what I may see of it, registering, describing, signing off."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from gongshu import catalogue
from gongshu.authorization import Grant, grants_on_dataset
from gongshu.catalogue import (
    CATEGORIES,
    FREQUENCIES,
    LEGAL_GRADES,
    LEVELS,
    OPENING,
    SHARING,
    NewDataset,
    Renewal,
    Version,
    VersionFacts,
)
from gongshu.errors import GongshuError, Invalid, Words
from gongshu.identity import Role, find_organisation, require_role
from gongshu.policy import describe_filter, describe_mask
from gongshu.portal import todo
from gongshu.portal.catalogue_api import deliver_upload, register_upload
from gongshu.portal.edge import Context, Ctx, Form
from gongshu.portal.forms import parse, values_of
from gongshu.portal.language import _, in_words
from gongshu.portal.pages import page_of
from gongshu.portal.todo import Fact, Todo

pages = APIRouter()
EXPIRING = timedelta(days=60)
VOCABULARY: dict[str, Any] = {
    "legal_grades": LEGAL_GRADES,
    "sharings": SHARING,
    "openings": OPENING,
    "frequencies": FREQUENCIES,
    "categories": CATEGORIES,
    "level_words": LEVELS,
}


@pages.get("/datasets")
def datasets(ctx: Ctx, q: str = "", level: str = "", provider: str = "") -> Response:
    found = catalogue.list_datasets(ctx.session, ctx.actor, text=q, level=level, provider=provider)
    page = page_of(ctx.request.query_params, len(found))
    return ctx.render(
        "steward/datasets.html",
        found=found[page.offset : page.offset + page.size],
        page=page,
        asked={"q": q, "level": level, "provider": provider},
        providers={one.dataset.provider: organisation_words(ctx, one.dataset.provider) for one in found},
        can_register=ctx.actor.has(Role.STEWARD),
        **VOCABULARY,
    )


@pages.get("/datasets/new")
def new_dataset(ctx: Ctx) -> Response:
    ctx.require(Role.STEWARD)
    return _registration_form(ctx, {}, None)


@pages.post("/datasets")
def register(ctx: Ctx, form: Form) -> Response:
    ctx.require(Role.STEWARD)
    values = values_of(form)
    try:
        if isinstance(values.get("partition_by"), str):
            values["partition_by"] = [
                name for name in values["partition_by"].replace("，", ",").split(",") if name.strip()
            ]
        new = parse(NewDataset, values)
        version = register_upload(ctx, new, _file_of(form))
    except GongshuError as error:
        if error.status >= 500:
            raise
        return _registration_form(ctx, values_of(form), error)
    return ctx.redirect(_next_path(version))


@pages.get("/datasets/{name}")
def dataset(ctx: Ctx, name: str) -> Response:
    _dataset, versions = catalogue.visible_dataset(ctx.session, ctx.actor, name)
    return _version_page(ctx, versions[-1])


@pages.get("/datasets/{name}/new-version")
def new_version_form(ctx: Ctx, name: str) -> Response:
    dataset, _versions = catalogue.visible_dataset(ctx.session, ctx.actor, name)
    require_role(ctx.actor, Role.STEWARD, dataset.provider)
    return ctx.render("steward/new_version.html", dataset=dataset, error=None)


@pages.post("/datasets/{name}/versions")
def deliver(ctx: Ctx, name: str, form: Form) -> Response:
    dataset, _versions = catalogue.visible_dataset(ctx.session, ctx.actor, name)
    try:
        version = deliver_upload(ctx, name, VersionFacts(), _file_of(form))
    except GongshuError as error:
        if error.status >= 500:
            raise
        return ctx.render("steward/new_version.html", status=error.status, dataset=dataset, error=error)
    return ctx.redirect(_next_path(version))


@pages.get("/datasets/{name}/versions/{number}")
def version_page(ctx: Ctx, name: str, number: int) -> Response:
    return _version_page(ctx, catalogue.visible_version(ctx.session, ctx.actor, name, number))


@pages.get("/datasets/{name}/versions/{number}/columns")
def column_form(ctx: Ctx, name: str, number: int) -> Response:
    version = catalogue.visible_version(ctx.session, ctx.actor, name, number)
    require_role(ctx.actor, Role.STEWARD, version.of.provider)
    return ctx.render("steward/columns.html", version=version, error=None, stated={}, **VOCABULARY)


@pages.post("/datasets/{name}/versions/{number}/columns")
def describe(ctx: Ctx, name: str, number: int, form: Form) -> Response:
    version = catalogue.visible_version(ctx.session, ctx.actor, name, number)
    stated = {column.name: _column_of(form, column.position, column.name) for column in version.columns}
    try:
        facts = parse(
            VersionFacts, {"entity_column": form.get("entity_column") or None, "columns": list(stated.values())}
        )
        catalogue.describe_columns(ctx.work, ctx.actor, name, number, facts)
    except GongshuError as error:
        if error.status >= 500:
            raise
        return ctx.render(
            "steward/columns.html", status=error.status, version=version, error=error, stated=stated, **VOCABULARY
        )
    ctx.commit()
    return ctx.redirect(f"/datasets/{name}/versions/{number}")


@pages.post("/datasets/{name}/versions/{number}/sign-off")
def sign_off(ctx: Ctx, name: str, number: int) -> Response:
    catalogue.sign_off(ctx.work, ctx.actor, name, number)
    ctx.commit()
    return ctx.redirect(f"/datasets/{name}/versions/{number}")


@pages.post("/datasets/{name}/versions/{number}/return")
def send_back(ctx: Ctx, name: str, number: int, form: Form) -> Response:
    try:
        catalogue.return_version(ctx.work, ctx.actor, name, number, str(form.get("reason") or ""))
    except Invalid as error:
        version = catalogue.visible_version(ctx.session, ctx.actor, name, number)
        return _version_page(ctx, version, error)
    ctx.commit()
    return ctx.redirect(f"/datasets/{name}/versions/{number}")


@pages.post("/datasets/{name}/registration")
def renew(ctx: Ctx, name: str, form: Form) -> Response:
    _dataset, versions = catalogue.visible_dataset(ctx.session, ctx.actor, name)
    try:
        catalogue.renew_registration(ctx.work, ctx.actor, name, parse(Renewal, values_of(form)))
    except Invalid as error:
        return _version_page(ctx, versions[-1], error)
    ctx.commit()
    return ctx.redirect(f"/datasets/{name}")


@todo.provides(Role.STEWARD)
def drafts_and_lapsing(ctx: Context) -> Iterable[Todo]:
    places = sorted(ctx.actor.organisations_as(Role.STEWARD))
    for version in catalogue.waiting_versions(ctx.session, places, catalogue.DRAFT):
        note = (
            _("退回理由:%(reason)s", reason=version.return_reason)
            if version.return_reason
            else _("逐列填写分类与分级后提交签核")
        )
        status = "returned" if version.return_reason else "draft"
        yield Todo(_title(version), f"/datasets/{version.dataset}/versions/{version.number}/columns", status, note=note)
    for version in catalogue.waiting_versions(ctx.session, places):
        yield Todo(
            _title(version),
            f"/datasets/{version.dataset}/versions/{version.number}",
            "prepared",
            note=_("等首席数据官签核"),
            mine=False,
        )
    for row in catalogue.lapsing_registrations(ctx.session, places, (ctx.now + EXPIRING).date()):
        until = datetime.combine(row.registration_valid_until, time.max, UTC)
        status = "expired" if until < ctx.now else "expiring"
        note = _("登记快到期,请续展")
        yield Todo(row.name, f"/datasets/{row.name}", status, due=until, note=note)


@todo.provides(Role.CDO)
def versions_to_sign_off(ctx: Context) -> Iterable[Todo]:
    for version in catalogue.waiting_versions(ctx.session, sorted(ctx.actor.organisations_as(Role.CDO))):
        who = in_words(organisation_words(ctx, version.of.provider))
        note = _("%(who)s 提交,核对分类与分级后签核", who=who)
        yield Todo(_title(version), f"/datasets/{version.dataset}/versions/{version.number}", "prepared", note=note)


@todo.facts(Role.STEWARD, Role.CDO)
def registered(ctx: Context) -> Iterable[Fact]:
    places = ctx.actor.organisations_as(Role.STEWARD) | ctx.actor.organisations_as(Role.CDO)
    names = [name for place in sorted(places) for name in catalogue.signed_off_names(ctx.session, place)]
    yield Fact(_("本单位已签核的数据资源"), str(len(names)), "/datasets")


def organisation_words(ctx: Context, code: str) -> Words:
    row = find_organisation(ctx.session, code)
    return Words(row.name_zh, row.name_en)


def _title(version: Version) -> str:
    title = in_words(Words(version.of.title_zh, version.of.title_en))
    number = _("第 %(n)s 版", n=version.number)
    return f"{version.dataset} · {title} · {number}"


def _version_page(ctx: Context, version: Version, error: GongshuError | None = None) -> Response:
    dataset, versions = catalogue.visible_dataset(ctx.session, ctx.actor, version.dataset)
    grants = _own_grants(ctx, version)
    return ctx.render(
        "steward/dataset.html",
        status=error.status if error else 200,
        dataset=dataset,
        version=version,
        versions=list(reversed(versions)),
        provider=organisation_words(ctx, dataset.provider),
        lapsed=dataset.registration_valid_until < ctx.now.date(),
        expiring=dataset.registration_valid_until < (ctx.now + EXPIRING).date(),
        can_sign_off=catalogue.can_sign_off(ctx.actor, version),
        can_describe=version.state == catalogue.DRAFT and ctx.actor.has(Role.STEWARD, dataset.provider),
        can_renew=ctx.actor.has(Role.STEWARD, dataset.provider),
        can_deliver=version is versions[-1]
        and version.state == catalogue.SIGNED_OFF
        and ctx.actor.has(Role.STEWARD, dataset.provider),
        grants=grants,
        seen=_what_i_see(grants),
        error=error,
        **VOCABULARY,
    )


def _own_grants(ctx: Context, version: Version) -> list[dict[str, Any]]:
    """Grants in force on this dataset: the company's own, or all for its department and the supervisors."""
    actor = ctx.actor
    everything = actor.has(Role.STEWARD, version.of.provider) or actor.has(Role.CDO, version.of.provider)
    everything = everything or actor.has(Role.REGULATOR) or actor.has(Role.OFFICER)
    found = [
        grant
        for grant in grants_on_dataset(ctx.session, version.dataset, ctx.now)
        if grant.in_force and (everything or grant.operator == actor.organisation)
    ]
    return [{"grant": grant, "filter": describe_filter(grant.row_filter)} for grant in found]


def _what_i_see(grants: list[dict[str, Any]]) -> dict[str, list[Words]]:
    """For each column, how it reads under each of the grants shown; nothing where it is in none."""
    seen: dict[str, list[Words]] = {}
    for one in grants:
        grant: Grant = one["grant"]
        for name in grant.columns:
            words = describe_mask(grant.masks.get(name))
            if words not in seen.setdefault(name, []):
                seen[name].append(words)
    return seen


def _registration_form(ctx: Context, values: dict[str, Any], error: GongshuError | None) -> Response:
    places = sorted(ctx.actor.organisations_as(Role.STEWARD))
    return ctx.render(
        "steward/new.html",
        status=error.status if error else 200,
        values=values,
        error=error,
        providers=[(place, organisation_words(ctx, place)) for place in places],
        **VOCABULARY,
    )


def _file_of(form: FormData) -> Any:
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise Invalid(
            "form.file",
            Words("没有选择文件。", "No file was chosen."),
            Words("请选择 CSV 或 Parquet 文件", "Choose a CSV or Parquet file"),
            fields={"file": {"zh": "请选择文件", "en": "Choose a file"}},
        )
    return file


def _column_of(form: FormData, position: int, name: str) -> dict[str, Any]:
    texts = {
        key: str(form.get(f"{key}-{position}") or "").strip()
        for key in ("comment_zh", "comment_en", "category", "level")
    }
    return {"name": name, **texts, "dimension": form.get(f"dimension-{position}") == "1"}


def _next_path(version: Version) -> str:
    place = f"/datasets/{version.dataset}/versions/{version.number}"
    return place if version.state != catalogue.DRAFT else f"{place}/columns"
