"""Output review: requests, items with evidence, checks, two people's reviews, certificates.

It decides what may leave; it must never let one person alone, an author, or an author's organisation
decide, nor a byte leave that two people did not agree to.

The gateway's verb: `add_table(work, actor, scenario, TableItem(...), ItemStore(settings.quarantine_store))`.
"""

from gongshu.release.downloading import Download, IssuedLink, issue_link, use_link
from gongshu.release.drafting import ReleaseDraft, absent, add_table, withdraw
from gongshu.release.outcome import Vote
from gongshu.release.recalling import confirm_restore, propose_restore, recall
from gongshu.release.reviewing import ItemVote, Review, can_review, submit_review
from gongshu.release.states import STATE_WORDS, State
from gongshu.release.store import ItemChanged, ItemStore
from gongshu.release.submission import current_items, submit
from gongshu.release.table import CellEvidence, DatasetUse, Measure, TableItem, read_table
from gongshu.release.view import (
    RequestView,
    can_vote,
    certificate_of,
    certificate_state,
    earlier_releases,
    queue,
    request_for,
    requests_for,
    review_for,
    reviewed_by,
)
from gongshu.release.words import VERDICTS, CheckWords, check_words, finding_words

__all__ = [
    "STATE_WORDS",
    "VERDICTS",
    "CellEvidence",
    "CheckWords",
    "DatasetUse",
    "Download",
    "IssuedLink",
    "ItemChanged",
    "ItemStore",
    "ItemVote",
    "Measure",
    "ReleaseDraft",
    "RequestView",
    "Review",
    "State",
    "TableItem",
    "Vote",
    "absent",
    "add_table",
    "can_review",
    "can_vote",
    "certificate_of",
    "certificate_state",
    "check_words",
    "confirm_restore",
    "current_items",
    "earlier_releases",
    "finding_words",
    "issue_link",
    "propose_restore",
    "queue",
    "read_table",
    "recall",
    "request_for",
    "requests_for",
    "review_for",
    "reviewed_by",
    "submit",
    "submit_review",
    "use_link",
    "withdraw",
]
