"""Asking for a release: a table aggregated by the engine, with evidence, becomes a draft request.

The gateway computes cells, order, rounding and the evidence; what is sent is the plan and the wish. Nothing
leaves by this call: two reviewers of another organisation decide.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gongshu_sandbox.place import words
from gongshu_sandbox.portal import ask
from gongshu_sandbox.refusals import UNREACHABLE, Refused, from_envelope
from gongshu_sandbox.session import session
from gongshu_sandbox.sheet import Sheet

METHOD = "/gongshu.v1.Gateway/ReleaseTable"
SECONDS = 300.0
MEASURE = re.compile(r"\s*(sum|count|mean|avg)\s*\(\s*(\*|[\w一-鿿]+)?\s*\)\s*\Z", re.IGNORECASE)

Measure = str | Sequence[str | None]


@dataclass(frozen=True)
class Draft:
    """A draft request. `flagged` cells are below the threshold of the release rules."""

    release: str
    item: str
    cells: int
    flagged: int
    sheet: Sheet

    def submit(self, note: str = "") -> Draft:
        """Hand the draft to the reviewers."""
        submit(self.release, note)
        return self

    def __repr__(self) -> str:
        return repr(self.sheet)

    def _repr_html_(self) -> str:
        return self.sheet._repr_html_()


def release_table(
    df: Any,
    by: Sequence[str] | str,
    measures: Mapping[str, Measure] | Sequence[str],
    title: str,
    note: str = "",
    release: str | None = None,
) -> Draft:
    """Ask for a release of `df` grouped by declared dimensions.

    measures: ``{"name": "sum(column)"}``, ``{"name": ["mean", "column"]}`` or ``["count(*)"]``; only sum,
    count and mean. release: the draft to add the table to; a new one otherwise. Raises Refused.
    """
    here = session()
    wish = {
        "plan": base64.b64encode(df._plan.to_proto(here.client).SerializeToString()).decode(),
        "session_id": here.session_id,
        "by": [by] if isinstance(by, str) else list(by),
        "measures": read_measures(measures),
        "title": title,
        "note": note,
    }
    return _draft(_call(here, wish | ({"release": release} if release else {})), title)


def read_measures(measures: Mapping[str, Measure] | Sequence[str]) -> dict[str, list[str | None]]:
    """Bring the accepted spellings into one. Raises Refused on any other."""
    named = measures if isinstance(measures, Mapping) else {text: text for text in measures}
    return {_plain(name): _measure(measure) for name, measure in named.items()}


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_") or "count"


def _measure(measure: Measure) -> list[str | None]:
    if isinstance(measure, str):
        found = MEASURE.match(measure)
        function, column = (found.group(1), found.group(2)) if found else ("", None)
    else:
        pair = [*measure, None][:2]
        function, column = str(pair[0]), pair[1]
    function = {"avg": "mean"}.get(function.lower(), function.lower())
    if function not in {"sum", "count", "mean"} or (column in {None, "*"} and function != "count"):
        raise Refused(
            "release.measure",
            f'指标 {measure!r} 不能识别。下一步:写成 "sum(列)"、"count(*)" 或 "mean(列)"。',
            f'The measure {measure!r} is not understood. Next: write "sum(column)", "count(*)" or "mean(column)".',
        )
    return [function, None if column in {None, "*"} else str(column)]


def _call(here: Any, wish: Mapping[str, Any]) -> dict[str, Any]:
    import grpc  # only here: see `gongshu_sandbox.session`

    method = here.client._channel.unary_unary(METHOD)
    try:
        answer: dict[str, Any] = json.loads(method(json.dumps(wish).encode(), timeout=SECONDS))
    except grpc.RpcError as error:
        raise _refused(error) from None
    return answer


def _refused(error: Any) -> Refused:
    for key, value in error.trailing_metadata() or ():
        if key == "gongshu-error-bin":
            return from_envelope(json.loads(value))
    if error.code().name == "UNAVAILABLE":
        return Refused("gateway.unreachable", *UNREACHABLE)
    lines = [*str(error.details() or error.code()).splitlines(), ""]
    return Refused("gateway.refused", lines[0], lines[1])


def _draft(answer: dict[str, Any], title: str) -> Draft:
    number = str(answer["release"])
    cells, flagged = int(answer.get("cells") or 0), int(answer.get("flagged") or 0)
    rows = [["" if cell is None else str(cell) for cell in row] for row in answer.get("preview", [])]
    notes = [
        words(
            f"出域申请 {number} 已存为草稿:{cells} 个单元格,其中 {flagged} 个低于门槛。",
            f"Release request {number} is kept as a draft: {cells} cells, {flagged} below the threshold.",
        ),
        words(f'提交:gongshu.submit("{number}")', f'Submit: gongshu.submit("{number}")'),
    ]
    sheet = Sheet([str(name) for name in answer.get("columns", [])], rows, title, notes)
    return Draft(number, str(answer.get("item", "")), cells, flagged, sheet)


def submit(release: str, note: str = "") -> Sheet:
    """Submit a draft of this scenario to the reviewers. Raises Refused."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", release):
        raise Refused("release.number", "申请编号的写法不对。", "This is not the number of a request.")
    ask("POST", f"/releases/{release}/submit", {"note": note} if note else {})
    return releases()


def releases() -> Sheet:
    """The own release requests of this scenario, newest first."""
    found = ask("GET", "/releases")
    listed = found.get("releases", found) if isinstance(found, dict) else found
    rows = [[str(one.get(key) or "") for key in ("release", "title", "state")] for one in listed]
    return Sheet([words("编号", "number"), words("标题", "title"), words("状态", "state")], rows)
