"""The journey's second half: sandbox, query, release, review, money, proof."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from demo.browsers import JourneyFailed
from demo.commands import ROOT, gongshu, verify
from demo.journey import Journey
from demo.prices import BOOK, CEILINGS

CELLS = ROOT / "demo" / "cells"
REVIEWERS = ("tang", "pan")  # of two organisations, neither the operator's
SHANGHAI_HOURS = 8
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def price(journey: Journey) -> str:
    """The office sets the ceilings; the agency publishes the price book under them."""
    for ceiling in CEILINGS:
        journey.browsers.call("song", "POST", "/ceilings", ceiling)
    made = journey.browsers.call("feng", "POST", "/prices", BOOK)
    return f"price book version {made['version']}, {len(CEILINGS)} ceilings"


def query(journey: Journey) -> str:
    """Chen and Zhou in their sandboxes: Hub login, spawn, kernel; SQL and DataFrames, governed; a release asked for."""
    for name, code, file in (("chen", "tourism-flow", "flow.py"), ("zhou", "business-climate", "climate.py")):
        began = time.monotonic()
        out, _ = gongshu(journey.browsers, name, "sandbox", "run", "--as", name, "--scenario", code, CELLS / file)
        found = re.search(r"^release (\S+)$", out, re.MULTILINE)
        if not found:
            raise JourneyFailed(f"{name}'s cell named no release request:\n{out[-800:]}")
        journey.releases[name] = found[1]
        for line in out.rstrip().splitlines():
            journey.say(f"  {line}")
        journey.say(f"{name}: {code} in {time.monotonic() - began:.1f} s, asks for release {found[1]}")
    return "two sandboxes, 2 release requests"


def refuse(journey: Journey) -> str:
    """A table outside the grant is refused with its clause."""
    words: list[str | Path] = ["sandbox", "run", "--as", "chen", "--scenario", "tourism-flow", CELLS / "outside.py"]
    _, err = gongshu(journey.browsers, "chen", *words, expect=1)
    shown = [line for line in err.splitlines() if "条" in line or "Article" in line or "clause" in line.lower()]
    for line in shown[-4:]:
        journey.say(f"  {ANSI.sub('', line).strip()[:240]}")
    return "aviation.planes refused, clause named"


def review(journey: Journey) -> str:
    """Two reviewers of two organisations decide each request, neither seeing the other's vote first."""
    for number in journey.releases.values():
        for reviewer in REVIEWERS:
            seen = journey.browsers.ask(reviewer, f"/reviews/{number}")
            votes = [{"item": item["item"], "vote": "approve"} for item in _items(seen)]
            body = {"votes": votes, "comment": "证据充分,同意出域。", "expected_version": _version(seen)}
            voted = journey.browsers.call(reviewer, "POST", f"/reviews/{number}/vote", body)
            journey.say(f"{reviewer}: {number} approve, now {voted['state']}")
    return ", ".join(journey.releases.values()) + " approved by two people each"


def _items(seen: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = seen["items"]
    return items


def _version(seen: dict[str, Any]) -> int:
    return int(seen["version"])


def download(journey: Journey) -> str:
    """The analyst fetches the released file with its certificate; the verifier accepts both."""
    folder = journey.folder / "released"
    folder.mkdir(exist_ok=True)
    for name, number in journey.releases.items():
        file, certificate = folder / f"{number}-1.csv", folder / f"{number}.certificate.json"
        file.write_bytes(journey.browsers.download(name, f"/releases/{number}/items/1/content"))
        certificate.write_bytes(journey.browsers.download(name, f"/certificates/{number}"))
        verify("certificate", certificate, "--item", file)
        journey.say(f"{name}: {file.name}, {file.stat().st_size:,} bytes, certificate good")
    return "2 files, 2 certificates accepted by the verifier"


def settle(journey: Journey) -> str:
    """The agency's officer closes the month; the platform's invoices to the operators and their split."""
    period = (datetime.now(UTC) + timedelta(hours=SHANGHAI_HOURS)).strftime("%Y-%m")
    _close(journey, period)
    for manager in ("liang", "xie"):
        for one in journey.browsers.ask(manager, "/invoices")["invoices"]:
            journey.invoices.append(journey.browsers.ask(manager, f"/invoices/{one['no']}"))
    return f"{period} closed, {len(journey.invoices)} invoices"


def _close(journey: Journey, period: str) -> None:
    """Close exactly what was looked at; where use has come in meanwhile, look again."""
    for attempt in range(3):
        prepared = journey.browsers.call("feng", "POST", f"/settlement/{period}/prepare")
        try:
            journey.browsers.call("feng", "POST", f"/settlement/{period}/close", {"lines_root": prepared["lines_root"]})
            return
        except JourneyFailed as error:
            if "revenue.period.moved" not in str(error) or attempt == 2:
                raise
            journey.say("feng: use came in after the preparation; looking again")
            time.sleep(2)


def lapse(journey: Journey) -> str:
    """The pilot's term of one minute is over: the sandbox is refused with the clause, without any job having run."""
    time.sleep(max(0.0, journey.pilot_ends - time.monotonic()))
    words: list[str | Path] = ["sandbox", "run", "--as", "zhou", "--scenario", "expired-pilot", CELLS / "outside.py"]
    _, err = gongshu(journey.browsers, "zhou", *words, expect=3)
    for line in err.strip().splitlines()[-3:]:
        journey.say(f"  {line.strip()[:200]}")
    return "expired-pilot has lapsed: spawn refused"


def prove(journey: Journey) -> str:
    """An outsider's check: the exported log, every decision again, every invoice again."""
    export = journey.folder / "export"
    gongshu(journey.browsers, "shen", "log", "export", export, "--as", "shen")
    facts = json.loads(verify("log", export, "--json"))
    replayed = _first_number(gongshu(journey.browsers, "shen", "replay", export)[0])
    recomputed = json.loads(verify("revenue", export, "--json"))
    journey.first_indices = first_indices(export)
    journey.log_key = (export / "keys" / "log.vkey").read_text().strip()
    count = recomputed.get("invoices", len(journey.invoices))
    return f"verified: {facts['size']} entries, {replayed} decisions replayed, {count} invoices recomputed"


def _first_number(text: str) -> int:
    found = re.search(r"\d+", text)
    if not found:
        raise JourneyFailed(f"gongshu replay said no number: {text[-300:]}")
    return int(found[0])


def first_indices(export: Path) -> dict[str, int]:
    """Event name, and `event@scenario`, -> index of the first such entry in the exported bundles (C2SP tlog-tiles)."""
    found: dict[str, int] = {}
    for index, entry in enumerate(_entries(export / "tile" / "entries")):
        said = json.loads(entry)
        found.setdefault(said["event"], index)
        found.setdefault(f"{said['event']}@{said['scenario']}", index)
    return found


def _entries(folder: Path) -> list[bytes]:
    bundles: dict[str, tuple[int, Path]] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            name = str(path.relative_to(folder))
            stem, _, width = name.partition(".p/")
            size = int(width) if width else 256
            if size > bundles.get(stem, (0, path))[0]:
                bundles[stem] = (size, path)
    entries = []
    for stem in sorted(bundles, key=lambda one: int(one.replace("x", "").replace("/", ""))):
        data, place = bundles[stem][1].read_bytes(), 0
        while place < len(data):
            length = int.from_bytes(data[place : place + 2], "big")
            entries.append(data[place + 2 : place + 2 + length])
            place += 2 + length
    return entries
