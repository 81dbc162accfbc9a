"""The strict reading of OPA's answer: whatever is missing, extra, of a wrong type or wider than the grant is no answer.

It decides whether an answer may be believed at all; it must never repair one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gongshu.policy.decision import Reason
from gongshu.policy.vocabulary import MASK_KINDS
from gongshu.policy.words import REASON_CODES, words_for

STATEMENT_ACTIONS = {"query", "release-table"}
REVIEWS = {"two-person", "automatic", "refused"}


class Unbelievable(ValueError):
    """The answer breaks its form; the caller turns it into a refusal."""


def require(condition: bool, fault: str) -> None:
    if not condition:
        raise Unbelievable(fault)


def read_answer(area: str, question: Mapping[str, Any], answer: object) -> tuple[bool, tuple[Reason, ...]]:
    """Check the whole answer. Raises Unbelievable with the fault; returns allow and the reasons."""
    require(isinstance(answer, dict), "answer is not an object")
    assert isinstance(answer, dict)
    require(set(answer) == {"allow", "reasons", "obligations", "limits"}, "answer has other fields")
    allow = answer["allow"]
    require(isinstance(allow, bool), "allow is not a boolean")
    require(isinstance(answer["obligations"], dict), "obligations is not an object")
    require(isinstance(answer["limits"], dict), "limits is not an object")
    reasons = _read_reasons(answer["reasons"], question)
    require(len(reasons) > 0, "no reason is given")
    if area == "authorization":
        _check_authorization(question, answer)
    elif area == "release":
        _check_release(answer)
    return bool(allow), reasons


def _read_reasons(reasons: object, question: Mapping[str, Any]) -> tuple[Reason, ...]:
    require(isinstance(reasons, list), "reasons is not a list")
    assert isinstance(reasons, list)
    read = []
    for reason in reasons:
        require(
            isinstance(reason, dict) and set(reason) == {"code", "clause", "agreement", "dataset"},
            "reason has other fields",
        )
        require(all(isinstance(value, str) for value in reason.values()), "reason is not text")
        require(reason["code"] in REASON_CODES, "reason has an unknown code")
        words, next_step = words_for(**reason, question=question)
        read.append(Reason(**reason, words=words, next_step=next_step))
    return tuple(read)


def _check_authorization(question: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    obligations = answer["obligations"]
    if not answer["allow"] or question["action"] not in STATEMENT_ACTIONS:
        require(obligations == {}, "obligations without an allowed statement")
        return
    asked = {resource["dataset"]: resource for resource in question["resources"]}
    require(set(obligations) == set(asked), "a dataset is missing or extra")
    for dataset, obligation in obligations.items():
        _check_obligation(dataset, asked[dataset], obligation, question["grants"])
    limits = answer["limits"]
    for name in (
        "billable_bytes_left",
        "statements_left",
        "result_rows_max",
        "result_bytes_max",
        "duration_seconds_max",
    ):
        require(isinstance(limits.get(name), int) and not isinstance(limits[name], bool), f"limit {name} is missing")


def _check_obligation(
    dataset: str, resource: Mapping[str, Any], obligation: object, grants: list[Mapping[str, Any]]
) -> None:
    require(isinstance(obligation, dict), "obligation is not an object")
    assert isinstance(obligation, dict)
    require(set(obligation) == {"grant", "columns", "row_filter", "masks"}, "obligation has other fields")
    found = [grant for grant in grants if grant["grant"] == obligation["grant"] and grant["dataset"] == dataset]
    require(len(found) == 1, "obligation names no grant of the question")
    grant = found[0]
    columns, masks = obligation["columns"], obligation["masks"]
    require(
        isinstance(columns, list) and all(isinstance(column, str) for column in columns),
        "columns is not a list of names",
    )
    require(len(columns) > 0 and len(set(columns)) == len(columns), "columns is empty or repeats itself")
    require(set(columns) <= set(grant["columns"]) & set(resource["columns"]), "columns are wider than the grant")
    require(isinstance(masks, dict) and set(masks) <= set(columns), "masks name other columns")
    require(
        all(isinstance(mask, dict) and mask.get("kind") in MASK_KINDS for mask in masks.values()), "a mask is unknown"
    )
    promised = {column: mask for column, mask in grant["masks"].items() if column in columns}
    require(masks == promised, "masks differ from the grant")
    require(obligation["row_filter"] == grant["row_filter"], "row filter differs from the grant")


def _check_release(answer: Mapping[str, Any]) -> None:
    obligations = answer["obligations"]
    require(obligations.get("review", "refused") in REVIEWS, "review is unknown")
    if not answer["allow"]:
        return
    require(obligations["review"] != "refused", "allowed and refused at once")
    require(isinstance(obligations.get("reviewers"), int), "number of reviewers is missing")
    require(obligations["review"] == "automatic" or obligations["reviewers"] >= 2, "fewer than two reviewers")
    for name in ("excluded_people", "excluded_organisations", "override_items"):
        require(isinstance(obligations.get(name), list), f"{name} is missing")
