"""Forged requests, limits, paging, formats, forms: the rules of the edge, without a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel, Field
from starlette.datastructures import Headers

from gongshu.errors import Denied, GongshuError, Invalid
from gongshu.portal import formats, language
from gongshu.portal.forms import parse
from gongshu.portal.headers import refuse_forged
from gongshu.portal.limits import DATASET_BYTES, DEFAULT_BYTES, limit_of
from gongshu.portal.login import _own_path
from gongshu.portal.pages import page_of

COOKIE = "gongshu-session"
ORIGIN = "http://portal--service.gongshu.localhost:8000"
SIBLING = "http://chen--tourism-flow.gongshu.localhost:8000"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"sec-fetch-site": "same-site", "origin": SIBLING}),
        ("POST", {"sec-fetch-site": "cross-site", "origin": "https://example.org"}),
        ("POST", {"sec-fetch-site": "none"}),
        ("POST", {"origin": SIBLING}),
        ("POST", {"origin": "null"}),
        ("POST", {}),
        ("DELETE", {"sec-fetch-site": "same-site"}),
        ("GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}),
        ("GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}),
    ],
)
def test_request_from_elsewhere_is_refused_when_it_carries_our_cookie(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(Denied):
        refuse_forged(method, Headers({"cookie": f"{COOKIE}=x", **headers}), COOKIE, ORIGIN)
    refuse_forged(method, Headers(headers), COOKIE, ORIGIN)  # without our cookie there is nothing to forge


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"sec-fetch-site": "same-origin"}),
        ("POST", {"origin": ORIGIN}),
        ("GET", {}),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}),
    ],
)
def test_own_pages_and_plain_links_pass(method: str, headers: dict[str, str]) -> None:
    refuse_forged(method, Headers({"cookie": f"{COOKIE}=x", **headers}), COOKIE, ORIGIN)


def test_two_session_cookies_or_a_token_beside_one_are_refused() -> None:
    tossed = {"cookie": f"{COOKIE}=x; {COOKIE}=y", "sec-fetch-site": "same-origin"}
    both = {"cookie": f"{COOKIE}=x", "authorization": "Bearer t", "sec-fetch-site": "same-origin"}
    for headers in (tossed, both):
        with pytest.raises(Invalid):
            refuse_forged("POST", Headers(headers), COOKIE, ORIGIN)


@pytest.mark.parametrize("path", ["//evil", "/\\evil", "https://evil", "evil", "/a\\b", "/a\nb", ""])
def test_login_never_leads_to_another_site(path: str) -> None:
    assert _own_path(path) == "/"
    assert _own_path("/datasets/tourism.stays") == "/datasets/tourism.stays"


def test_only_uploads_are_large() -> None:
    assert limit_of("/datasets") > DATASET_BYTES
    assert limit_of("/datasets/tourism.stays/versions") > DATASET_BYTES
    for path in ("/datasets/x/versions/1/sign-off", "/scenarios", "/datasets/../../etc", "/"):
        assert limit_of(path) == DEFAULT_BYTES


def test_pages_stay_within_the_list() -> None:
    assert (page_of({"page": "99"}, 250).number, page_of({"page": "-1"}, 250).number) == (3, 1)
    assert page_of({"page": "2", "q": "a b"}, 250).query(3) == "q=a+b&page=3"
    assert (page_of({}, 0).first, page_of({}, 0).last) == (0, 0)


def test_money_bytes_and_times_read_right() -> None:
    moment = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    assert "¥1,204,338.50" in formats.money(120433850) and "-¥0.05" in formats.money(-5)
    assert formats.size(2147483648) == "2.00 GiB" and formats.size(0) == "0 B"
    assert formats.minute(moment, "Asia/Shanghai") == "2026年11月22日 17:30"
    assert formats.remaining(moment + timedelta(hours=3, minutes=12), moment) == "还剩 3 小时 12 分"
    token = language.current.set("en")
    try:
        assert formats.minute(moment, "Asia/Shanghai") == "22 Nov 2026, 17:30"
        assert formats.remaining(moment - timedelta(minutes=5), moment) == "5 min ago"
    finally:
        language.current.reset(token)


class Sample(BaseModel):
    term_months: int = Field(le=60, ge=1)
    title: str = Field(min_length=1)


def test_wrong_fields_are_named_in_both_languages() -> None:
    with pytest.raises(GongshuError) as refused:
        parse(Sample, {"term_months": 61})
    fields = refused.value.details["fields"]
    assert isinstance(fields, dict)
    assert fields["term_months"] == {"zh": "不能大于 60", "en": "Must be 60 or less"}
    assert fields["title"]["en"] == "Fill this in"
