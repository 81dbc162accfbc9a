"""`gongshu replay [DIR]`: every logged decision evaluated again, by the real `opa`, with the rules of its day.

Each question is put to a server that holds the bundle archived under the decision's revision; the
answer must be the logged one, value for value. It works on what an export shows: a question that is
withheld or erased is counted, never assumed equal.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from gongshu.audit.tiles import WIDTH, tile_path, unbundle
from gongshu.cli.log import DEFAULT_READER, fetch
from gongshu.cli.opa_server import OpaServer, find_opa
from gongshu.cli.sandbox import open_browser
from gongshu.errors import GongshuError, Unavailable
from gongshu.policy import content_revision

EQUAL, MISMATCH, USAGE, MISSING = 0, 1, 2, 4
SHOWN = 20  # mismatches printed in full


@dataclass(frozen=True)
class Logged:
    """One decision as the log holds it."""

    index: int
    area: str
    revision: str
    question: Any
    answer: Any


@dataclass
class Outcome:
    """What a replay found. unseen: decisions whose question this reader may not see, or that was erased."""

    equal: int = 0
    unseen: int = 0
    mismatches: list[str] = field(default_factory=list)


def command(
    directory: Annotated[Path | None, typer.Argument(metavar="DIR", help="导出的日志 · an export; 缺省时现取")] = None,
    name: Annotated[str, typer.Option("--as", help="以谁的身份取日志 · whose view")] = DEFAULT_READER,
) -> None:
    """重放每一次判定 · evaluate every logged decision again. 0 全部一致 equal · 1 不一致 · 4 没有 opa."""
    opa = find_opa()
    if opa is None:
        print("没有找到 opa 程序(.tools/bin/opa 或 PATH)。The opa program is missing.", file=sys.stderr)
        raise typer.Exit(MISSING)
    try:
        with tempfile.TemporaryDirectory(prefix="gongshu-replay-") as scratch:
            log = directory or _fetch(name, Path(scratch) / "log")
            outcome = replay(log, opa, Path(scratch))
    except GongshuError as error:
        print(f"{error.message.zh} {error.message.en}", file=sys.stderr)
        raise typer.Exit(MISSING if isinstance(error, Unavailable) else USAGE) from None
    except (OSError, ValueError, KeyError) as error:
        print(f"日志不可读 the log is unreadable: {error}", file=sys.stderr)
        raise typer.Exit(USAGE) from None
    raise typer.Exit(_report(outcome))


def _fetch(name: str, target: Path) -> Path:
    with open_browser(name) as browser:
        fetch(browser, target)
    return target


def _report(outcome: Outcome) -> int:
    for line in outcome.mismatches[:SHOWN]:
        print(line)
    unseen = f",{outcome.unseen} 条看不到问题 not shown" if outcome.unseen else ""
    if outcome.mismatches:
        print(f"{len(outcome.mismatches)} 条不一致 mismatches,{outcome.equal} 条一致 equal{unseen}")
        return MISMATCH
    print(f"{outcome.equal} 条判定全部一致 decisions replayed, all equal{unseen}")
    return EQUAL


def replay(log: Path, opa: Path, scratch: Path) -> Outcome:
    """Evaluate every decision of an export again. Raises ValueError or OSError when it cannot be read."""
    outcome = Outcome()
    by_revision: dict[str, list[Logged]] = {}
    for logged in decisions(log, outcome):
        by_revision.setdefault(logged.revision, []).append(logged)
    for revision, group in sorted(by_revision.items()):
        bundle = log / "bundles" / f"{revision}.tar.gz"
        if not bundle.is_file() or content_revision(bundle.read_bytes()) != revision:
            outcome.mismatches += [
                f"#{one.index}: 策略包缺失或被改动 rules missing or altered {revision}" for one in group
            ]
            continue
        with OpaServer(opa, bundle, scratch) as server:
            for logged in group:
                _compare(server, logged, outcome)
    return outcome


def _compare(server: OpaServer, logged: Logged, outcome: Outcome) -> None:
    answer = server.decide(logged.area, logged.question)
    if answer == logged.answer:
        outcome.equal += 1
    else:
        said, now = (json.dumps(one, ensure_ascii=False, sort_keys=True)[:400] for one in (logged.answer, answer))
        outcome.mismatches.append(f"#{logged.index} {logged.area}: 当时 then {said} · 现在 now {now}")


def decisions(log: Path, outcome: Outcome) -> Iterator[Logged]:
    """The logged decisions of an export, their private parts checked against the entries' commitments."""
    size = int((log / "checkpoint").read_text().split("\n")[1])
    for start in range(0, size, WIDTH):
        partial = size - start if size - start < WIDTH else 0
        for offset, data in enumerate(unbundle((log / tile_path("entries", start // WIDTH, partial)).read_bytes())):
            entry = json.loads(data)
            public = entry["public"]
            if "policy_revision" not in public or "area" not in public or "question" not in entry["private"]:
                continue
            parts = _parts(log, start + offset)
            if any("salt" not in parts.get(name, {}) for name in ("question", "answer")):
                outcome.unseen += 1
                continue
            question, answer = (_open(parts[name], entry["private"][name]) for name in ("question", "answer"))
            yield Logged(start + offset, public["area"], public["policy_revision"], question, answer)


def _parts(log: Path, index: int) -> dict[str, Any]:
    path = log / "payloads" / f"{index}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found


def _open(part: dict[str, str], commitment: str) -> Any:
    if hashlib.sha256(bytes.fromhex(part["salt"]) + part["payload"].encode()).hexdigest() != commitment:
        raise ValueError("a private part is not what its entry commits to")
    return json.loads(part["payload"])
