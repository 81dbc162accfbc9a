"""The question about a release that goes to OPA, and what its answer means here.

Area `release`, action `review` (what review does it need) and `release` (do these votes let it out).
It holds pseudonyms, counts and verdicts only; never a cell or a comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gongshu.audit import Private
from gongshu.clock import to_text
from gongshu.policy import Decision, Opa
from gongshu.release.checks import CheckResult
from gongshu.release.models import ReleaseItem, ReleaseRequest

# Until the operator's record is kept (trust tiers, document 5) nobody has a tier, so nothing passes without people.
UNRATED = "unrated"


@dataclass(frozen=True)
class VoteFacts:
    """One person's vote on one item, as the policy sees it."""

    reviewer: str
    organisation: str
    item: int
    verdict: str
    override: bool


@dataclass(frozen=True)
class Case:
    """What stands around a request when the policy is asked."""

    request: ReleaseRequest
    items: Sequence[ReleaseItem]
    checks: Mapping[int, Sequence[CheckResult]]
    grants: Sequence[Mapping[str, Any]]
    frozen: bool
    now: datetime

    def question(self, action: str, votes: Iterable[VoteFacts] = ()) -> dict[str, Any]:
        question: dict[str, Any] = {
            "action": action,
            "subject": {"person": self.request.author, "organisation": self.request.organisation, "roles": ["analyst"]},
            "scenario": self.request.scenario,
            "release": self.request.id,
            "tier": UNRATED,
            "items": [self._item(item) for item in self.items],
            "grants": [dict(grant) for grant in self.grants],
            "state": {"frozen": self.frozen},
            "now": to_text(self.now),
        }
        if action == "release":
            question["votes"] = [vars(vote) for vote in votes]
        return question

    def _item(self, item: ReleaseItem) -> dict[str, Any]:
        return {
            "item": item.number,
            "kind": item.kind,
            "evidence": coverage(item),
            "level": max(item.levels, default="L4"),
            "cells": item.cells,
            "bytes": item.size_bytes,
            "checks": [{"check": c.name, "outcome": c.verdict.value} for c in self.checks.get(item.number, ())],
        }


def coverage(item: ReleaseItem) -> str:
    """complete, partial or none: how many of the measured cells have counted entities."""
    counted = {(cell["row"], cell["column"]) for cell in item.evidence if cell["entities"] is not None}
    return "complete" if len(counted) >= item.cells else "partial" if counted else "none"


def ask(opa: Opa, question: dict[str, Any]) -> Decision:
    """Put it to OPA. Raises Unavailable('policy')."""
    return opa.ask("release", question)


def sealed_evidence(decision: Decision) -> tuple[dict[str, Any], dict[str, Private]]:
    """The decision as an event holds it: public fields, and question and answer for the regulators."""
    public, private = decision.evidence()
    return public, {name: Private(payload) for name, payload in private.items()}
