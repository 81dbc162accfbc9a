"""The real OPA over the real bundle: decisions, its own door, and what happens when it is gone."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gongshu.clock import to_text
from gongshu.errors import Denied, Unavailable
from gongshu.policy import Opa, Resource, Subject, Usage, read_bundle, spawn_question, statement_question, write_bundle
from tests.parts.opa import OpaServer, start_opa
from tests.parts.places import ROOT

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
CHEN = Subject("p-chen", "operator-a", ["analyst"])


def grant(**changes: Any) -> dict[str, Any]:
    return {
        "grant": "G-2026-0001",
        "agreement": "示数授〔2026〕1号",
        "agreement_id": "A-2026-0001",
        "scenario": "tourism-flow",
        "operator": "operator-a",
        "provider": "tourism",
        "dataset": "tourism.stays",
        "version": 1,
        "purpose": "客流",
        "use": "industry",
        "columns": ["stay_id", "nights"],
        "row_filter": {"column": "district", "op": "in", "values": ["440103"]},
        "masks": {},
        "output_kinds": ["table"],
        "quota": {"billable_bytes_per_day": 1000, "statements_per_day": 10},
        "price": "tourism-flow.bytes",
        "valid_from": to_text(NOW - timedelta(days=1)),
        "valid_until": to_text(NOW + timedelta(days=1)),
        "revoked": False,
        "clauses": {"scope": "第三条", "term": "第九条", "quota": "第七条", "exit": "第十三条"},
        **changes,
    }


def ask(opa: OpaServer, *grants: dict[str, Any], dataset: str = "tourism.stays", now: datetime = NOW) -> Any:
    resource = Resource(dataset, 1, ["stay_id", "nights", "district"], NOW + timedelta(days=9))
    question = statement_question(CHEN, "tourism-flow", [resource], grants, Usage(), frozen=False, now=now)
    with Opa(opa.url, 2000) as client:
        return client.ask("authorization", question)


def test_allowed_answer_names_the_bundle_that_gave_it(opa: OpaServer) -> None:
    decision = ask(opa, grant())
    assert decision.require().obligations["tourism.stays"]["columns"] == ["stay_id", "nights"]
    assert decision.revision == read_bundle(opa.bundle).revision


def test_absent_and_denied_datasets_read_the_same(opa: OpaServer) -> None:
    texts = set()
    for name in ("aviation.planes", "aviation.no_such"):
        decision = ask(opa, grant(), dataset=name)
        with pytest.raises(Denied) as refused:
            decision.require()
        text = refused.value.message.zh.replace(name, "X").replace(decision.decision_id, "N")
        texts.add((text, refused.value.code))
    assert texts == {("本场景的授权里没有 X。依据:示数授〔2026〕1号 第三条。判定 N", "authorization.not-granted")}


def test_expiry_and_revocation_act_at_the_next_question(opa: OpaServer) -> None:
    end = NOW + timedelta(days=1)
    assert ask(opa, grant(), now=end - timedelta(microseconds=1)).allowed
    assert ask(opa, grant(), now=end).reasons[0].code == "term-over"
    assert ask(opa, grant(revoked=True)).reasons[0].code == "revoked"
    with Opa(opa.url, 2000) as client:
        assert not client.ask(
            "authorization", spawn_question(CHEN, "tourism-flow", [grant()], frozen=True, now=NOW)
        ).allowed


def test_nobody_may_write_or_list_rules_over_http(opa: OpaServer) -> None:
    tries = [
        ("GET", "/v1/policies"),
        ("PUT", "/v1/policies/system"),
        ("DELETE", "/v1/policies/system"),
        ("PUT", "/v1/data/gongshu/rules"),
        ("PATCH", "/v1/data"),
        ("GET", "/v1/data"),
        ("POST", "/v1/data"),
        ("POST", "/v1/data/system/authz/allow"),
        ("POST", "/v1/query"),
        ("POST", "/v1/compile"),
        ("GET", "/v1/config"),
        ("POST", "/v1/data/gongshu/authorization/decision?explain=full"),
        ("GET", "/metrics"),
    ]
    with httpx.Client(base_url=opa.url, trust_env=False) as anyone:
        for method, path in tries:
            assert anyone.request(method, path, content=b"{}").status_code in (401, 404, 405), (method, path)


def test_a_killed_policy_server_refuses_at_once_and_works_again_when_it_is_back(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar.gz"
    write_bundle(ROOT / "policies", bundle)
    server = start_opa(bundle, tmp_path / "opa.log")
    try:
        assert ask(server, grant()).allowed
        server.process.kill()
        server.process.wait()
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"unavailable\.policy"):
            ask(server, grant())
        assert time.monotonic() - began < 2
    finally:
        server.stop()
