"""The certificate of a release: a fixed body bound into the log by its digest, and the proof for it.

It decides what an outsider needs to check a file: digests, evidence, decisions, policy, and where the
log says so. The body is written once; only the proof is made anew when it is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.audit.entry import canonical
from gongshu.audit.models import LogEntry
from gongshu.audit.receipts import prove, read_key, wait_for_checkpoint
from gongshu.audit.store import LogStore
from gongshu.clock import to_text
from gongshu.errors import Unavailable
from gongshu.policy import Decision
from gongshu.release.checks import CheckResult
from gongshu.release.models import ReleaseItem, ReleaseRequest, ReleaseReview

SCHEMA = 1
CHECKPOINT_SECONDS = 8.0


@dataclass(frozen=True)
class Grounds:
    """Everything a certificate states."""

    request: ReleaseRequest
    items: Sequence[ReleaseItem]
    checks: Mapping[int, Sequence[CheckResult]]
    reviews: Sequence[ReleaseReview]
    decision: Decision
    approved_entry: str
    issued_at: datetime


def certificate_body(grounds: Grounds) -> bytes:
    """The body's exact bytes, canonical JSON."""
    request, decision = grounds.request, grounds.decision
    return canonical(
        {
            "schema": SCHEMA,
            "certificate": request.id,
            "title": request.title,
            "scenario": request.scenario,
            "agreement": request.agreement,
            "operator": request.organisation,
            "author": request.author,
            "turn": request.turn,
            "issued_at": to_text(grounds.issued_at),
            "items": [_item(item) for item in grounds.items],
            "checks": [
                {"item": number, "check": check.name, "verdict": check.verdict.value, "findings": len(check.findings)}
                for number, checks in sorted(grounds.checks.items())
                for check in checks
            ],
            "decisions": [_review(review) for review in grounds.reviews],
            "policy": {"revision": decision.revision, "decision": decision.decision_id, "allowed": decision.allowed},
            "approved_entry": grounds.approved_entry,
        }
    )


def digest_of(body: bytes) -> str:
    """SHA-256 of the body: what the log's entries of the release hold as `certificate`."""
    return hashlib.sha256(body).hexdigest()


def _item(item: ReleaseItem) -> dict[str, Any]:
    return {
        "number": item.number,
        "title": item.title,
        "kind": item.kind,
        "sha256": item.sha256,
        "sm3": item.sm3,
        "bytes": item.size_bytes,
        "rows": item.rows,
        "cells": item.cells,
        "evidence_sha256": item.evidence_sha256,
        "statement": item.statement,
        "statement_entry": item.statement_entry,
        "datasets": [
            {"dataset": use["dataset"], "version": use["version"], "grant": use["grant"]} for use in item.datasets
        ],
        "policy_revision_at_query": item.policy_revision,
        "added_entry": item.entry_id,
    }


def _review(review: ReleaseReview) -> dict[str, Any]:
    return {
        "reviewer": review.reviewer,
        "organisation": review.organisation,
        "round": review.round,
        "votes": [
            {"item": int(number), "vote": said["vote"], "reason": said["reason"], "sha256": said["sha256"]}
            for number, said in sorted(review.votes.items(), key=lambda pair: int(pair[0]))
        ],
        "override": review.override,
        "entry": review.entry_id,
    }


def prove_certificate(session: Session, store: LogStore, body: str, entries: Sequence[str]) -> dict[str, Any]:
    """The whole certificate: its body, the log's key, and a receipt for every entry that released an item.

    Waits a few seconds for the checkpoint that covers them. Raises Unavailable('log') when none comes.
    """
    rows = session.execute(
        select(LogEntry.index, LogEntry.data).where(LogEntry.entry_id.in_(entries)).order_by(LogEntry.index)
    ).all()
    wait_for_checkpoint(store, rows[-1][0] + 1, CHECKPOINT_SECONDS)
    receipts = []
    for index, data in rows:
        proof = prove(store, index, data)
        if proof is None or not proof.good:
            raise Unavailable("log")
        receipts.append(proof.receipt(data))
    return {"body": orjson.loads(body), "log": {"key": read_key(store).text(), "receipts": receipts}}
