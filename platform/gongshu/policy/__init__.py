"""The question put to OPA, its answer, the words for a refusal, and the bundle of rules.

It decides nothing by itself: the Rego in ``policies/`` does. It must never turn trouble with an answer
into permission. Others use what is named here.
"""

from gongshu.policy.bundle import (
    Bundle,
    build_bundle,
    content_revision,
    read_bundle,
    write_bundle,
)
from gongshu.policy.decision import Decision, Reason, short_id
from gongshu.policy.opa import Area, Opa
from gongshu.policy.question import Resource, Subject, Usage, download_question, spawn_question, statement_question
from gongshu.policy.vocabulary import (
    FILTER_OPERATORS,
    MASK_KINDS,
    columns_of_filter,
    describe_filter,
    describe_mask,
    require_filter,
    require_mask,
)
from gongshu.policy.words import REASON_CODES, clause_in_english, words_for

__all__ = [
    "FILTER_OPERATORS",
    "MASK_KINDS",
    "REASON_CODES",
    "Area",
    "Bundle",
    "Decision",
    "Opa",
    "Reason",
    "Resource",
    "Subject",
    "Usage",
    "build_bundle",
    "clause_in_english",
    "columns_of_filter",
    "content_revision",
    "describe_filter",
    "describe_mask",
    "download_question",
    "read_bundle",
    "require_filter",
    "require_mask",
    "short_id",
    "spawn_question",
    "statement_question",
    "words_for",
    "write_bundle",
]
