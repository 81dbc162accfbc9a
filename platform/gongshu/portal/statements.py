"""Pages and API of statements: why each was allowed or denied, what it cost, where its proof lies.

An analyst sees the own ones, a manager the company's; the regulators have the log itself. It reads the
log and nothing else, so that a page cannot say what the log does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from gongshu.audit.reading import (
    Found,
    Part,
    Search,
    Viewer,
    count_entries,
    find_entry,
    open_parts,
    related_entries,
    search_entries,
)
from gongshu.errors import NotFound, Words
from gongshu.identity import Role
from gongshu.policy import REASON_CODES, words_for
from gongshu.portal.edge import Context, Ctx
from gongshu.portal.pages import page_of
from gongshu.portal.releases import highlight

pages = APIRouter()
api = APIRouter()

EVENTS = {"": "statement.intent.", "denied": "statement.denial."}


@dataclass(frozen=True)
class Outcome:
    """How a statement ended, as its outcome entry says."""

    status: str
    rows_out: int | None
    billable_bytes: int | None
    index: int


def _question(ctx: Context, outcome: str) -> tuple[Viewer, Search]:
    """The company's statements for its manager; for an analyst only the own ones."""
    person = "" if ctx.actor.has(Role.MANAGER) else ctx.actor.pseudonym
    return Viewer(ctx.actor.organisation), Search(person=person, event=EVENTS.get(outcome, EVENTS[""]))


@pages.get("/statements")
def list_statements(ctx: Ctx, outcome: str = "") -> Response:
    _require_reader(ctx)
    viewer, search = _question(ctx, outcome)
    page = page_of(ctx.request.query_params, count_entries(ctx.session, viewer, search))
    found = search_entries(ctx.session, viewer, search, offset=page.offset, limit=page.size)
    texts = {one.index: _text(_parts(ctx, viewer, one.index)) for one in found}
    return ctx.render("analyst/statements.html", found=found, page=page, outcome=outcome, texts=texts)


@pages.get("/statements/{index}")
def show_statement(ctx: Ctx, index: int) -> Response:
    found, parts, outcome = _statement(ctx, index)
    return ctx.render(
        "analyst/statement.html",
        found=found,
        public=found.said["public"],
        code=highlight(_text(parts)),
        reasons=_reasons(found, parts),
        outcome=outcome,
        related=related_entries(ctx.session, Viewer(ctx.actor.organisation), found),
    )


@api.get("/statements")
def statements_json(ctx: Ctx, outcome: str = "") -> dict[str, Any]:
    """The newest statements: the person's own, or a company's for its manager. outcome: empty or denied."""
    _require_reader(ctx)
    viewer, search = _question(ctx, outcome)
    page = page_of(ctx.request.query_params, count_entries(ctx.session, viewer, search))
    found = search_entries(ctx.session, viewer, search, offset=page.offset, limit=page.size)
    return {"total": page.total, "statements": [_facts(one) for one in found]}


@api.get("/statements/{index}")
def statement_json(ctx: Ctx, index: int) -> dict[str, Any]:
    """One statement by the index of its entry: text, decision with sentences, outcome."""
    found, parts, outcome = _statement(ctx, index)
    sentences = [{"zh": words.zh, "en": words.en} for words, _next in _reasons(found, parts)]
    return {
        **_facts(found),
        "text": _text(parts),
        "sentences": sentences,
        "outcome": vars(outcome) if outcome else None,
    }


def _require_reader(ctx: Context) -> None:
    if not ctx.actor.has(Role.MANAGER):
        ctx.require(Role.ANALYST)


def _statement(ctx: Context, index: int) -> tuple[Found, Sequence[Part], Outcome | None]:
    """Raises NotFound for another person's statement, and for entries that are none."""
    _require_reader(ctx)
    viewer, search = _question(ctx, "")
    found = find_entry(ctx.session, viewer, index)
    event = found.said["event"]
    if not event.startswith(tuple(EVENTS.values())) or search.person not in ("", found.said["actor"]):
        raise NotFound(
            "statement.absent",
            Words(f"没有您可以查看的语句 {index}。", f"There is no statement {index} that you may see."),
            Words("请从语句列表进入", "Go there from the list of statements"),
        )
    return found, _parts(ctx, viewer, index), _outcome(ctx, viewer, found)


def _outcome(ctx: Context, viewer: Viewer, found: Found) -> Outcome | None:
    for one in related_entries(ctx.session, viewer, found):
        if one.said["event"] == "statement.outcome.logged":
            usage = next((part.payload for part in _parts(ctx, viewer, one.index) if part.name == "usage"), None) or {}
            return Outcome(one.said["public"]["status"], usage.get("rows_out"), usage.get("billable_bytes"), one.index)
    return None


def _parts(ctx: Context, viewer: Viewer, index: int) -> Sequence[Part]:
    return open_parts(ctx.session, ctx.services.vault, viewer, [index]).get(index, [])


def _text(parts: Sequence[Part]) -> str:
    """The statement's SQL, or its plan as text; empty when it is withheld."""
    said = next((part.payload for part in parts if part.name == "statement"), None) or {}
    return str(said.get("sql") or said.get("plan") or "")


def _reasons(found: Found, parts: Sequence[Part]) -> list[tuple[Words, Words]]:
    """The decision's reasons as sentences with next steps, by the question that was asked."""
    question = next((part.payload for part in parts if part.name == "question"), None) or {}
    answer = next((part.payload for part in parts if part.name == "answer"), None) or {}
    agreements = {(one.get("code"), one.get("dataset")): one.get("agreement", "") for one in answer.get("reasons", ())}
    return [
        words_for(
            reason["code"],
            clause=reason["clause"],
            agreement=agreements.get((reason["code"], reason["dataset"]), ""),
            dataset=reason["dataset"],
            question=question,
        )
        for reason in found.said["public"].get("reasons", ())
        if reason["code"] in REASON_CODES
    ]


def _facts(found: Found) -> dict[str, Any]:
    public = found.said["public"]
    return {
        "index": found.index,
        "time": found.said["time"],
        "person": found.said["actor"],
        "scenario": found.said["scenario"],
        "statement": public.get("statement"),
        "kind": public.get("kind"),
        "allowed": public.get("allowed"),
        "decision": public.get("decision"),
        "reasons": public.get("reasons", []),
        "datasets": public.get("datasets", []),
    }
