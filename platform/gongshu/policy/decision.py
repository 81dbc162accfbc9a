"""A decision is a value: what the policy answered, by which rules, and how it reads to a person.

It must never say more than the answer said; whoever acts on it acts on `obligations` and `limits`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gongshu.errors import Denied, Words

# Crockford's alphabet: no I, L, O, U, so that a number can be read out on the telephone.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Reason:
    """One reason with its clause; `clause`, `agreement` and `dataset` may be empty."""

    code: str
    clause: str
    dataset: str
    agreement: str
    words: Words
    next_step: Words

    def facts(self) -> dict[str, str]:
        """What the log's public part may say."""
        return {"code": self.code, "clause": self.clause, "dataset": self.dataset}


@dataclass(frozen=True)
class Decision:
    """The policy's answer to one question. obligations: per dataset (authorization) or of the review (release)."""

    area: str
    allowed: bool
    reasons: tuple[Reason, ...]
    obligations: Mapping[str, Any]
    limits: Mapping[str, Any]
    decision_id: str
    revision: str
    question: Mapping[str, Any]
    answer: Mapping[str, Any]

    def evidence(self) -> tuple[dict[str, Any], dict[str, Mapping[str, Any]]]:
        """Public fields and the payloads of the private parts `question` and `answer`.

        With these in its event (payloads wrapped in `gongshu.audit.Private`) a decision can be replayed.
        """
        public = {
            "area": self.area,
            "decision": self.decision_id,
            "allowed": self.allowed,
            "reasons": [reason.facts() for reason in self.reasons],
            "policy_revision": self.revision,
        }
        return public, {"question": self.question, "answer": self.answer}

    def message(self) -> Words:
        """What happened, by which clause, with the number; at most three reasons, the rest counted."""
        shown = self.reasons[:3]
        more = len(self.reasons) - len(shown)
        tail_zh = f"另有 {more} 项原因。" if more else ""
        tail_en = f" {more} more reasons." if more else ""
        return Words(
            "".join(reason.words.zh for reason in shown) + tail_zh + f"判定 {self.decision_id}",
            " ".join(reason.words.en for reason in shown) + tail_en + f" Decision {self.decision_id}",
        )

    def refusal(self) -> Denied:
        """The error to raise for a denied decision: words, next step, clause, dataset, number."""
        first = self.reasons[0]
        return Denied(
            f"{self.area}.{first.code}",
            self.message(),
            first.next_step,
            decision=self.decision_id,
            clause=first.clause,
            agreement=first.agreement,
            dataset=first.dataset,
            reasons=[reason.facts() for reason in self.reasons],
        )

    def require(self) -> Decision:
        """Return self when allowed. Raises Denied with the clause otherwise."""
        if not self.allowed:
            raise self.refusal()
        return self


def short_id() -> str:
    """A number for a decision, short enough to be read out: 8 characters, e.g. ``7K2M4QPD``."""
    return "".join(secrets.choice(ALPHABET) for _ in range(8))
