"""The pages and the API of authorization: the journey through them, and every stranger refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient
from minio import Minio

from gongshu.audit import Vault
from gongshu.authorization import grants_in_force, is_frozen
from gongshu.clock import SettableClock
from gongshu.database import Sessions
from gongshu.policy import Opa
from gongshu.portal.app import create_app, create_internal_app
from gongshu.portal.edge import Services
from gongshu.portal.hub import Hub
from gongshu.portal.layout import Layout
from gongshu.portal.session import cookie_name, open_session
from gongshu.settings import Settings
from tests.conftest import NewWork
from tests.integration.authorization import case_world as world
from tests.parts.opa import OpaServer

ORIGIN = "http://portal--service.gongshu.localhost:8000"
PREFIX = "/services/portal"
As = Callable[[str], TestClient]


class NamingHub(Hub):
    """Stands where the Hub is: a token is the name of the sandbox it belongs to."""

    def name_for_token(self, token: str) -> str:
        return token


@pytest.fixture
def services(
    new_work: NewWork, sessions: Sessions, clock: SettableClock, vault: Vault, opa: OpaServer, tmp_path: Path
) -> Services:
    world.build_city(new_work, sessions)
    settings = Settings(
        part="portal",
        demo=True,
        run_dir=tmp_path,
        hub_url="http://gongshu.localhost:8000/",
        portal_url=f"{ORIGIN}{PREFIX}/",
    )
    return Services(
        settings=settings,
        clock=clock,
        sessions=sessions,
        vault=vault,
        opa=Opa(opa.url, 2000),
        store=Minio("127.0.0.1:9", access_key="none", secret_key="none", secure=False),
        hub=NamingHub(settings),
        layout=Layout(settings),
    )


@pytest.fixture
def as_(services: Services, sessions: Sessions, clock: SettableClock) -> Iterator[As]:
    """A browser logged in as that person."""
    app = create_app(services)
    clients: list[TestClient] = []

    def client(name: str) -> TestClient:
        with sessions() as session:
            opaque = open_session(session, name, clock.now())
            session.commit()
        browser = TestClient(
            app,
            base_url=ORIGIN,
            cookies={cookie_name(False): opaque},
            headers={"sec-fetch-site": "same-origin"},
            follow_redirects=False,
        )
        clients.append(browser)
        return browser

    yield client
    for one in clients:
        one.close()


def _ok(response: object, status: int = 200) -> dict[str, object]:
    assert response.status_code == status, response.text[:600]  # type: ignore[attr-defined]
    return response.json()  # type: ignore[attr-defined, no-any-return]


def _api(path: str) -> str:
    return f"{PREFIX}/api/v1{path}"


def test_the_journey_through_the_api(as_: As, services: Services, clock: SettableClock) -> None:
    liang, feng = as_("liang"), as_("feng")
    new = world.application().model_dump(mode="json")
    _ok(liang.post(_api("/scenarios"), json=new), 201)
    assert liang.post(_api("/scenarios"), json=new).status_code == 409
    _ok(liang.post(_api("/scenarios/tourism-flow/submit")))
    assert liang.post(_api("/scenarios/tourism-flow/submit")).status_code == 409
    for name in ("luo", "he"):
        (request,) = _ok(as_(name).get(_api("/approvals")))["approvals"]  # type: ignore[misc]
        verdicts = {"columns": {one["name"]: "agree" for one in request["columns"]}, "reason": ""}
        _ok(as_(name).post(_api(f"/approvals/{request['id']}/decide"), json=verdicts))
    _ok(as_("song").post(_api("/scenarios/tourism-flow/authorise")))
    documents = [one.model_dump() for one in world.OPINIONS]
    drafted = _ok(feng.post(_api("/agreements"), json={"scenario": "tourism-flow", "documents": documents}), 201)
    path = _api(f"/agreements/{drafted['no']}/sign")
    assert liang.post(path, json={"digest": "0" * 64}).status_code == 409
    _ok(liang.post(path))
    assert _ok(feng.post(path, json={"digest": drafted["digest"]}))["state"] == "active"
    with TestClient(create_internal_app(services)) as hub:
        chen = {"person": "chen", "scenario": "tourism-flow"}
        started = _ok(hub.post("/internal/spawn", json=chen))
        assert started["agreement"] == "示数授〔2026〕1号" and started["clauses"]["term"] == "第九条"  # type: ignore[index]
        for stranger in ({"person": "zhou", "scenario": "tourism-flow"}, {**chen, "scenario": "no-such"}):
            assert hub.post("/internal/spawn", json=stranger).status_code == 404
        assert _ok(hub.post("/internal/sandboxes", json={"sandboxes": [chen]})) == {"closed": []}
        _ok(feng.post(_api(f"/agreements/{drafted['no']}/revoke"), json={"reason": "违约"}))
        refused = hub.post("/internal/spawn", json=chen)
        assert refused.status_code == 403
        assert refused.json()["code"] == "authorization.revoked"
        assert refused.json()["details"]["clause"] == "第十三条"
        (closed,) = _ok(hub.post("/internal/sandboxes", json={"sandboxes": [chen]}))["closed"]  # type: ignore[misc]
        assert "撤销" in closed["reason"]["zh"]


def test_the_term_ends_by_itself(
    as_: As, services: Services, new_work: NewWork, sessions: Sessions, clock: SettableClock
) -> None:
    from datetime import timedelta  # beside its only use

    world.signed(new_work, sessions)
    with TestClient(create_internal_app(services)) as hub:
        chen = {"person": "chen", "scenario": "tourism-flow"}
        _ok(hub.post("/internal/spawn", json=chen))
        clock.moment += timedelta(days=731)
        refused = hub.post("/internal/spawn", json=chen)
    assert (refused.status_code, refused.json()["code"]) == (403, "authorization.term-over")
    assert "2028年11月22日" in refused.json()["message"]["zh"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_renders_for_those_it_is_for(as_: As, new_work: NewWork, sessions: Sessions, language: str) -> None:
    agreement = world.signed(new_work, sessions)
    draft = world.application("another-flow", title_zh="另一个", purpose="另一用途")
    (first, second) = world.apply(new_work, sessions, draft)
    pages = {
        "liang": ["/scenarios", "/scenarios/new?dataset=tourism.stays", "/scenarios/tourism-flow", "/agreements"],
        "luo": ["/approvals", f"/approvals/{first}", "/approvals/Q-2026-0001"],
        "he": [f"/approvals/{second}"],
        "feng": ["/scenarios/another-flow", f"/agreements/{agreement.id}", "/grants/G-2026-0001", "/organisations"],
        "song": ["/", "/scenarios"],
        "chen": ["/", "/sandboxes", "/scenarios/tourism-flow"],
    }
    for name, paths in pages.items():
        browser = as_(name)
        for path in paths:
            response = browser.get(f"{PREFIX}{path}", params={"lang": language} if "?" not in path else None)
            assert response.status_code == 200, (name, path, response.text[:400])


def test_strangers_are_refused_and_learn_nothing(as_: As, new_work: NewWork, sessions: Sessions) -> None:
    agreement = world.signed(new_work, sessions)
    for name in ("xie", "zhou", "tang"):
        browser = as_(name)
        for path in ("/scenarios/tourism-flow", f"/agreements/{agreement.id}", "/grants/G-2026-0001"):
            real, invented = browser.get(_api(path)), browser.get(_api("/scenarios/never-was"))
            assert (real.status_code, invented.status_code) == (404, 404), (name, path)
        assert browser.post(_api(f"/agreements/{agreement.id}/sign")).status_code in (403, 404)
        assert browser.post(_api("/organisations/operator-a/freeze"), json={"reason": "x"}).status_code == 403
        assert browser.post(_api("/approvals/Q-2026-0001/decide"), json={"columns": {"a": "agree"}}).status_code == 404


def test_the_pages_carry_a_case_without_script(as_: As, sessions: Sessions) -> None:
    """Apply, decide, authorise, draft and sign with plain forms only."""
    liang, luo, song, feng = as_("liang"), as_("luo"), as_("song"), as_("feng")
    form = {
        "dataset": "tourism.stays",
        "code": "page-flow",
        "title_zh": "页面申请",
        "title_en": "By page",
        "purpose": "统计",
        "beneficiary": "市民",
        "term_months": "12",
        "analysts": "chen",
        "output_kinds": "table",
        "quota_gib": "1",
        "quota_statements": "100",
        "columns-tourism.stays": ["guest_id_no", "nights"],
        "mask-tourism.stays-guest_id_no": "sha-256-keyed",
        "reason-tourism.stays": "统计",
        "price-tourism.stays": "page-flow.bytes",
        "filter-column-tourism.stays": "district",
        "filter-op-tourism.stays": "in",
        "filter-values-tourism.stays": "440103,440104",
    }
    too_long = liang.post(f"{PREFIX}/scenarios/new", data={**form, "term_months": "61"})
    assert too_long.status_code == 422 and "五年" in too_long.text and 'value="61"' in too_long.text
    assert liang.post(f"{PREFIX}/scenarios/new", data=form).headers["location"] == f"{PREFIX}/scenarios/page-flow"
    plan = {"kind": "plan", "title": "方案", "text": "正文"}
    assert liang.post(f"{PREFIX}/scenarios/page-flow/attachments", data=plan).status_code == 303
    assert liang.post(f"{PREFIX}/scenarios/page-flow/submit").status_code == 303
    (request,) = _ok(luo.get(_api("/approvals")))["approvals"]  # type: ignore[misc]
    page = f"{PREFIX}/approvals/{request['id']}"
    assert luo.post(page, data={"reason": ""}).status_code == 422
    masks = {"mask-guest_id_no": "sha-256-keyed", "mask-nights": ""}
    assert (
        luo.post(page, data={"rest": "agree", "verdict-nights": "veto", "reason": "不需要", **masks}).status_code == 303
    )
    assert song.post(f"{PREFIX}/scenarios/page-flow/authorise").status_code == 303
    for one in world.OPINIONS:
        assert feng.post(f"{PREFIX}/scenarios/page-flow/attachments", data=one.model_dump()).status_code == 303
    agreement = feng.post(f"{PREFIX}/agreements", data={"scenario": "page-flow"}).headers["location"]
    digest = {"digest": str(_ok(feng.get(_api(agreement.removeprefix(PREFIX))))["digest"])}
    for signer in (feng, liang):
        assert signer.post(f"{agreement}/sign", data=digest).status_code == 303
    (grant,) = _ok(liang.get(_api("/scenarios/page-flow")))["grants"]  # type: ignore[misc]
    assert grant["columns"] == ["guest_id_no"]
    assert grant["row_filter"] == {"column": "district", "op": "in", "values": ["440103", "440104"]}


def test_a_sandbox_reads_its_own_scenario_and_nothing_else(as_: As, new_work: NewWork, sessions: Sessions) -> None:
    world.signed(new_work, sessions)
    anyone = as_("chen")
    anyone.cookies.clear()

    def ask(name: str, path: str = "/sandbox") -> httpx2.Response:
        return anyone.get(_api(path), headers={"authorization": f"Bearer {name}"})

    told = ask("chen--tourism-flow").json()
    stays = next(table for table in told["tables"] if table["dataset"] == "tourism.stays")
    assert stays["row_filter_text"] == "district IN ('440103', '440104')" and stays["rows"] is None
    masks = {column["name"]: column["mask"] and column["mask"]["kind"] for column in stays["columns"]}
    assert masks == {
        "stay_id": None,
        "guest_id_no": "sha-256-keyed",
        "checkin": "truncate-to-month",
        "nights": None,
    }
    assert {column["clause"] for column in stays["columns"]} == {"第四条", "第五条"}
    assert ask("zhou--tourism-flow").status_code == 404
    assert ask("chen--no-such").status_code == 404
    assert ask("chen").status_code == 401
    for path in ("/scenarios", "/agreements", "/sandboxes", "/approvals"):
        assert ask("chen--tourism-flow", path).status_code in (401, 403), path


LISTS = [
    ("GET", "/scenarios"),
    ("POST", "/scenarios"),
    ("GET", "/approvals"),
    ("GET", "/agreements"),
    ("GET", "/sandboxes"),
]
CASE = [
    ("GET", "/scenarios/tourism-flow", None),
    ("POST", "/scenarios/tourism-flow/submit", None),
    ("POST", "/scenarios/tourism-flow/withdraw", None),
    ("POST", "/scenarios/tourism-flow/attachments", None),
    ("GET", "/scenarios/tourism-flow/attachments/D-2026-0001", None),
    ("POST", "/scenarios/tourism-flow/authorise", None),
    ("GET", "/approvals/Q-2026-0001", None),
    ("POST", "/approvals/Q-2026-0001/decide", {"columns": {"stay_id": "agree"}}),
    ("POST", "/agreements", {"scenario": "tourism-flow"}),
    ("GET", "/agreements/A-2026-0001", None),
    ("POST", "/agreements/A-2026-0001/sign", None),
    ("POST", "/agreements/A-2026-0001/revoke", {"reason": "试"}),
    ("GET", "/grants/G-2026-0001", None),
    ("POST", "/organisations/operator-a/freeze", {"reason": "试"}),
    ("POST", "/organisations/operator-a/unfreeze", {"reason": "试"}),
]


def test_anonymous_wrong_company_and_wrong_role_change_and_learn_nothing(
    as_: As, new_work: NewWork, sessions: Sessions, clock: SettableClock
) -> None:
    world.signed(new_work, sessions)
    nobody = as_("chen")
    nobody.cookies.clear()
    for method, path in [*LISTS, *((method, path) for method, path, _body in CASE)]:
        assert nobody.request(method, _api(path), json={}).status_code == 401, (method, path)
    for name in ("xie", "zhou", "tang", "he"):
        browser = as_(name)
        for method, path, body in CASE:
            if name == "he" and method == "GET" and "approvals" not in path:
                continue  # the other department asked in this case may read it
            status = browser.request(method, _api(path), json=body).status_code
            assert status in (403, 404), (name, method, path, status)
    with sessions() as session:
        grants = grants_in_force(session, None, "tourism-flow", clock.now())
        assert [grant.in_force for grant in grants] == [True, True]
        assert not is_frozen(session, "operator-a")


def test_the_portal_reads_on_when_the_policy_is_down(
    as_: As, services: Services, new_work: NewWork, sessions: Sessions
) -> None:
    world.signed(new_work, sessions)
    object.__setattr__(services, "opa", Opa("http://127.0.0.1:9", 300))
    chen = as_("chen")
    assert chen.get(f"{PREFIX}/").status_code == 200
    page = chen.get(f"{PREFIX}/sandboxes")
    assert page.status_code == 200 and "策略服务暂时不可用" in page.text and "hub/spawn" not in page.text
    with TestClient(create_internal_app(services)) as hub:
        refused = hub.post("/internal/spawn", json={"person": "chen", "scenario": "tourism-flow"})
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable.policy")
        assert (
            hub.post(
                "/internal/sandboxes", json={"sandboxes": [{"person": "chen", "scenario": "tourism-flow"}]}
            ).status_code
            == 503
        )
