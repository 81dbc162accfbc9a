"""Pages and API of the analyst and the company's manager: releases, downloads, certificates, statements.

The rules are the release room's; here requests are read, one unit of work is committed, and answers shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse, Response

from gongshu import release
from gongshu.audit.store import LogStore
from gongshu.errors import GongshuError
from gongshu.identity import Role
from gongshu.portal import todo
from gongshu.portal.edge import Context, Ctx, Form, Public, Sandbox
from gongshu.portal.language import _
from gongshu.portal.releases import (
    Preview,
    check_facts,
    item_store,
    named,
    names_of,
    preview,
    request_facts,
    status_of,
    view_facts,
)
from gongshu.release.certificate import prove_certificate
from gongshu.release.models import ReleaseRequest

pages = APIRouter()
api = APIRouter()

ITEM_HEADERS = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}


class Submission(BaseModel):
    """expected_version: the version that was looked at; left out, the present one is submitted."""

    model_config = ConfigDict(extra="forbid")
    expected_version: int | None = None


def _store(ctx: Context) -> release.ItemStore:
    assert ctx.settings.store is not None
    return item_store(ctx.settings.store)


def _log_store(ctx: Context) -> LogStore:
    assert ctx.settings.store is not None
    return LogStore.open(ctx.settings.store)


# --- Pages -----------------------------------------------------------------------------------------------------


@pages.get("/releases")
def list_releases(ctx: Ctx, state: str = "") -> Response:
    found = release.requests_for(ctx.session, ctx.actor, state=state or None)
    return ctx.render(
        "analyst/releases.html", requests=found, state=state, status_of=status_of, state_words=release.STATE_WORDS
    )


@pages.get("/releases/{number}")
def show_release(ctx: Ctx, number: str) -> Response:
    return _release_page(ctx, number, None)


@pages.post("/releases/{number}/submit")
def submit_page(ctx: Ctx, number: str, form: Form) -> Response:
    version = form.get("expected_version")
    try:
        release.submit(
            ctx.work, ctx.actor, number, ctx.opa, _store(ctx), expected_version=int(str(version)) if version else None
        )
        ctx.commit()
    except GongshuError as error:
        return _release_page(ctx, number, error)
    return ctx.redirect(f"/releases/{number}")


@pages.post("/releases/{number}/withdraw")
def withdraw_page(ctx: Ctx, number: str) -> Response:
    release.withdraw(ctx.work, ctx.actor, number)
    ctx.commit()
    return ctx.redirect(f"/releases/{number}")


@pages.post("/releases/{number}/items/{item}/download")
def take_link(ctx: Ctx, number: str, item: int) -> Response:
    """A one-time link for this person, used at once."""
    issued = release.issue_link(ctx.work, ctx.actor, number, item, ctx.opa)
    ctx.commit()
    issued.decision.require()
    return ctx.redirect(f"/releases/{number}/items/{item}/content?link={issued.token}")


@pages.get("/releases/{number}/items/{item}/content")
def content_page(ctx: Ctx, number: str, item: int, link: str = "") -> Response:
    return _content(ctx, number, item, link)


@pages.get("/certificates/{number}")
def certificate_page(ctx: Public, number: str) -> Response:
    """The holder, reviewers and supervisors see the certificate; anyone else whether it is valid."""
    known = release.certificate_state(ctx.session, number)
    try:
        request, kept = release.certificate_of(ctx.session, ctx.actor_or_none, number)
    except GongshuError:
        if known is None:
            raise
        return ctx.render("analyst/certificate_state.html", number=number, state=known[0], issued_at=known[1])
    whole = prove_certificate(ctx.session, _log_store(ctx), kept.body, kept.entries)
    return ctx.render(
        "analyst/certificate.html",
        names=names_of(ctx.session),
        body=whole["body"],
        log=whole["log"],
        recalled=request.state == release.State.RECALLED,
        request=request,
        sha256=kept.sha256,
        check_words=release.check_words,
        code=_qr(ctx, number),
    )


@pages.get("/certificates/{number}/file")
def certificate_file(ctx: Ctx, number: str) -> Response:
    """The same JSON as the API's, as a file."""
    answer = certificate_json(ctx, number)
    answer.headers["Content-Disposition"] = f'attachment; filename="{number}.json"'
    return answer


def _release_page(ctx: Context, number: str, error: GongshuError | None) -> Response:
    view = release.request_for(ctx.session, ctx.actor, number)
    mine = view.request.author == ctx.actor.pseudonym
    tables: dict[int, Preview | None] = {}
    for item in view.items:
        tables[item.number] = (
            preview(item, view.checks_of(item.number), _store(ctx).read_quarantined(item.sha256))
            if mine or not error
            else None
        )
    return ctx.render(
        "analyst/release.html",
        names=names_of(ctx.session),
        status=error.status if error else 200,
        error=error,
        view=view,
        request=view.request,
        mine=mine,
        own_company=view.request.organisation == ctx.actor.organisation,
        tables=tables,
        status_of=status_of,
        check_facts=check_facts,
        finding_words=release.finding_words,
        check_words=release.check_words,
        verdict_words=release.VERDICTS,
    )


def _content(ctx: Context, number: str, item: int, link: str) -> Response:
    download = release.use_link(ctx.work, ctx.actor, number, item, link, _store(ctx))
    ctx.commit()
    named = {"Content-Disposition": f'attachment; filename="{download.name}"', "X-Content-SHA256": download.sha256}
    return Response(download.data, media_type="text/csv; charset=utf-8", headers={**ITEM_HEADERS, **named})


def _qr(ctx: Context, number: str) -> str:
    """A QR code to the certificate's own page, as an inline image that the page's policy allows."""
    address = f"{(ctx.settings.portal_url or '').rstrip('/')}/certificates/{number}"
    return segno.make(address, error="m").svg_data_uri(scale=3, border=1)


# --- API -------------------------------------------------------------------------------------------------------


@api.get("/releases")
def releases_json(ctx: Ctx, scenario: str = "", state: str = "") -> dict[str, Any]:
    """The requests of this person (an analyst the own, a manager the company's, supervisors all submitted ones)."""
    found = release.requests_for(ctx.session, ctx.actor, scenario=scenario or None, state=state or None)
    return {"releases": [request_facts(one) for one in found]}


@api.get("/releases/{number}")
def release_json(ctx: Ctx, number: str) -> dict[str, Any]:
    """One request with items, checks, comments and the reviews this person may see."""
    supervises = ctx.actor.has(Role.OFFICER) or ctx.actor.has(Role.REGULATOR)
    return view_facts(release.request_for(ctx.session, ctx.actor, number), with_reviewer=supervises)


@api.post("/releases/{number}/submit")
def submit_json(ctx: Ctx, number: str, body: Submission | None = None) -> dict[str, Any]:
    """Submit a draft or returned request: checks run, the policy says what review it needs."""
    return _submit(ctx, number, body)


@api.post("/releases/{number}/withdraw")
def withdraw_json(ctx: Ctx, number: str) -> dict[str, Any]:
    """Take an undecided request back."""
    release.withdraw(ctx.work, ctx.actor, number)
    receipts = ctx.commit()
    return {"release": number, "state": "withdrawn", "log_index": receipts[0].index}


@api.post("/releases/{number}/items/{item}/link", status_code=201)
def link_json(ctx: Ctx, number: str, item: int) -> dict[str, Any]:
    """A one-time link, valid ten minutes for this person."""
    issued = release.issue_link(ctx.work, ctx.actor, number, item, ctx.opa)
    ctx.commit()
    issued.decision.require()
    return {"content": f"/api/v1/releases/{number}/items/{item}/content?link={issued.token}", "valid_minutes": 10}


@api.get("/releases/{number}/items/{item}/content")
def content_json(ctx: Ctx, number: str, item: int, link: Annotated[str, Query()] = "") -> Response:
    """The item's bytes. Without a link one is taken and used at once, counted and logged all the same."""
    if not link:
        issued = release.issue_link(ctx.work, ctx.actor, number, item, ctx.opa)
        ctx.commit()
        issued.decision.require()
        link = issued.token
    return _content(ctx, number, item, link)


@api.get("/certificates/{number}")
def certificate_json(ctx: Ctx, number: str) -> Response:
    """The certificate as a file for `gongshu_verify.py certificate`."""
    request, kept = release.certificate_of(ctx.session, ctx.actor, number)
    whole = prove_certificate(ctx.session, _log_store(ctx), kept.body, kept.entries)
    state = "recalled" if request.state == release.State.RECALLED else "valid"
    return JSONResponse({**whole, "state": state})


@api.get("/sandbox/releases")
def sandbox_releases(ctx: Sandbox) -> dict[str, Any]:
    """The person's own requests of this sandbox's scenario."""
    found = release.requests_for(ctx.session, ctx.actor, scenario=ctx.scenario)
    return {"releases": [request_facts(one) for one in found if one.author == ctx.actor.pseudonym]}


@api.post("/sandbox/releases/{number}/submit")
def sandbox_submit(ctx: Sandbox, number: str, body: Submission | None = None) -> dict[str, Any]:
    """Submit a draft from the notebook; only one of this sandbox's scenario."""
    if release.request_for(ctx.session, ctx.actor, number).request.scenario != ctx.scenario:
        raise release.absent(number)
    return _submit(ctx, number, body)


def _submit(ctx: Context, number: str, body: Submission | None) -> dict[str, Any]:
    expected = body.expected_version if body else None
    request = release.submit(ctx.work, ctx.actor, number, ctx.opa, _store(ctx), expected_version=expected)
    receipts = ctx.commit()
    view = release.request_for(ctx.session, ctx.actor, number)
    return {
        **request_facts(request),
        "checks": [check_facts(check) for check in view.checks],
        "log_index": receipts[0].index,
        "entry": receipts[0].entry_id,
    }


# --- Home page -------------------------------------------------------------------------------------------------


@todo.provides(Role.ANALYST)
def my_requests(ctx: Context) -> Iterable[todo.Todo]:
    for request in release.requests_for(ctx.session, ctx.actor):
        if request.state in ("draft", "returned"):
            note = _("请看审核意见后修改") if request.state == "returned" else _("尚未提交")
            yield todo.Todo(named(request), f"/releases/{request.id}", status_of(request), note=note)
        elif request.state == "in_review":
            yield _waiting(request)


def _waiting(request: ReleaseRequest) -> todo.Todo:
    note = _("第 %(turn)s 轮", turn=request.turn)
    return todo.Todo(
        named(request),
        f"/releases/{request.id}",
        "in-review",
        due=request.due_at,
        note=note,
        mine=False,
    )
