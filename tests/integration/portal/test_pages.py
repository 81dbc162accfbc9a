"""Every person's pages in both languages; nobody's session, another company's objects, forged requests."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import psycopg
import pytest
from fastapi.testclient import TestClient
from httpx import Response

from gongshu.clock import SettableClock
from gongshu.portal.edge import Services
from gongshu.portal.models import PortalSession
from tests.integration.portal.conftest import PEOPLE, PREFIX, Browse

HAN = re.compile(r"[\u3400-\u9fff]")
API = f"{PREFIX}/api/v1"
META = {
    "name": "tourism.hotels",
    "title_zh": "酒店名录",
    "title_en": "Hotels",
    "provider": "tourism",
    "legal_grade": "general",
    "sharing": "conditional",
    "opening": "conditional",
    "update_frequency": "monthly",
    "registration_code": "4401-0002",
    "registration_valid_until": "2027-03-01",
    "columns": [
        {"name": "select", "category": "business", "level": "L1"},
        {"name": "名称", "category": "organisation", "level": "L2", "comment_zh": "酒店", "comment_en": "Hotel"},
    ],
}
FILE = "select,名称\n1,甲\n2,乙\n".encode()


class English(HTMLParser):
    """Collects Han outside elements that say they are Chinese."""

    VOID = frozenset({"input", "br", "img", "link", "meta", "hr", "path", "rect", "line", "polyline"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[bool] = [False]
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        chinese = self.stack[-1] or any(name == "lang" and (value or "").startswith("zh") for name, value in attrs)
        if not chinese:
            self.found += [value for name, value in attrs if value and name != "value" and HAN.search(value)]
        if tag not in self.VOID:
            self.stack.append(chinese)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            self.stack.pop()

    def handle_data(self, data: str) -> None:
        if not self.stack[-1] and HAN.search(data):
            self.found.append(data.strip())


def register(browse: Browse, **changes: object) -> Response:
    data = {"meta": json.dumps({**META, **changes})}
    files = {"file": ("../../hotels.csv", io.BytesIO(FILE), "text/csv")}
    return browse("luo").post(f"{API}/datasets", data=data, files=files)


def links_of(answer: Response) -> set[str]:
    found = set(re.findall(r'href="(/services/portal[^"#?]*)"', answer.text))
    return {path for path in found if "/static/" not in path and not path.endswith(("/login", "/logout"))}


def test_every_page_within_reach_opens_and_is_all_english_when_asked(browse: Browse) -> None:
    assert register(browse).status_code == 201
    browse("jiang").post(f"{API}/datasets/tourism.hotels/versions/1/sign-off")
    faults: dict[str, list[str]] = {}
    for name, _role, _place in PEOPLE:
        client = browse(name)
        client.cookies.set("gongshu-language", "en", domain="portal--service.gongshu.localhost")
        for path, answer in walk(client, 25):
            found = English(answer.text).found
            if answer.status_code != 200 or found or 'lang="en"' not in answer.text:
                faults.setdefault(path, []).extend([name, str(answer.status_code), *found])
            assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert faults == {}


def walk(client: TestClient, limit: int) -> Iterator[tuple[str, Response]]:
    """The pages that the person reaches by links from the home page."""
    waiting: list[str] = [f"{PREFIX}/", f"{PREFIX}/help"]
    seen: set[str] = set()
    while waiting and len(seen) < limit:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = client.get(path)
        if "text/html" in answer.headers.get("content-type", ""):
            yield path, answer
            waiting += sorted(links_of(answer) - seen)


def test_stranger_is_sent_to_log_in_and_a_program_gets_401(browse: Browse) -> None:
    stranger = browse(None)
    assert stranger.get(f"{PREFIX}/datasets").headers["location"] == f"{PREFIX}/login?next=/datasets"
    refused = stranger.get(f"{API}/datasets")
    assert (refused.status_code, refused.json()["code"]) == (401, "session.none")
    assert stranger.get(f"{PREFIX}/register").status_code == 200


def test_registration_through_the_api_and_what_others_see_of_it(browse: Browse) -> None:
    made = register(browse)
    assert made.status_code == 201 and made.json()["state"] == "prepared"
    assert browse("chen").get(f"{API}/datasets/tourism.hotels").status_code == 404
    assert browse("deng").get(f"{API}/datasets/tourism.hotels").status_code == 404
    assert register(browse).json()["code"] == "catalogue.dataset.exists"
    own = browse("luo").post(f"{API}/datasets/tourism.hotels/versions/1/sign-off")
    assert own.status_code == 403
    signed = browse("jiang").post(f"{API}/datasets/tourism.hotels/versions/1/sign-off").json()
    assert signed["state"] == "signed-off" and signed["log_index"] > 0
    assert browse("chen").get(f"{API}/datasets/tourism.hotels").json()["rows"] == 2


@pytest.mark.parametrize("name", ["'; DROP TABLE x; --", "a.b.c", "../x.y", "A.b", "tourism"])
def test_dataset_name_is_checked_before_the_file_is_kept(browse: Browse, name: str) -> None:
    refused = register(browse, name=name)
    assert refused.status_code == 422
    assert "name" in refused.json()["details"]["fields"]


def test_page_form_keeps_what_was_typed_and_names_the_fault(browse: Browse) -> None:
    values = {key: value for key, value in META.items() if isinstance(value, str)}
    answer = browse("luo").post(
        f"{PREFIX}/datasets", data={**values, "entity_column": "nobody"}, files={"file": ("x.csv", FILE, "text/csv")}
    )
    assert answer.status_code == 422
    assert (
        "ds-error-summary" in answer.text and "酒店名录" in answer.text and 'href="#field-entity_column"' in answer.text
    )


def test_draft_is_described_on_the_page_then_returned_then_signed(browse: Browse) -> None:
    values = {key: value for key, value in META.items() if isinstance(value, str)}
    luo, jiang = browse("luo"), browse("jiang")
    made = luo.post(f"{PREFIX}/datasets", data=values, files={"file": ("x.csv", FILE, "text/csv")})
    place = f"{PREFIX}/datasets/tourism.hotels/versions/1"
    assert (made.status_code, made.headers["location"]) == (303, f"{place}/columns")
    half = {"category-0": "business", "level-0": "L1", "level-1": "L2"}
    assert luo.post(f"{place}/columns", data=half).status_code == 422
    whole = {**half, "category-1": "organisation", "comment_zh-1": "酒店"}
    assert luo.post(f"{place}/columns", data=whole).status_code == 303
    assert "轮到您签核" in jiang.get(place).text and "轮到您签核" not in luo.get(place).text
    assert jiang.post(f"{place}/return", data={"reason": ""}).status_code == 422
    assert jiang.post(f"{place}/return", data={"reason": "级别过低"}).status_code == 303
    assert "级别过低" in luo.get(f"{place}/columns").text
    assert luo.post(f"{place}/columns", data=whole).status_code == 303
    assert jiang.post(f"{place}/sign-off").status_code == 303
    assert jiang.post(f"{place}/sign-off").status_code == 409


def test_sibling_site_cannot_act_for_the_person(browse: Browse) -> None:
    register(browse)
    client = browse("jiang")
    headers = {"Sec-Fetch-Site": "same-site", "Origin": "http://chen--tourism-flow.gongshu.localhost:8000"}
    refused = client.post(f"{API}/datasets/tourism.hotels/versions/1/sign-off", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "request.forged")
    assert browse("luo").get(f"{API}/datasets/tourism.hotels").json()["state"] == "prepared"


def test_sandbox_token_reaches_no_page_of_a_person(browse: Browse) -> None:
    refused = browse(None).get(f"{API}/datasets", headers={"Authorization": "Bearer x"})
    assert (refused.status_code, refused.json()["code"]) == (403, "session.token.not_here")


def test_session_ends_by_idling_and_by_logging_out(browse: Browse, clock: SettableClock, services: Services) -> None:
    client = browse("liang")
    for _step in range(3):
        clock.moment += timedelta(minutes=29)
        assert client.get(f"{API}/me").status_code == 200
    clock.moment += timedelta(minutes=31)
    assert client.get(f"{API}/me").status_code == 401
    client = browse("liang")
    assert client.post(f"{PREFIX}/logout").status_code == 303
    assert client.get(f"{API}/me").status_code == 401
    with services.sessions() as session:
        assert all(len(row.id_hash) == 32 for row in session.query(PortalSession))


def test_two_gibibytes_are_refused_before_they_are_read(browse: Browse) -> None:
    refused = browse("luo").post(f"{API}/datasets", headers={"Content-Length": str(2 << 30)}, content=b"")
    assert (refused.status_code, refused.json()["code"]) == (413, "request.too_large")
    assert browse("luo").post(f"{API}/me", content=b"x" * (2 << 20)).status_code == 413


def test_login_goes_to_the_hub_with_state_and_pkce_and_refuses_another_state(browse: Browse) -> None:
    client = browse(None)
    begun = client.get(f"{PREFIX}/login?next=/datasets")
    assert begun.headers["location"].startswith("http://gongshu.localhost:8000/hub/api/oauth2/authorize?")
    assert "code_challenge_method=S256" in begun.headers["location"]
    assert client.get(f"{PREFIX}/oauth_callback?code=x&state=other").status_code == 401
    assert browse(None).get(f"{PREFIX}/oauth_callback?code=x&state=y").status_code == 401


def test_database_down_is_a_sentence_on_the_page_and_in_the_api(browse: Browse, services: Services) -> None:
    client = browse("luo")
    engine = services.sessions.kw["bind"]
    engine.dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.pool, "_creator", refuse)
        page, answer = client.get(f"{PREFIX}/datasets"), client.get(f"{API}/datasets")
    assert (page.status_code, answer.status_code) == (503, 503)
    assert "数据库暂时不可用" in page.text and answer.json()["code"] == "unavailable.database"
    assert client.get(f"{API}/datasets").status_code == 200


def refuse(*_arguments: object) -> None:
    raise psycopg.OperationalError("connection refused")
