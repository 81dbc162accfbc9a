"""How a release request is shown and told: the same facts for page and JSON. It decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

import pygments
from markupsafe import Markup
from pygments.formatters import HtmlFormatter
from pygments.lexers import SqlLexer
from sqlalchemy.orm import Session

from gongshu import release
from gongshu.errors import Words
from gongshu.identity import organisations
from gongshu.release.models import ReleaseCheck, ReleaseItem, ReleaseRequest, ReleaseReview
from gongshu.settings import StoreSettings

ROWS_SHOWN = 100


@lru_cache(maxsize=4)
def item_store(settings: StoreSettings) -> release.ItemStore:
    """One client per process."""
    return release.ItemStore(settings)


def highlight(text: str) -> Markup:
    """SQL or a plan as coloured code, by classes only (the policy forbids inline style)."""
    return Markup(pygments.highlight(text, SqlLexer(), HtmlFormatter(nowrap=True)))


def named(request: ReleaseRequest) -> Markup:
    """Number and title; the title is the analyst's own Chinese, whatever the page's language."""
    return Markup('{} <span lang="zh-CN">{}</span>').format(request.id, request.title)


def names_of(session: Session) -> dict[str, Words]:
    """Organisations by code, as they are called."""
    return {one.code: Words(one.name_zh, one.name_en) for one in organisations(session)}


def status_of(request: ReleaseRequest) -> str:
    """The request's state as a status code of the portal."""
    return {"in_review": "in-review", "checked": "checking"}.get(request.state, request.state)


@dataclass(frozen=True)
class Cell:
    """One cell of a previewed table. findings: (verdict, sentence in both languages, check)."""

    text: str
    measured: bool
    evidence: Sequence[Mapping[str, Any]] = field(default=())
    findings: Sequence[Mapping[str, Any]] = field(default=())


@dataclass(frozen=True)
class Preview:
    """The first rows of an item, flagged ones first when asked."""

    columns: Sequence[str]
    rows: Sequence[tuple[int, Sequence[Cell]]]
    total: int


def preview(item: ReleaseItem, checks: Sequence[ReleaseCheck], data: bytes, *, flagged_only: bool = False) -> Preview:
    """Lay findings and evidence onto the cells of a stored table."""
    found = _by_cell(finding | {"check": check.name} for check in checks for finding in check.findings)
    evidence = _by_cell(item.evidence)
    lines = release.read_table(data)
    columns = next(lines, [])
    wanted = {row for row, _column in found}
    numbered = ((number, line) for number, line in enumerate(lines) if not flagged_only or number in wanted)
    measured = set(columns) - set(item.shape["by"])
    rows = [
        (
            number,
            [
                Cell(text, name in measured, evidence.get((number, name), ()), found.get((number, name), ()))
                for name, text in zip(columns, line, strict=False)
            ],
        )
        for number, line in islice(numbered, ROWS_SHOWN)
    ]
    return Preview(columns, rows, item.rows)


def _by_cell(values: Any) -> dict[tuple[int, str], list[Mapping[str, Any]]]:
    cells: dict[tuple[int, str], list[Mapping[str, Any]]] = defaultdict(list)
    for value in values:
        if value["row"] is not None:
            cells[(value["row"], value["column"])].append(value)
    return cells


def request_facts(request: ReleaseRequest) -> dict[str, Any]:
    """A line of a list."""
    return {
        "release": request.id,
        "scenario": request.scenario,
        "title": request.title,
        "note": request.note,
        "state": request.state,
        "version": request.version,
        "turn": request.turn,
        "round": request.round,
        "agreement": request.agreement,
        "created_at": _moment(request.created_at),
        "submitted_at": _moment(request.submitted_at),
        "due_at": _moment(request.due_at),
        "decided_at": _moment(request.decided_at),
    }


def item_facts(item: ReleaseItem) -> dict[str, Any]:
    return {
        "item": item.number,
        "title": item.title,
        "kind": item.kind,
        "sha256": item.sha256,
        "sm3": item.sm3,
        "bytes": item.size_bytes,
        "rows": item.rows,
        "cells": item.cells,
        "by": item.shape["by"],
        "measures": item.shape["measures"],
        "datasets": item.datasets,
        "evidence_sha256": item.evidence_sha256,
        "statement": item.statement,
        "statement_entry": item.statement_entry,
        "downloads": item.downloads,
    }


def check_facts(check: ReleaseCheck) -> dict[str, Any]:
    words = release.check_words(check.name)
    findings = []
    for finding in check.findings[:ROWS_SHOWN]:
        said = release.finding_words(finding["code"], finding["observed"])
        findings.append({**finding, "message": {"zh": said.zh, "en": said.en}})
    return {
        "item": check.item,
        "check": check.name,
        "name": {"zh": words.name.zh, "en": words.name.en},
        "risk": {"zh": words.risk.zh, "en": words.risk.en},
        "verdict": check.verdict,
        "findings": findings,
        "count": len(check.findings),
    }


def review_facts(review: ReleaseReview, *, with_reviewer: bool) -> dict[str, Any]:
    """A submitted review. The author reads what was said, not by whom."""
    said = {
        "turn": review.turn,
        "round": review.round,
        "votes": [
            {"item": int(number), "vote": vote["vote"], "reason": vote["reason"]}
            for number, vote in sorted(review.votes.items())
        ],
        "comment": review.comment,
        "override": review.override,
        "submitted_at": _moment(review.submitted_at),
        "voided": review.voided,
    }
    return {**said, "reviewer": review.reviewer, "organisation": review.organisation} if with_reviewer else said


def view_facts(view: release.RequestView, *, with_reviewer: bool) -> dict[str, Any]:
    """A request with everything this person may see of it."""
    return {
        **request_facts(view.request),
        "items": [item_facts(item) for item in view.items],
        "checks": [check_facts(check) for check in view.checks],
        "reviews": [review_facts(review, with_reviewer=with_reviewer) for review in view.reviews],
        "comments": [
            {
                "turn": comment.turn,
                "author": comment.author,
                "text": {"zh": comment.text_zh, "en": comment.text_en},
                "at": _moment(comment.at),
            }
            for comment in view.comments
        ],
        "recalls": [
            {"reason": recall.reason, "at": _moment(recall.at), "restored_at": _moment(recall.restored_at)}
            for recall in view.recalls
        ],
    }


def _moment(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
