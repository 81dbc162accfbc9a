"""What follows two approvals: the policy is asked once more, the bytes are copied, the certificate is fixed.

It must never release on votes the policy does not accept, and never a byte that was not voted on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from sqlalchemy import select

from gongshu.audit import Event, EventType, Private, UnitOfWork, Value
from gongshu.money import share_cumulatively
from gongshu.policy import Decision, Opa
from gongshu.release.certificate import Grounds, certificate_body, digest_of
from gongshu.release.checks import CheckResult, Finding, Verdict
from gongshu.release.models import ReleaseCertificate, ReleaseCheck, ReleaseItem, ReleaseRequest, ReleaseReview
from gongshu.release.question import VoteFacts, ask, sealed_evidence
from gongshu.release.standing import case_of
from gongshu.release.states import State, Step, next_state
from gongshu.release.store import ItemChanged, ItemStore
from gongshu.release.submission import changed, send_back


def release_approved(
    work: UnitOfWork,
    request: ReleaseRequest,
    items: Sequence[ReleaseItem],
    reviews: Sequence[ReleaseReview],
    opa: Opa,
    store: ItemStore,
) -> None:
    """Ask the policy with both people's votes and release; a refusal returns the request with its clause."""
    checks = stored_checks(work, request)
    case = case_of(work.session, request, items, checks, work.clock.now())
    decision = ask(opa, case.question("release", _votes(reviews)))
    if not decision.allowed:
        _record_decision(work, EventType.RELEASE_REVIEW_DECIDED, request, decision)
        send_back(work, request, decision.message())
        return
    request.state = next_state(State(request.state), Step.APPROVE)
    approved_entry = _record_decision(work, EventType.RELEASE_APPROVED, request, decision)
    _copy(items, store)
    body = certificate_body(Grounds(request, items, checks, reviews, decision, approved_entry, work.clock.now()))
    digest = digest_of(body)
    entries = [_record_item(work, request, item, digest) for item in items]
    work.session.add(
        ReleaseCertificate(
            request=request.id, body=body.decode(), sha256=digest, entries=entries, issued_at=work.clock.now()
        )
    )
    request.state = next_state(State(request.state), Step.RELEASE)
    request.decided_at = work.clock.now()
    request.entry_id = entries[0]


def stored_checks(work: UnitOfWork, request: ReleaseRequest) -> dict[int, list[CheckResult]]:
    """The verdicts of the present turn, as they were kept."""
    query = (
        select(ReleaseCheck)
        .where(ReleaseCheck.request == request.id, ReleaseCheck.turn == request.turn)
        .order_by(ReleaseCheck.id)
    )
    checks: dict[int, list[CheckResult]] = {}
    for row in work.session.scalars(query):
        findings = tuple(Finding(**{**finding, "verdict": Verdict(finding["verdict"])}) for finding in row.findings)
        checks.setdefault(row.item, []).append(CheckResult(row.name, findings))
    return checks


def _votes(reviews: Sequence[ReleaseReview]) -> Iterator[VoteFacts]:
    for review in reviews:
        for number, said in review.votes.items():
            yield VoteFacts(review.reviewer, review.organisation, int(number), said["vote"], bool(review.override))


def _copy(items: Sequence[ReleaseItem], store: ItemStore) -> None:
    for item in items:
        try:
            store.release(item.sha256)
        except ItemChanged as error:
            raise changed(item) from error


def _record_decision(work: UnitOfWork, kind: EventType, request: ReleaseRequest, decision: Decision) -> str:
    public, private = sealed_evidence(decision)
    return work.record(
        Event(
            kind,
            actor="system:reviewers",
            organisation=request.organisation,
            scenario=request.scenario,
            public={"release": request.id, "turn": request.turn, **public},
            private=private,
        )
    )


def _record_item(work: UnitOfWork, request: ReleaseRequest, item: ReleaseItem, certificate: str) -> str:
    usage: dict[str, Value] = {"cells": item.cells, "bytes": item.size_bytes, "datasets": list(_shares(item))}
    return work.record(
        Event(
            EventType.RELEASE_ITEM_RELEASED,
            actor="system:reviewers",
            organisation=request.organisation,
            scenario=request.scenario,
            public={
                "release": request.id,
                "number": item.number,
                "item": item.sha256,
                "sm3": item.sm3,
                "evidence": item.evidence_sha256,
                "certificate": certificate,
            },
            private={"usage": Private(usage, audience=(request.organisation,))},
        )
    )


def _shares(item: ReleaseItem) -> Iterator[dict[str, Any]]:
    """Cells per dataset. A cell that several datasets of one price made is counted once, in equal parts."""
    prices: dict[str, list[dict[str, Any]]] = {}
    for use in sorted(item.datasets, key=lambda each: each["dataset"]):
        prices.setdefault(use["price"], []).append(use)
    for uses in prices.values():
        parts = share_cumulatively(item.cells, [Fraction(1, len(uses))] * len(uses))
        for use, cells in zip(uses, parts, strict=True):
            yield {key: use[key] for key in ("dataset", "version", "grant", "price", "use")} | {"cells": cells}
