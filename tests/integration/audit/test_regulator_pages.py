"""The regulator's pages: a statement is found by person, dataset and time, with its proof; strangers see nothing."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from gongshu.audit import Event, EventType, Private
from gongshu.cli.log import Stream, _unpack
from gongshu.errors import Words
from gongshu.identity import (
    NewOrganisation,
    NewPerson,
    OrganisationKind,
    Role,
    create_organisation,
    create_person,
    find_actor,
)
from gongshu.policy import Opa
from gongshu.portal.app import create_app, create_internal_app
from gongshu.portal.edge import Services
from gongshu.portal.hub import Hub
from gongshu.portal.layout import Layout
from gongshu.portal.session import cookie_name, open_session
from gongshu.settings import Settings
from tests.integration.audit.conftest import House, verify
from tests.parts.store import Store

ORIGIN, PREFIX = "http://portal--service.gongshu.localhost:8000", "/services/portal"
PEOPLE = {
    "shen": (Role.REGULATOR, "audit", OrganisationKind.REGULATOR),
    "chen": (Role.ANALYST, "operator-a", OrganisationKind.OPERATOR),
    "zhou": (Role.ANALYST, "operator-b", OrganisationKind.OPERATOR),
    "tang": (Role.REVIEWER, "agency", OrganisationKind.AUTHORITY),
}
As = Callable[[str], TestClient]


@pytest.fixture
def statement(house: House) -> int:
    """People, and one statement of chen's, published. Returns its index."""
    publisher = house.start()
    with house.work("setup") as work:
        for name, (role, place, kind) in PEOPLE.items():
            create_organisation(work, "system:setup", NewOrganisation(place, Words(place, place), kind))
            work.session.flush()
            create_person(work, "system:setup", NewPerson(name, Words("陈", "Chen"), place, "secret", ((role, place),)))
        work.commit()
    with house.sessions() as session:
        chen = find_actor(session, "chen")
    with house.work("gateway") as work:
        public = {"statement": "01S", "allowed": True, "datasets": [{"dataset": "tourism.stays", "version": 1}]}
        private = {"statement": Private({"sql": "SELECT 荔湾 FROM t"}, ("operator-a",))}
        work.record(Event(EventType.STATEMENT_INTENT, chen.pseudonym, "operator-a", "tourism-flow", public, private))
        index = work.commit()[0].index
    publisher.publish()
    return index


@pytest.fixture
def services(house: House, store: Store, tmp_path: Path) -> Services:
    settings = Settings(
        part="portal",
        demo=True,
        run_dir=tmp_path,
        hub_url="http://gongshu.localhost:8000/",
        portal_url=f"{ORIGIN}{PREFIX}/",
        store={"endpoint": store.endpoint, "key_file": store.key_file, "log_bucket": house.store._bucket},
    )
    return Services(
        settings=settings,
        clock=house.clock,
        sessions=house.sessions,
        vault=house.vault,
        opa=Opa("http://127.0.0.1:9", 100),
        store=store.client(),
        hub=Hub(settings),
        layout=Layout(settings),
    )


@pytest.fixture
def as_(services: Services, house: House, statement: int) -> Iterator[As]:
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


def test_a_regulator_finds_a_statement_and_its_proof(as_: As, statement: int) -> None:
    shen = as_("shen")
    query = {"person": "chen", "dataset": "tourism.stays", "from": "2026-11-22", "to": "2026-11-22"}
    found = shen.get(f"{PREFIX}/api/v1/log", params=query).json()
    assert [one["index"] for one in found["entries"]] == [statement]
    assert shen.get(f"{PREFIX}/api/v1/log", params={**query, "to": "2026-11-20"}).json()["total"] == 0
    entry = shen.get(f"{PREFIX}/api/v1/log/{statement}").json()
    assert entry["payloads"]["statement"]["sql"] == "SELECT 荔湾 FROM t"
    assert entry["proof"]["good"] and entry["proof"]["path"]
    page = shen.get(f"{PREFIX}/log", params=query)
    assert page.status_code == 200 and f"/log/{statement}" in page.text
    page = shen.get(f"{PREFIX}/log/{statement}")
    assert "SELECT 荔湾" in page.text and page.text.count("已验证") >= 3 and "验证失败" not in page.text


@pytest.mark.parametrize("path", ["/log", "/log?person=chen", "/log/{statement}"])
def test_the_pages_are_wholly_english_on_demand(as_: As, statement: int, path: str) -> None:
    page = as_("shen").get(f"{PREFIX}{path}".format(statement=statement), params={"lang": "en"})
    assert page.status_code == 200
    shown = re.sub(r'<(\w+)[^>]*lang="zh-CN".*?</\1>', "", page.text, flags=re.S)
    shown = re.sub(r"<(script|style|title)\b.*?</\1>|<pre.*?</pre>", "", shown, flags=re.S)
    assert not re.findall(r"[\u4e00-\u9fff]+", re.sub(r"<[^>]+>", "", shown))


def test_what_a_regulator_reads_is_logged(as_: As, statement: int) -> None:
    shen = as_("shen")
    shen.get(f"{PREFIX}/log/{statement}")
    newest = shen.get(f"{PREFIX}/api/v1/log", params={"event": "audit.log.read"}).json()["entries"][0]
    assert newest["public"] == {"entry": statement}


def test_a_company_reads_its_own_and_nothing_else(as_: As, statement: int) -> None:
    assert as_("chen").get(f"{PREFIX}/api/v1/log/{statement}").status_code == 200
    assert as_("zhou").get(f"{PREFIX}/api/v1/log/{statement}").status_code == 404
    assert as_("zhou").get(f"{PREFIX}/log/{statement}/receipt").status_code == 404
    assert as_("zhou").get(f"{PREFIX}/api/v1/log/{statement + 9999}").status_code == 404
    events = {one["event"] for one in as_("zhou").get(f"{PREFIX}/api/v1/log").json()["entries"]}
    assert "statement.intent.logged" not in events
    assert as_("tang").get(f"{PREFIX}/api/v1/log").status_code == 403


def test_a_receipt_from_the_page_stands_alone(as_: As, services: Services, statement: int, tmp_path: Path) -> None:
    answer = as_("chen").get(f"{PREFIX}/api/v1/log/{statement}/receipt")
    file, key = tmp_path / "receipt.tlog-proof", tmp_path / "key"
    file.write_bytes(answer.content)
    key.write_text(as_("chen").get(f"{PREFIX}/api/v1/log/checkpoint").json()["key"])
    assert verify(file, "--key", str(key), command="receipt")["ok"]
    assert base64.b64decode(answer.text.split("\n")[1][6:]).startswith(b'{"actor":')


def test_an_export_waits_for_its_checkpoint_and_verifies(as_: As, house: House, tmp_path: Path) -> None:
    """The publisher runs beside, as the worker does; the export covers the entry that says who exported."""
    publisher, stop = house.publisher(), threading.Event()
    publisher.open()

    def run() -> None:
        while not stop.wait(0.2):
            publisher.publish()

    beside = threading.Thread(target=run)
    beside.start()
    try:
        answer = as_("shen").get(f"{PREFIX}/api/v1/log/export")
    finally:
        stop.set()
        beside.join()
    (tmp_path / "log").mkdir()
    assert _unpack(Stream(iter([answer.content])), tmp_path / "log") > 10
    assert verify(tmp_path / "log")["ok"]
    bundle = max((tmp_path / "log" / "tile" / "entries").rglob("*"), key=lambda path: path.stat().st_size)
    assert b"audit.log.exported" in bundle.read_bytes()


def test_hub_and_doors_report_only_what_is_theirs(services: Services, statement: int) -> None:
    with TestClient(create_internal_app(services)) as hub:
        told = {"type": "sandbox.door.refused", "sandbox": "chen--tourism-flow", "public": {"code": "x", "times": 3}}
        assert hub.post("/internal/event", json=told).status_code == 200
        for bad in ({"type": "statement.intent.logged"}, {"sandbox": "../x"}, {"public": {"a": {"b": 1}}}):
            assert hub.post("/internal/event", json={**told, **bad}).status_code == 422


def test_every_page_says_when_the_log_takes_nothing(as_: As, house: House) -> None:
    assert "平台只能查看" not in as_("chen").get(f"{PREFIX}/me").text
    with house.sessions() as session:
        session.execute(text("UPDATE audit_publisher SET state = 'running', beat_at = now()"))  # with no lock held
        session.commit()
    page = as_("chen").get(f"{PREFIX}/me")
    assert page.status_code == 200 and "平台只能查看" in page.text
    assert as_("shen").get(f"{PREFIX}/api/v1/log").status_code == 503
