"""Output review: requests, items with evidence, checks, two people's reviews, certificates.

It decides what may leave; it must never let one person alone, an author, or an author's organisation
decide, nor a byte leave that two people did not agree to.

The gateway's verb: `add_table(work, actor, scenario, TableItem(...), ItemStore(settings.quarantine_store))`.
"""

from gongshu.release.drafting import ReleaseDraft, add_table, withdraw
from gongshu.release.states import STATE_WORDS, State
from gongshu.release.store import ItemStore
from gongshu.release.table import CellEvidence, DatasetUse, Measure, TableItem

__all__ = [
    "STATE_WORDS",
    "CellEvidence",
    "DatasetUse",
    "ItemStore",
    "Measure",
    "ReleaseDraft",
    "State",
    "TableItem",
    "add_table",
    "withdraw",
]
