"""What the client makes of answers: only a whole, fitting answer is one; all else is 'policy unavailable'."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from gongshu.errors import Unavailable
from gongshu.policy import Opa, Resource, Subject, Usage, statement_question

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
GRANT: dict[str, Any] = {
    "grant": "G-1",
    "agreement": "示数授〔2026〕1号",
    "dataset": "tourism.stays",
    "columns": ["stay_id", "guest_id_no"],
    "row_filter": {"column": "district", "op": "=", "value": "440103"},
    "masks": {"guest_id_no": {"kind": "sha-256-keyed"}},
    "quota": {"billable_bytes_per_day": 2 << 30, "statements_per_day": 5},
    "valid_from": "2026-11-01T00:00:00.000000Z",
    "valid_until": "2026-06-30T15:59:59.000000Z",
}
QUESTION = statement_question(
    Subject("p-1", "operator-a", ["analyst"]),
    "tourism-flow",
    [Resource("tourism.stays", 1, ["stay_id", "guest_id_no", "district"], NOW)],
    [GRANT],
    Usage(1, (2 << 30) - (1 << 28), 1 << 30),
    frozen=False,
    now=NOW,
)
GOOD: dict[str, Any] = {
    "result": {
        "allow": True,
        "reasons": [
            {"code": "granted", "clause": "第三条", "agreement": "示数授〔2026〕1号", "dataset": "tourism.stays"}
        ],
        "obligations": {
            "tourism.stays": {
                "grant": "G-1",
                "columns": ["stay_id", "guest_id_no"],
                "row_filter": GRANT["row_filter"],
                "masks": GRANT["masks"],
            }
        },
        "limits": {
            "billable_bytes_left": 1,
            "statements_left": 1,
            "result_rows_max": 1,
            "result_bytes_max": 1,
            "duration_seconds_max": 1,
        },
    },
    "provenance": {"bundles": {"b": {"revision": "a" * 64}}},
}


def _ask(body: object, status: int = 200) -> Any:
    def answer(_request: httpx.Request) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.Response(status, content=content)

    return Opa("http://opa", transport=httpx.MockTransport(answer)).ask("authorization", QUESTION)


def test_a_whole_answer_is_a_decision() -> None:
    decision = _ask(GOOD)
    assert decision.allowed and decision.revision == "a" * 64
    assert decision.obligations["tourism.stays"]["columns"] == ["stay_id", "guest_id_no"]
    public, private = decision.evidence()
    assert public["policy_revision"] == "a" * 64 and public["reasons"][0]["clause"] == "第三条"
    assert private["question"] == QUESTION and private["answer"] == GOOD["result"]


def _set(*path: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        place: Any = body
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


def _drop(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        place: Any = body
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


STAYS = ("result", "obligations", "tourism.stays")
BAD = {
    "undefined": _drop("result"),
    "allow missing": _drop("result", "allow"),
    "allow is text": _set("result", "allow", to="true"),
    "allow is one": _set("result", "allow", to=1),
    "extra field": _set("result", "note", to="x"),
    "reasons missing": _drop("result", "reasons"),
    "no reason": _set("result", "reasons", to=[]),
    "unknown reason": _set("result", "reasons", 0, "code", to="because"),
    "reason without clause": _drop("result", "reasons", 0, "clause"),
    "obligations is a list": _set("result", "obligations", to=[]),
    "dataset missing": _drop(*STAYS),
    "dataset extra": _set(
        "result", "obligations", "aviation.planes", to=GOOD["result"]["obligations"]["tourism.stays"]
    ),
    "columns missing": _drop(*STAYS, "columns"),
    "columns empty": _set(*STAYS, "columns", to=[]),
    "columns wider": _set(*STAYS, "columns", to=["stay_id", "guest_id_no", "district"]),
    "columns repeated": _set(*STAYS, "columns", to=["stay_id", "stay_id"]),
    "columns are text": _set(*STAYS, "columns", to="stay_id"),
    "filter dropped": _set(*STAYS, "row_filter", to=None),
    "filter changed": _set(*STAYS, "row_filter", to={"column": "district", "op": "<>", "value": "440103"}),
    "mask dropped": _set(*STAYS, "masks", to={}),
    "mask unknown": _set(*STAYS, "masks", to={"guest_id_no": {"kind": "rot13"}}),
    "foreign grant": _set(*STAYS, "grant", to="G-2"),
    "limit missing": _drop("result", "limits", "result_rows_max"),
    "limit is true": _set("result", "limits", "result_rows_max", to=True),
    "denied with obligations": _set("result", "allow", to=False),
    "no revision": _drop("provenance"),
    "two bundles": _set("provenance", "bundles", "c", to={"revision": "b" * 64}),
    "short revision": _set("provenance", "bundles", "b", "revision", to="v1"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_answer_is_no_answer(fault: str) -> None:
    body = copy.deepcopy(GOOD)
    BAD[fault](body)
    with pytest.raises(Unavailable, match=r"unavailable\.policy"):
        _ask(body)


@pytest.mark.parametrize(
    ("body", "status"),
    [(GOOD, 500), (GOOD, 401), (GOOD, 302), (b"", 200), (b"[]", 200), (b"{", 200), (b'{"result": 1.5}', 200)],
)
def test_a_bad_response_is_no_answer(body: object, status: int) -> None:
    with pytest.raises(Unavailable):
        _ask(body, status)


@pytest.mark.parametrize(
    "fault", [httpx.ConnectError("gone"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("?")]
)
def test_an_unreachable_server_is_no_answer(fault: httpx.HTTPError) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise fault

    with pytest.raises(Unavailable):
        Opa("http://opa", transport=httpx.MockTransport(answer)).ask("authorization", QUESTION)


@pytest.mark.parametrize(
    ("reason", "zh", "en"),
    [
        (
            {"code": "not-granted", "clause": "第三条", "dataset": "aviation.planes"},
            "本场景的授权里没有 aviation.planes。依据:示数授〔2026〕1号 第三条。",
            "This scenario's grant does not include aviation.planes. Basis: 示数授〔2026〕1号, clause 3.",
        ),
        (
            {"code": "term-over", "clause": "第九条", "dataset": ""},
            "授权已于 2026年6月30日 23:59 到期,没有执行、没有计费(示数授〔2026〕1号 第九条)。",
            "The grant ended on 30 Jun 2026, 23:59; nothing ran, nothing was charged (示数授〔2026〕1号, clause 9).",
        ),
        (
            {"code": "quota-bytes", "clause": "第七条", "dataset": ""},
            "今日计费数据量只剩 256.0 MiB,这条语句要 1.0 GiB,所以没有执行(示数授〔2026〕1号 第七条)。",
            "256.0 MiB of today's billable quota is left and this statement needs 1.0 GiB, "
            "so it did not run (示数授〔2026〕1号, clause 7).",
        ),
    ],
)
def test_a_refusal_says_what_happened_by_which_clause_and_what_next(reason: dict[str, str], zh: str, en: str) -> None:
    body = copy.deepcopy(GOOD)
    denied = {
        "allow": False,
        "reasons": [{"agreement": "示数授〔2026〕1号", **reason}],
        "obligations": {},
        "limits": {},
    }
    body["result"] = denied
    decision = _ask(body)
    refusal = decision.refusal()
    assert refusal.message.zh == f"{zh}判定 {decision.decision_id}"
    assert refusal.message.en == f"{en} Decision {decision.decision_id}"
    assert refusal.code == f"authorization.{reason['code']}" and refusal.next_step is not None
    assert refusal.details["clause"] == reason["clause"]
