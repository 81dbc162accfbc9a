"""What two people's votes mean together: a pure table, the same for page, API and certificate.

It never counts one person twice and never turns disagreement into approval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

REVIEWERS = 2
LAST_ROUND = 2


class Vote(StrEnum):
    APPROVE = "approve"
    CHANGE = "change"
    REJECT = "reject"


class Outcome(StrEnum):
    """waiting: one is still to come. consolidate: they differ; each sees the other's and votes once more."""

    WAITING = "waiting"
    CONSOLIDATE = "consolidate"
    APPROVED = "approved"
    RETURNED = "returned"
    REJECTED = "rejected"


def derive(ballots: Sequence[Mapping[int, Vote]], turn_round: int) -> Outcome:
    """Derive the outcome from the ballots of one round (item number → vote), one per person.

    Raises ValueError for more ballots than people, or ballots about different items.
    """
    if len(ballots) > REVIEWERS:
        raise ValueError("more ballots than reviewers")
    if len(ballots) < REVIEWERS:
        return Outcome.WAITING
    first, second = ballots
    if not first or set(first) != set(second):
        raise ValueError("the ballots are about different items")
    votes = {*first.values(), *second.values()}
    if votes == {Vote.APPROVE}:
        return Outcome.APPROVED
    if Vote.CHANGE in votes:
        return Outcome.RETURNED
    if Vote.REJECT in first.values() and Vote.REJECT in second.values():
        return Outcome.REJECTED
    return Outcome.CONSOLIDATE if turn_round < LAST_ROUND else Outcome.RETURNED
