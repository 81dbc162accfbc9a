"""The analyst's, reviewer's and money pages and API on real parts: who sees what, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from gongshu.audit import Event, EventType, Private
from gongshu.audit.publisher import Publisher
from gongshu.policy import Opa
from gongshu.portal.app import create_app
from gongshu.portal.edge import Services
from gongshu.portal.hub import Hub
from gongshu.portal.layout import Layout
from gongshu.portal.session import cookie_name, open_session
from gongshu.settings import Settings
from tests.integration.audit.conftest import House, new_house
from tests.integration.release import release_world
from tests.integration.release.release_world import Desk, table
from tests.integration.revenue.bureau import GIB, Bureau
from tests.parts.opa import OpaServer
from tests.parts.store import Store

ORIGIN, PREFIX = "http://portal--service.gongshu.localhost:8000", "/services/portal"
As = Callable[[str], TestClient]
CEILING = {
    "price": "tourism-flow.bytes",
    "meter": "billable_bytes",
    "unit_price_fen": 13_000,
    "basis": "示发改价〔2026〕1号",
}
BOOK = {
    "prices": [
        {
            "price": "tourism-flow.bytes", "title_zh": "客流数据服务费", "title_en": "Tourist flows",
            "meter": "billable_bytes", "kind": "graduated",
            "tiers": [{"up_to": 20, "unit_price_fen": 12_000}, {"unit_price_fen": 9_000}],
        }
    ]
}  # fmt: skip


class Han(HTMLParser):
    """Collects Han text outside elements that say they are Chinese."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("meta", "link", "input", "img", "br", "path", "rect"):
            return
        chinese = any(name == "lang" and (value or "").startswith("zh") for name, value in attrs)
        self.open.append((tag, chinese or (bool(self.open) and self.open[-1][1])))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1][1]) and any("\u4e00" <= c <= "\u9fff" for c in data):
            self.found.append(data.strip())


@pytest.fixture
def house(database: Engine, store: Store, tmp_path: Path) -> House:
    return new_house(database, store, tmp_path)


@pytest.fixture
def publisher(house: House) -> Publisher:
    return house.start()


@pytest.fixture
def desk(house: House, publisher: Publisher, opa: OpaServer, store: Store) -> Desk:
    return release_world.open_desk(house.work, house.sessions, opa, store)


@pytest.fixture
def as_(house: House, desk: Desk, store: Store, opa: OpaServer, tmp_path: Path) -> Iterator[As]:
    settings = Settings(
        part="portal",
        demo=True,
        run_dir=tmp_path,
        hub_url="http://gongshu.localhost:8000/",
        portal_url=f"{ORIGIN}{PREFIX}/",
        store={"endpoint": store.endpoint, "key_file": store.key_file, "log_bucket": house.store._bucket},
    )
    services = Services(
        settings,
        house.clock,
        house.sessions,
        house.vault,
        Opa(opa.url, 3000),
        store.client(),
        Hub(settings),
        Layout(settings),
    )
    app, clients = create_app(services), []

    def client(name: str) -> TestClient:
        with house.sessions() as session:
            opaque = open_session(session, name, house.clock.now())
            session.commit()
        cookies, headers = {cookie_name(False): opaque}, {"sec-fetch-site": "same-origin"}
        clients.append(TestClient(app, base_url=ORIGIN, cookies=cookies, headers=headers, follow_redirects=False))
        return clients[-1]

    yield client
    for one in clients:
        one.close()


def api(client: TestClient, method: str, path: str, body: object = None, status: int = 200) -> dict[str, object]:
    answer = client.request(method, f"{PREFIX}/api/v1{path}", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_the_whole_way_over_the_api(as_: As, desk: Desk, publisher: Publisher) -> None:
    chen, tang, pan = as_("chen"), as_("tang"), as_("pan")
    number = desk.add().release
    assert api(chen, "POST", f"/releases/{number}/submit")["state"] == "in_review"
    for reviewer in (tang, pan):
        seen = api(reviewer, "GET", f"/reviews/{number}")
        assert seen["reviews"] == [] and seen["can_vote"]
        vote = {"votes": [{"item": 1, "vote": "approve"}], "expected_version": seen["version"]}
        api(reviewer, "POST", f"/reviews/{number}/vote", vote)
    assert api(chen, "GET", f"/releases/{number}")["state"] == "released"
    publisher.publish()
    certificate = api(chen, "GET", f"/certificates/{number}")
    assert certificate["state"] == "valid" and certificate["log"]["receipts"]  # type: ignore[index]
    content = chen.get(f"{PREFIX}/api/v1/releases/{number}/items/1/content")
    assert content.content.startswith(b"district,visits")
    assert "sandbox" in content.headers["content-security-policy"]
    assert api(chen, "GET", f"/releases/{number}")["items"][0]["downloads"] == 1  # type: ignore[index]
    for stranger in ("zhou", "luo"):
        api(as_(stranger), "GET", f"/releases/{number}", status=404)
        api(as_(stranger), "GET", f"/certificates/{number}", status=404)


def test_the_reviewers_page_takes_a_vote_and_keeps_what_was_typed(as_: As, desk: Desk) -> None:
    number = desk.submit(desk.add(table(entities=(9, 31))).release).id
    tang = as_("tang")
    page = tang.get(f"{PREFIX}/reviews/{number}").text
    assert "9&lt;10" in page and "不同主体数低于门槛" in page
    form = {"vote-1": "approve", "reason-1": "看过了", "comment": "", "expected_version": "2"}
    refused = tang.post(f"{PREFIX}/reviews/{number}/vote", data=form)
    assert refused.status_code == 403 and "看过了" in refused.text and "书面说明" in refused.text
    done = tang.post(f"{PREFIX}/reviews/{number}/vote", data={**form, "override": "已公开"})
    assert done.status_code == 303
    assert "等待另一位审核员" in tang.get(f"{PREFIX}/reviews/{number}").text


def test_money_over_the_api(as_: As, house: House, desk: Desk, opa: OpaServer) -> None:
    song, feng = as_("song"), as_("feng")
    api(feng, "POST", "/ceilings", CEILING, 403)
    api(song, "POST", "/ceilings", CEILING, 201)
    wrong = {"prices": [{**BOOK["prices"][0], "tiers": [{"unit_price_fen": -1}]}]}
    api(feng, "POST", "/prices", wrong, 422)
    wrong = {"prices": [{**BOOK["prices"][0], "tiers": [{"unit_price_fen": 13_001}]}]}
    api(feng, "POST", "/prices", wrong, 422)
    assert api(feng, "POST", "/prices", BOOK, 201)["version"] == 1
    Bureau.use(_bureau(house, opa), "tourism.stays", GIB)
    prepared = api(feng, "POST", "/settlement/2026-11/prepare")
    closed = api(feng, "POST", "/settlement/2026-11/close", {"lines_root": prepared["lines_root"]})
    assert closed["invoices"][0]["fen"] == 12_000  # type: ignore[index]
    assert api(as_("liang"), "GET", "/invoices/I-2026-11-A")["payee"] == "platform"
    assert api(as_("liang"), "GET", "/invoices/I-2026-11-A/lines/1")["recomputed_equal"] is True
    api(as_("xie"), "GET", "/invoices/I-2026-11-A", status=404)
    assert api(as_("luo"), "GET", "/earnings")["earnings"][0]["fen"] == 7_200  # type: ignore[index]
    api(feng, "POST", "/settlement/2026-11/close", status=409)
    api(feng, "POST", "/settlement/2026-13/close", status=422)


def _bureau(house: House, opa: OpaServer) -> Bureau:
    """The gateway's hand over a city that stands already."""
    bureau = Bureau.__new__(Bureau)
    bureau.sessions, bureau.clock, bureau.vault = house.sessions, house.clock, house.vault
    return bureau


def _intent(house: House, desk: Desk) -> int:
    """A statement of chen's as the gateway logs it."""
    reason = {"code": "granted", "clause": "第三条", "dataset": "tourism.stays"}
    public = {"statement": "01T", "kind": "query", "allowed": True, "decision": "7K2M4QPD", "reasons": [reason]}
    private = {"statement": Private({"sql": "SELECT 1"}, ("operator-a",))}
    chen = desk.actor("chen").pseudonym
    with house.work("gateway") as work:
        work.record(Event(EventType.STATEMENT_INTENT, chen, "operator-a", "tourism-flow", public, private))
        return work.commit()[0].index


def test_a_statement_of_another_does_not_exist(as_: As, house: House, desk: Desk) -> None:
    index = _intent(house, desk)
    assert api(as_("chen"), "GET", f"/statements/{index}")["text"] == "SELECT 1"
    assert api(as_("liang"), "GET", "/statements")["total"] == 1
    api(as_("zhou"), "GET", f"/statements/{index}", status=404)
    api(as_("chen"), "GET", "/statements/0", status=404)
    api(as_("luo"), "GET", "/statements", status=403)


def test_every_page_opens_in_both_languages(
    as_: As, desk: Desk, house: House, opa: OpaServer, publisher: Publisher
) -> None:
    song, feng, liang = as_("song"), as_("feng"), as_("liang")
    released = desk.in_review(table(entities=(9, 31)))
    waiting = desk.in_review(table(title="第二张"))
    for reviewer in ("tang", "pan"):
        desk.vote(released, reviewer, override="已公开")
    draft = desk.add(table(title="草稿")).release
    for path in ("/prices", "/ceilings", "/settlement/2026-11", "/invoices"):
        assert feng.get(f"{PREFIX}{path}").status_code == 200
    api(song, "POST", "/ceilings", CEILING, 201)
    api(feng, "POST", "/prices", BOOK, 201)
    _bureau(house, opa).use("tourism.stays", GIB)
    api(feng, "POST", "/settlement/2026-11/close")
    statement = _intent(house, desk)
    publisher.publish()
    chen, tang, luo, shen = as_("chen"), as_("tang"), as_("luo"), feng
    visits = [
        (chen, ("/releases", f"/releases/{released}", f"/releases/{waiting}", f"/releases/{draft}", "/usage", "/")),
        (chen, ("/statements", f"/statements/{statement}", "/statements?outcome=denied")),
        (chen, (f"/certificates/{released}",)),
        (tang, ("/reviews", f"/reviews/{waiting}", f"/reviews/{released}", f"/certificates/{released}", "/")),
        (liang, ("/releases", "/usage", "/invoices", "/invoices/I-2026-11-A", "/invoices/I-2026-11-A/lines/1", "/")),
        (feng, ("/prices", "/ceilings", "/settlement/2026-11", "/invoices", f"/releases/{released}")),
        (song, ("/prices", "/ceilings", "/settlement/2026-11")),
        (luo, ("/earnings", "/")),
        (as_("zhou"), (f"/certificates/{released}",)),
        (shen, ("/invoices/I-2026-11-A/beancount", "/invoices/I-2026-11-A/receipt")),
    ]
    for client, paths in visits:
        for path in paths:
            for language in ("zh", "en"):
                page = client.get(f"{PREFIX}{path}", params={"lang": language})
                assert page.status_code == 200, (path, page.text[:2000])
                if language == "en" and "html" in page.headers["content-type"]:
                    reader = Han()
                    reader.feed(page.text)
                    assert not reader.found, (path, reader.found)
