"""What anyone may see without logging in: who was authorised to use which data for what."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gongshu.authorization.register import public_register
from gongshu.clock import to_text
from gongshu.errors import Words
from gongshu.identity import organisations
from gongshu.portal.edge import Public
from gongshu.portal.pages import page_of

pages = APIRouter()
api = APIRouter()


@pages.get("/register")
def register(ctx: Public) -> Response:
    _ = ctx.actor_or_none
    found = public_register(ctx.session, ctx.now)
    page = page_of(ctx.request.query_params, len(found))
    names = {row.code: Words(row.name_zh, row.name_en) for row in organisations(ctx.session)}
    return ctx.render(
        "public/register.html", found=found[page.offset : page.offset + page.size], page=page, names=names
    )


@api.get("/register")
def register_facts(ctx: Public) -> list[dict[str, Any]]:
    """The public register as data."""
    return [
        {
            "scenario": one.scenario,
            "title_zh": one.title.zh,
            "title_en": one.title.en,
            "purpose": one.purpose,
            "operator": one.operator,
            "agreement": one.agreement,
            "datasets": list(one.datasets),
            "valid_from": to_text(one.valid_from),
            "valid_until": to_text(one.valid_until),
            "state": one.state,
        }
        for one in public_register(ctx.session, ctx.now)
    ]
