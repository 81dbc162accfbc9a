"""The whole journey, each step through the public interface of the person who does it (document 1).

Nothing here knows a database, a key or an internal address: only the addresses of Hub and portal, names
and passwords. Every step prints what happened.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.browsers import Browsers
from demo.people import CDO, STEWARDS
from demo.registrations import REGISTRATIONS, Registration
from demo.scenarios import MANAGERS, OPINIONS, SCENARIOS

Say = Callable[[str], None]


@dataclass
class Journey:
    """What the steps hand on to one another, and the lines of the summary."""

    browsers: Browsers
    files: dict[str, Path]
    say: Say
    folder: Path
    releases: dict[str, str] = field(default_factory=dict)
    invoices: list[dict[str, Any]] = field(default_factory=list)
    first_indices: dict[str, int] = field(default_factory=dict)
    log_key: str = ""
    agreements: dict[str, dict[str, Any]] = field(default_factory=dict)
    pilot_ends: float = 0.0


def register(journey: Journey) -> str:
    """Stewards upload and describe; the department's chief data officer signs off. Four departments side by side."""
    by_steward: dict[str, list[Registration]] = {}
    for one in REGISTRATIONS:
        by_steward.setdefault(STEWARDS[one.name.partition(".")[0]], []).append(one)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda item: _register_for(journey, *item), by_steward.items()))
    rows = 0
    for one in REGISTRATIONS:
        signed = journey.browsers.call(CDO, "POST", f"/datasets/{one.name}/versions/1/sign-off")
        rows += int(signed["rows"])
    return f"{len(REGISTRATIONS)} datasets, {rows:,} rows, signed off by {CDO}"


def _register_for(journey: Journey, steward: str, registrations: list[Registration]) -> None:
    for one in registrations:
        began = time.monotonic()
        made = journey.browsers.call(steward, "POST", "/datasets", file=journey.files[one.name], meta=one.meta())
        journey.say(
            f"{steward}: {one.name} v{made['version']}, {made['rows']:,} rows, sha256 {made['digest'][:12]}… "
            f"({time.monotonic() - began:.1f} s)"
        )


def apply(journey: Journey) -> str:
    """The operators' managers apply, naming datasets, columns, rows, masks, purpose, term."""
    for code, scenario in SCENARIOS.items():
        manager = MANAGERS[code]
        journey.browsers.call(manager, "POST", "/scenarios", scenario)
        journey.browsers.call(manager, "POST", f"/scenarios/{code}/submit")
        journey.say(f"{manager}: {code} 《{scenario['title_zh']}》 {len(scenario['requests'])} datasets")
    return f"{len(SCENARIOS)} scenarios applied for"


def agree(journey: Journey) -> str:
    """The stewards decide every column asked of their department."""
    columns = 0
    for steward in sorted(set(STEWARDS.values())):
        for asked in journey.browsers.ask(steward, "/approvals")["approvals"]:
            if asked["state"] != "to-be-decided":
                continue
            names = [one["name"] for one in asked["columns"]]
            verdicts = {"columns": dict.fromkeys(names, "agree"), "reason": "符合用途,按申请的范围和脱敏方式同意。"}
            journey.browsers.call(steward, "POST", f"/approvals/{asked['id']}/decide", verdicts)
            columns += len(names)
            journey.say(f"{steward}: {asked['dataset']} for {asked['scenario']}, {len(names)} columns agreed")
    return f"{columns} columns agreed one by one"


def sign(journey: Journey) -> str:
    """The office authorises; the agency drafts; both sides sign; the clauses compile to grants."""
    for code in SCENARIOS:
        journey.browsers.call("song", "POST", f"/scenarios/{code}/authorise")
        drafted = journey.browsers.call("feng", "POST", "/agreements", {"scenario": code, "documents": OPINIONS})
        key = drafted["id"]
        journey.browsers.call(MANAGERS[code], "POST", f"/agreements/{key}/sign")
        signed = journey.browsers.call("feng", "POST", f"/agreements/{key}/sign")
        journey.agreements[code] = signed
        journey.say(f"feng and {MANAGERS[code]}: {signed.get('no') or key} for {code}")
        if code == "expired-pilot":
            journey.pilot_ends = time.monotonic() + 62
    return ", ".join(str(one.get("no") or one["id"]) for one in journey.agreements.values())
