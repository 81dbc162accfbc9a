"""Agreements: every clause beside what it compiles to; both sides sign, an officer may revoke."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from gongshu import authorization
from gongshu.authorization import Attachment
from gongshu.authorization.models import Agreement, Scenario
from gongshu.errors import GongshuError, NotFound, Words
from gongshu.identity import Role, find_organisation
from gongshu.portal import todo
from gongshu.portal.edge import Context, Ctx, Form
from gongshu.portal.language import _, typeset

pages = APIRouter()
api = APIRouter()


class Share(BaseModel):
    model_config = ConfigDict(extra="forbid")
    party: str = Field(max_length=40)
    share: str = Field(pattern=r"^[0-9]{1,9}/[0-9]{1,9}$")


class Changes(BaseModel):
    """What an agreement says otherwise than the standard text."""

    model_config = ConfigDict(extra="forbid")
    split: list[Share] | None = Field(default=None, max_length=10)


class NewAgreement(BaseModel):
    """An agreement to be drafted. documents: the opinions that must lie in the case before signing."""

    model_config = ConfigDict(extra="forbid")
    scenario: str = Field(max_length=40)
    clauses: Changes = Changes()
    split: list[Share] | None = Field(default=None, max_length=10)
    documents: list[Attachment] = Field(default_factory=list, max_length=10)


class SignRequest(BaseModel):
    """digest: of the text that was read; when given, another text is not signed."""

    model_config = ConfigDict(extra="forbid")
    digest: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class Reason(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


@api.post("/agreements", status_code=201)
def draft(ctx: Ctx, new: NewAgreement) -> dict[str, Any]:
    """The agency drafts the agreement of an authorised scenario."""
    agreement = _draft(ctx, new)
    facts = authorization.facts_of_agreement(agreement)
    ctx.commit()
    return facts


def _draft(ctx: Context, new: NewAgreement) -> Agreement:
    ctx.require(Role.OFFICER, duty="agency")
    authorization.find_scenario(ctx.session, ctx.actor, new.scenario)
    scenario = ctx.work.session.get_one(Scenario, new.scenario)
    for one in new.documents:
        authorization.attach_text(ctx.work, ctx.actor, scenario, one.kind, one.title, one.text)
    split = new.split or new.clauses.split
    shares = [share.model_dump() for share in split] if split else None
    return authorization.draft_agreement(ctx.work, ctx.actor, new.scenario, shares)


@api.get("/agreements")
def list_agreements(ctx: Ctx) -> dict[str, Any]:
    return {"agreements": [authorization.facts_of_agreement(one) for one, _row in _visible(ctx)]}


@api.get("/agreements/{key}")
def read(ctx: Ctx, key: str) -> dict[str, Any]:
    """key: id (A-2026-0001) or number."""
    return authorization.facts_of_agreement(authorization.find_agreement(ctx.session, ctx.actor, key))


@api.post("/agreements/{key}/sign")
def sign(ctx: Ctx, key: str, request: SignRequest | None = None) -> dict[str, Any]:
    """Sign for one's side; the second signature brings the grants into force."""
    digest = request.digest if request else None
    agreement = authorization.sign_agreement(ctx.work, ctx.actor, key, digest=digest)
    facts = authorization.facts_of_agreement(agreement)
    ctx.commit()
    return facts


@api.post("/agreements/{key}/revoke")
def revoke(ctx: Ctx, key: str, why: Reason) -> dict[str, Any]:
    """End it now: the next statement is refused."""
    agreement = authorization.revoke_agreement(ctx.work, ctx.actor, key, why.reason)
    facts = authorization.facts_of_agreement(agreement)
    ctx.commit()
    return facts


@api.get("/grants/{number}")
def read_grant(ctx: Ctx, number: str) -> dict[str, Any]:
    """A grant exactly as the policy receives it."""
    return _grant(ctx, number).snapshot()


@pages.get("/agreements")
def agreements_page(ctx: Ctx) -> Response:
    rows = [(one, row, _name(ctx, one.operator)) for one, row in _visible(ctx)]
    return ctx.render("agreements/list.html", rows=rows)


@pages.post("/agreements")
def draft_on_page(ctx: Ctx, form: Form) -> Response:
    agreement = _draft(ctx, NewAgreement(scenario=str(form.get("scenario", ""))[:40]))
    path = f"/agreements/{agreement.id}"
    ctx.commit()
    return ctx.redirect(path)


@pages.get("/agreements/{key}")
def agreement_page(ctx: Ctx, key: str) -> Response:
    return _page(ctx, key)


@pages.post("/agreements/{key}/sign")
def sign_on_page(ctx: Ctx, key: str, form: Form) -> Response:
    try:
        authorization.sign_agreement(ctx.work, ctx.actor, key, digest=str(form.get("digest", "")))
        ctx.commit()
    except GongshuError as error:
        if error.status != 409:
            raise
        return _page(ctx, key, error)
    return ctx.redirect(f"/agreements/{key}")


@pages.post("/agreements/{key}/revoke")
def revoke_on_page(ctx: Ctx, key: str, form: Form) -> Response:
    try:
        authorization.revoke_agreement(ctx.work, ctx.actor, key, str(form.get("reason", "")))
        ctx.commit()
    except GongshuError as error:
        if error.status not in (409, 422):
            raise
        return _page(ctx, key, error)
    return ctx.redirect(f"/agreements/{key}")


@pages.get("/grants/{number}")
def grant_page(ctx: Ctx, number: str) -> Response:
    grant = _grant(ctx, number)
    text = json.dumps(grant.snapshot(), ensure_ascii=False, indent=2, sort_keys=True)
    return ctx.render("agreements/grant.html", grant=grant, text=text, state=_grant_state(grant))


def _grant_state(grant: authorization.Grant) -> Literal["active", "revoked", "expired"]:
    if grant.revoked:
        return "revoked"
    return "active" if grant.in_force else "expired"


def _grant(ctx: Context, number: str) -> authorization.Grant:
    """A grant of a scenario that the person may see. Raises NotFound."""
    for row in authorization.visible_scenarios(ctx.session, ctx.actor):
        for grant in authorization.grants_in_force(ctx.session, None, row.code, ctx.now):
            if grant.grant == number:
                return grant
    raise NotFound("authorization.grant.absent", Words(f"没有授权 {number}。", f"There is no grant {number}."))


def _page(ctx: Context, key: str, error: GongshuError | None = None) -> Response:
    agreement = authorization.find_agreement(ctx.session, ctx.actor, key)
    scenario = authorization.find_scenario(ctx.session, ctx.actor, agreement.scenario)
    expired = agreement.valid_until is not None and agreement.valid_until <= ctx.now
    officer = ctx.actor.has(Role.OFFICER)
    return ctx.render(
        "agreements/one.html",
        status=error.status if error else 200,
        agreement=agreement,
        scenario=scenario,
        operator=_name(ctx, agreement.operator),
        state="expired" if expired and agreement.state == "active" else agreement.state,
        clauses=[
            {**one, "title": typeset(one["title"]), "text": typeset(one["text"]), "effect": typeset(one["effect"])}
            for one in agreement.clauses
        ],
        signers={one.organisation: _name(ctx, one.organisation) for one in agreement.signatures},
        grants=[
            grant
            for grant in authorization.grants_in_force(ctx.session, None, agreement.scenario, ctx.now)
            if grant.agreement_id == agreement.id
        ],
        missing=authorization.missing_documents(ctx.session, agreement.scenario),
        kind_words=authorization.KIND_WORDS,
        can_sign=authorization.can_sign(ctx.session, ctx.actor, agreement),
        can_revoke=officer and agreement.state in ("active", "to-be-signed"),
        error=error,
    )


def _visible(ctx: Context) -> list[tuple[Agreement, Scenario]]:
    return [
        (agreement, row)
        for row in authorization.visible_scenarios(ctx.session, ctx.actor)
        for agreement in authorization.agreements_of(ctx.session, row.code)
    ]


def _name(ctx: Context, code: str) -> str:
    row = find_organisation(ctx.session, code)
    return row.name_en if ctx.language == "en" else row.name_zh


@todo.provides(Role.MANAGER, Role.OFFICER)
def to_sign(ctx: Context) -> list[todo.Todo]:
    return [
        todo.Todo(
            _("签署协议 %(number)s", number=agreement.number),
            f"/agreements/{agreement.id}",
            "to-be-signed",
            note=row.title_en if ctx.language == "en" else row.title_zh,
            mine=authorization.can_sign(ctx.session, ctx.actor, agreement),
        )
        for agreement, row in _visible(ctx)
        if agreement.state == "to-be-signed"
    ]
