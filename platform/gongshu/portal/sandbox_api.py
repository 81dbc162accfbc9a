"""What a sandbox may read of its own scenario: tables as granted, quota, prices' codes.

A sandbox's token names person and scenario; nothing of any other scenario can be asked for.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from gongshu import revenue
from gongshu.authorization import Grant, find_scenario, grants_in_force, is_frozen
from gongshu.catalogue import DatasetVersion, dataset_versions
from gongshu.clock import to_text
from gongshu.gateway.quota import used_today
from gongshu.policy import describe_filter, describe_mask
from gongshu.portal.edge import Context, Sandbox

api = APIRouter()


@api.get("/sandbox")
def sandbox(ctx: Sandbox) -> dict[str, Any]:
    """The scenario of this sandbox and its granted tables; a lapsed grant's tables are gone from here."""
    scenario = find_scenario(ctx.session, ctx.actor, ctx.scenario)
    grants = grants_in_force(ctx.session, ctx.actor.pseudonym, ctx.scenario, ctx.now)
    frozen = is_frozen(ctx.session, ctx.actor.organisation)
    current = [grant for grant in grants if grant.in_force and not frozen]
    used = used_today(ctx.session, ctx.scenario, ctx.now, ctx.settings.time_zone)
    versions = dataset_versions(ctx.session, [grant.dataset for grant in current])
    return {
        "scenario": {
            "code": scenario.code,
            "title": {"zh": scenario.title_zh, "en": scenario.title_en},
            "purpose": scenario.purpose,
            "agreement": current[0].agreement if current else None,
            "ends_at": to_text(max(grant.valid_until for grant in current)) if current else None,
            "output_kinds": scenario.output_kinds,
        },
        "tables": [_table(grant, versions[grant.dataset]) for grant in current if grant.dataset in versions],
        "quota": {
            **scenario.quota,
            "statements_today": used.statements,
            "billable_bytes_today": used.billable_bytes,
        },
        "prices": _prices(ctx, current),
    }


def _prices(ctx: Context, grants: list[Grant]) -> list[dict[str, Any]]:
    """What each granted table costs and what the scenario has used of that price this month."""
    reader = revenue.reader_for(ctx.services.vault, ctx.services.sessions)
    codes = {grant.price for grant in grants}
    found = revenue.sandbox_prices(ctx.session, reader, ctx.scenario, codes, ctx.now)
    by_code = {one.code: one.as_value() for one in found}
    return [{"dataset": grant.dataset, "use": grant.use, **by_code[grant.price]} for grant in grants]


def _table(grant: Grant, version: DatasetVersion) -> dict[str, Any]:
    """Rows of the whole version are the steward's to know: with a row filter none are told (document 13 §15)."""
    return {
        "dataset": grant.dataset,
        "title": {"zh": version.title.zh, "en": version.title.en},
        "version": version.version,
        "rows": version.rows if grant.row_filter is None else None,
        "entity_column": version.entity_column,
        "row_filter_text": describe_filter(grant.row_filter),
        "row_filter_clause": grant.clauses.get("row_filter", "") if grant.row_filter else "",
        "columns": [_column(grant, version, name) for name in grant.columns if version.column(name)],
    }


def _column(grant: Grant, version: DatasetVersion, name: str) -> dict[str, Any]:
    spec, mask = version.column(name), grant.masks.get(name)
    assert spec is not None
    words = describe_mask(mask)
    return {
        "name": name,
        "type": spec.type,
        "comment": {"zh": spec.comment, "en": spec.comment_en},
        "level": spec.level,
        "dimension": spec.dimension,
        "mask": {"kind": mask["kind"], "zh": words.zh, "en": words.en} if mask else None,
        "clause": grant.clauses["masks" if mask else "columns"],
    }
