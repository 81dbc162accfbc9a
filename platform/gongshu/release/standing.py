"""Gathers what stands around a request when the policy is asked: its grants and whether its operator is on hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from gongshu.authorization import grants_in_force, is_frozen
from gongshu.release.checks import CheckResult
from gongshu.release.models import ReleaseItem, ReleaseRequest
from gongshu.release.question import Case


def case_of(
    session: Session,
    request: ReleaseRequest,
    items: Sequence[ReleaseItem],
    checks: Mapping[int, Sequence[CheckResult]],
    now: datetime,
) -> Case:
    """Read it in the caller's transaction. Grants are those of the datasets the items were made from."""
    behind = {use["dataset"] for item in items for use in item.datasets}
    grants = [
        grant.snapshot() for grant in grants_in_force(session, None, request.scenario, now) if grant.dataset in behind
    ]
    return Case(request, items, checks, grants, is_frozen(session, request.organisation), now)
