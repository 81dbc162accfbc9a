"""The questions that Rego's area `authorization` understands, built in one place.

It decides how the world is written down for the policy; questions hold pseudonyms and codes only,
never names (document 13 §8), and the moment of the asking, since Rego reads no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from gongshu.clock import to_text

Question = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """Who asks: pseudonym, organisation code, role codes."""

    person: str
    organisation: str
    roles: Sequence[str]

    def facts(self) -> dict[str, Any]:
        return {"person": self.person, "organisation": self.organisation, "roles": sorted(self.roles)}


@dataclass(frozen=True)
class Resource:
    """One dataset version with all its columns. A registration without an end counts as lapsed."""

    dataset: str
    version: int
    columns: Sequence[str]
    registration_valid_until: datetime | date | str | None

    def facts(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "version": self.version,
            "columns": list(self.columns),
            "registration_valid_until": _moment(self.registration_valid_until),
        }


@dataclass(frozen=True)
class Usage:
    """Today's use of the scenario, as reserved in the asker's transaction."""

    statements_today: int = 0
    billable_bytes_today: int = 0
    billable_bytes_wanted: int = 0


def statement_question(
    subject: Subject,
    scenario: str,
    resources: Iterable[Resource],
    grants: Iterable[Mapping[str, Any]],
    usage: Usage,
    *,
    frozen: bool,
    now: datetime,
    action: str = "query",
) -> Question:
    """Ask for a statement. grants: snapshots of all grants of the scenario; action: query or release-table."""
    return {
        "action": action,
        "subject": subject.facts(),
        "scenario": scenario,
        "resources": [resource.facts() for resource in resources],
        "grants": [dict(grant) for grant in grants],
        "state": {
            "frozen": frozen,
            "statements_today": usage.statements_today,
            "billable_bytes_today": usage.billable_bytes_today,
            "billable_bytes_wanted": usage.billable_bytes_wanted,
        },
        "now": to_text(now),
    }


def spawn_question(
    subject: Subject, scenario: str, grants: Iterable[Mapping[str, Any]], *, frozen: bool, now: datetime
) -> Question:
    """Ask whether the subject may start this scenario's sandbox."""
    return {
        "action": "spawn",
        "subject": subject.facts(),
        "scenario": scenario,
        "grants": [dict(grant) for grant in grants],
        "state": {"frozen": frozen},
        "now": to_text(now),
    }


def download_question(
    subject: Subject, scenario: str, release: Mapping[str, Any], *, frozen: bool, now: datetime
) -> Question:
    """Ask whether a released output may be fetched. release: {release, operator, state, recalled}."""
    return {
        "action": "release-download",
        "subject": subject.facts(),
        "scenario": scenario,
        "release": dict(release),
        "grants": [],
        "state": {"frozen": frozen},
        "now": to_text(now),
    }


def _moment(value: datetime | date | str | None) -> str:
    """A date means until the end of that day (UTC); text is passed on for Rego to judge."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, date):
        return to_text(datetime.combine(value, time.max, UTC))
    if len(value) == len("2027-03-01"):
        return _moment(date.fromisoformat(value))
    return value
