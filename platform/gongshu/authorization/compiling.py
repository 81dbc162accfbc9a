"""From agreed columns to the terms of an agreement, and from a signed agreement to its grants.

It decides what the policy will receive. A clause that does not compile against the registered dataset
is named, and then nothing can be signed.
"""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from gongshu.audit.entry import canonical
from gongshu.authorization.applying import types_of
from gongshu.authorization.clauses import cited_clauses
from gongshu.authorization.models import Agreement, ColumnRequest, Scenario
from gongshu.authorization.states import RequestState
from gongshu.catalogue import DatasetVersion, dataset_versions
from gongshu.errors import Conflict, Invalid, Words
from gongshu.policy import require_filter, require_mask


def compile_terms(session: Session, scenario: Scenario, number: str) -> list[dict[str, Any]]:
    """The terms of each agreed dataset. Raises Conflict naming the clause that does not compile."""
    agreed = [request for request in scenario.requests if request.state == RequestState.AGREED.value]
    versions = dataset_versions(session, [request.dataset for request in agreed])
    return [_terms(scenario, request, versions.get(request.dataset), number) for request in agreed]


def _terms(scenario: Scenario, request: ColumnRequest, version: DatasetVersion | None, number: str) -> dict[str, Any]:
    columns = [one for one in request.columns if one.verdict == "agree"]
    masks = {one.column: one.agreed_mask for one in columns if one.agreed_mask is not None}
    terms: dict[str, Any] = {
        "agreement": number,
        "scenario": scenario.code,
        "operator": scenario.operator,
        "provider": request.provider,
        "dataset": request.dataset,
        "version": request.dataset_version,
        "purpose": scenario.purpose,
        "use": request.use,
        "columns": [one.column for one in columns],
        "row_filter": request.agreed_filter,
        "masks": masks,
        "output_kinds": list(scenario.output_kinds),
        "quota": dict(scenario.quota),
        "price": request.price,
        "clauses": cited_clauses(),
    }
    _require_compiles(terms, version)
    return terms


def _require_compiles(terms: Mapping[str, Any], version: DatasetVersion | None) -> None:
    """Hold the terms against the registered columns: first scope, then columns, filter and masks."""
    dataset, clauses = terms["dataset"], terms["clauses"]
    if version is None or version.provider != terms["provider"]:
        raise _not_compiled(
            clauses["scope"], f"没有已签核的数据资源 {dataset}", f"there is no signed-off dataset {dataset}"
        )
    types = types_of(version)
    gone = [column for column in terms["columns"] if column not in types]
    if gone or not terms["columns"]:
        raise _not_compiled(
            clauses["columns"], f"{dataset} 没有列 {'、'.join(gone)}", f"{dataset} lacks {', '.join(gone)}"
        )
    try:
        require_filter(terms["row_filter"], types, dataset)
    except Invalid as error:
        raise _not_compiled(clauses["row_filter"], error.message.zh, error.message.en) from error
    try:
        for column, mask in terms["masks"].items():
            require_mask(mask, column, types[column])
    except Invalid as error:
        raise _not_compiled(clauses["masks"], error.message.zh, error.message.en) from error


def _not_compiled(clause: str, zh: str, en: str) -> Conflict:
    return Conflict(
        "authorization.clause.not_compiled",
        Words(f"{clause}无法编译:{zh}", f"{clause} does not compile: {en}"),
        Words("更正这一条后再签署", "Correct that clause, then sign"),
        clause=clause,
    )


def digest_of(agreement: Agreement, scenario: Scenario) -> str:
    """What both sides sign: sha256 over the canonical JSON of clauses, terms, split and term."""
    signed = {
        "number": agreement.number,
        "scenario": agreement.scenario,
        "operator": agreement.operator,
        "clauses": agreement.clauses,
        "terms": agreement.terms,
        "split": agreement.split,
        "term_months": scenario.term_months,
        "term_minutes": scenario.term_minutes,
    }
    return hashlib.sha256(canonical(signed)).hexdigest()


def end_of_term(start: datetime, months: int | None, minutes: int | None) -> datetime:
    """The moment the term ends. Months are calendar months; a day that the month lacks becomes its last."""
    if minutes is not None:
        return start + timedelta(minutes=minutes)
    assert months is not None
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


def grant_snapshots(terms: Sequence[Mapping[str, Any]], numbers: Sequence[str]) -> list[dict[str, Any]]:
    """What each grant row keeps: its terms with its own number."""
    return [{**one, "grant": number} for one, number in zip(terms, numbers, strict=True)]
