"""The JSON API of the catalogue: register, new version, describe, sign off, return, read."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, UploadFile
from fastapi import Form as FormField
from pydantic import BaseModel

from gongshu import catalogue
from gongshu.catalogue import DATA_BUCKET, NewDataset, Renewal, Version, VersionFacts
from gongshu.errors import GongshuError, Invalid, Words
from gongshu.identity import Role, require_role
from gongshu.portal.edge import Context, Ctx
from gongshu.portal.forms import parse

api = APIRouter()
Meta = Annotated[str, FormField(description="JSON: the registration, see NewDataset")]


class Return(BaseModel):
    reason: str


@api.post("/datasets", status_code=201)
def register(ctx: Ctx, meta: Meta, file: UploadFile) -> dict[str, Any]:
    """Register a dataset with its first version (steward). `file`: CSV in UTF-8, or Parquet, up to 1 GiB, 256 columns.

    `meta` is JSON: {name, title_zh, title_en, provider, legal_grade, sharing, opening, update_frequency,
    registration_code, registration_valid_until, entity_column?, partition_by?: [column],
    columns?: [{name, category, level, comment_zh?, comment_en?, dimension?, type?}]}.
    With every column described the version is `prepared`, otherwise a `draft`.
    """
    return facts_of_version(register_upload(ctx, parse(NewDataset, read_json(meta)), file))


@api.post("/datasets/{name}/versions", status_code=201)
def new_version(ctx: Ctx, name: str, file: UploadFile, meta: Meta = "{}") -> dict[str, Any]:
    """Deliver a new version (steward). Columns keep their description unless `meta` says otherwise."""
    return facts_of_version(deliver_upload(ctx, name, parse(VersionFacts, read_json(meta)), file))


@api.post("/datasets/{name}/versions/{number}/columns")
def describe(ctx: Ctx, name: str, number: int, facts: VersionFacts) -> dict[str, Any]:
    """Describe every column of a draft and hand it over for sign-off (steward)."""
    version = catalogue.describe_columns(ctx.work, ctx.actor, name, number, facts)
    ctx.commit()
    return facts_of_version(version)


@api.post("/datasets/{name}/versions/{number}/sign-off")
def sign_off(ctx: Ctx, name: str, number: int) -> dict[str, Any]:
    """Sign off the classification (the department's chief data officer, never who prepared it)."""
    version = catalogue.sign_off(ctx.work, ctx.actor, name, number)
    receipts = ctx.commit()
    return {**facts_of_version(version), "log_index": receipts[-1].index}


@api.post("/datasets/{name}/versions/{number}/return")
def send_back(ctx: Ctx, name: str, number: int, body: Return) -> dict[str, Any]:
    """Send a prepared version back to the steward, with the reason (chief data officer)."""
    version = catalogue.return_version(ctx.work, ctx.actor, name, number, body.reason)
    ctx.commit()
    return facts_of_version(version)


@api.post("/datasets/{name}/registration")
def renew(ctx: Ctx, name: str, renewal: Renewal) -> dict[str, Any]:
    """Record a renewed registration (steward)."""
    dataset = catalogue.renew_registration(ctx.work, ctx.actor, name, renewal)
    ctx.commit()
    return {"dataset": name, "registration_valid_until": dataset.registration_valid_until.isoformat()}


@api.get("/datasets")
def datasets(ctx: Ctx, q: str = "", level: str = "", provider: str = "") -> list[dict[str, Any]]:
    """All datasets that the person may see, with their newest version."""
    found = catalogue.list_datasets(ctx.session, ctx.actor, text=q, level=level, provider=provider)
    return [facts_of_version(one.version, columns=False) for one in found]


@api.get("/datasets/{name}")
def dataset(ctx: Ctx, name: str) -> dict[str, Any]:
    """One dataset: its newest visible version with columns, and the numbers of all visible versions."""
    _dataset, versions = catalogue.visible_dataset(ctx.session, ctx.actor, name)
    listed = [{"version": one.number, "state": one.state, "rows": one.rows, "digest": one.digest} for one in versions]
    return {**facts_of_version(versions[-1]), "versions": listed}


@api.get("/datasets/{name}/versions/{number}")
def version(ctx: Ctx, name: str, number: int) -> dict[str, Any]:
    """One version with its columns."""
    return facts_of_version(catalogue.visible_version(ctx.session, ctx.actor, name, number))


def register_upload(ctx: Context, new: NewDataset, file: UploadFile) -> Version:
    """Take the file, register, commit. What was stored for nothing is taken away again."""
    catalogue.require_can_register(ctx.session, ctx.actor, new)
    catalogue.require_registrable(new, ctx.now.date())
    declared = {one.name: one.type for one in new.columns if one.type}
    delivery = catalogue.ingest(ctx.store, DATA_BUCKET, file.file, new.name, new.partition_by, declared)
    try:
        made = catalogue.register_dataset(ctx.work, ctx.actor, new, delivery)
        ctx.commit()
    except GongshuError:
        catalogue.discard(ctx.store, DATA_BUCKET, delivery)
        raise
    return made


def deliver_upload(ctx: Context, name: str, facts: VersionFacts, file: UploadFile) -> Version:
    """Take the file, add the version, commit. What was stored for nothing is taken away again."""
    dataset, versions = catalogue.visible_dataset(ctx.session, ctx.actor, name)
    require_role(ctx.actor, Role.STEWARD, dataset.provider)
    partition_by = facts.partition_by or versions[-1].partition_columns
    declared = {one.name: one.type for one in versions[-1].columns if not one.type.startswith("DECIMAL")} | {
        one.name: one.type for one in facts.columns if one.type
    }
    delivery = catalogue.ingest(ctx.store, DATA_BUCKET, file.file, name, partition_by, declared)
    try:
        made = catalogue.deliver_version(ctx.work, ctx.actor, name, facts, delivery)
        ctx.commit()
    except GongshuError:
        catalogue.discard(ctx.store, DATA_BUCKET, delivery)
        raise
    return made


def read_json(text: str) -> dict[str, Any]:
    """The JSON object in a form field. Raises Invalid."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Invalid(
            "form.meta",
            Words("meta 不是 JSON 对象。", "meta is not a JSON object."),
            Words("改正后重新提交", "Correct it and submit again"),
        )
    return found


def facts_of_version(version: Version, *, columns: bool = True) -> dict[str, Any]:
    """A version as the API shows it."""
    dataset = version.of
    facts: dict[str, Any] = {
        "dataset": dataset.name,
        "version": version.number,
        "state": version.state,
        "digest": version.digest,
        "rows": version.rows,
        "bytes": version.bytes,
        "resource_number": dataset.resource_number,
        "provider": dataset.provider,
        "title_zh": dataset.title_zh,
        "title_en": dataset.title_en,
        "entity_column": version.entity_column,
        "partition_by": list(version.partition_columns),
        "legal_grade": dataset.legal_grade,
        "sharing": dataset.sharing,
        "opening": dataset.opening,
        "update_frequency": dataset.update_frequency,
        "registration_code": dataset.registration_code,
        "registration_valid_until": dataset.registration_valid_until.isoformat(),
    }
    if columns:
        names = ("name", "type", "comment_zh", "comment_en", "category", "level", "dimension", "stored_bytes")
        facts["columns"] = [{name: getattr(one, name) for name in names} for one in version.columns]
    return facts
