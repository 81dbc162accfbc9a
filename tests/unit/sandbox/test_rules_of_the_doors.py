"""What passes each door, with its nearest refusal beside it; the naming rule; the system-call filter's shape."""

from __future__ import annotations

import struct

import pytest

from gongshu_hub.doors.passing import answer_headers, policy, request_headers
from gongshu_hub.doors.rules import refuse_hub, refuse_inbound, refuse_portal
from gongshu_hub.naming import parse, sandbox_name, subdomain
from gongshu_hub.seccomp import DENIED, UnknownMachine, as_container_profile, filter_program

PREFIX = "/user/chen--tourism-flow/"

INBOUND = [
    # method, path, websocket, code of the refusal or None
    ("GET", "lab", False, None),
    ("GET", "lab/tree/%E5%AE%A2%E6%B5%81.ipynb", False, None),
    ("GET", "api/contents/a.ipynb?content=1", False, None),
    ("PUT", "api/contents/a.ipynb", False, None),
    ("GET", "static/lab/main.js?v=1", False, None),
    ("GET", "files/a.csv", False, "door.exit"),
    ("GET", "fil%65s/a.csv", False, "door.exit"),
    ("GET", "FILES/a.csv", False, "door.exit"),
    ("GET", "nbconvert/html/a.ipynb", False, "door.exit"),
    ("GET", "view/a.html", False, "door.exit"),
    ("GET", "directories/a", False, "door.exit"),
    ("GET", "proxy/8080/", False, "door.exit"),
    ("GET", "lab/tree/a?download=1", False, "door.exit"),
    ("GET", "api/contents/a?%64ownload=1", False, "door.exit"),
    ("GET", "lab/%2e%2e/files/a.csv", False, "door.malformed"),
    ("GET", "lab/..%2ffiles/a.csv", False, "door.malformed"),
    ("GET", "lab%252f..%252ffiles/a", False, "door.malformed"),
    ("GET", "lab//files/a", False, "door.malformed"),
    ("GET", "lab\\files\\a", False, "door.malformed"),
    ("GET", "evil/route", False, "door.not_listed"),
    ("TRACE", "lab", False, "door.malformed"),
    ("GET", "api/kernels/0a1b-2c/channels?session_id=x", True, None),
    ("GET", "api/kernels/0a1b-2c/other", True, "door.not_listed"),
    ("GET", "terminals/websocket/1", True, None),
    ("GET", "evil/websocket", True, "door.not_listed"),
]


@pytest.mark.parametrize(("method", "path", "websocket", "code"), INBOUND)
def test_inbound_door(method: str, path: str, websocket: bool, code: str | None) -> None:
    refusal = refuse_inbound(method, PREFIX + path, PREFIX, websocket)
    assert (refusal.code if refusal else None) == code


def test_inbound_door_knows_only_its_own_sandbox() -> None:
    assert refuse_inbound("GET", "/user/chen--other/lab", PREFIX, False) is not None
    assert refuse_inbound("GET", "/hub/home", PREFIX, False) is not None
    assert refuse_inbound("GET", "http://elsewhere/user/chen--tourism-flow/lab", PREFIX, False) is not None


HUB = [
    ("GET", "/hub/api", True),
    ("GET", "/hub/api/user", True),
    ("POST", "/hub/api/oauth2/token", True),
    ("POST", "/hub/api/users/chen--tourism-flow/activity", True),
    ("POST", "/hub/api/users/huang--tourism-flow/activity", False),
    ("GET", "/hub/api/users", False),
    ("GET", "/hub/api/user?include=all", False),
    ("GET", "/hub/api//user", False),
    ("GET", "/hub/api/user/", False),
    ("POST", "/hub/api/user", False),
    ("GET", "/hub/api/users/chen--tourism-flow/../../user", False),
    ("POST", "/hub/api/users/chen--tourism-flow/tokens", False),
    ("DELETE", "/hub/api/users/chen--tourism-flow/server", False),
]


@pytest.mark.parametrize(("method", "target", "passes"), HUB)
def test_hub_door(method: str, target: str, passes: bool) -> None:
    assert (refuse_hub(method, target, "chen--tourism-flow") is None) == passes


PORTAL = [
    ("GET", "/api/v1/sandbox", True),
    ("GET", "/api/v1/sandbox/releases", True),
    ("POST", "/api/v1/sandbox/releases/R-2026-0001/submit", True),
    ("POST", "/api/v1/sandbox/releases/R-2026-0001/../x/submit", False),
    ("POST", "/api/v1/sandbox/releases/R%2f1/submit", False),
    ("POST", "/api/v1/releases/R-2026-0001/submit", False),
    ("GET", "/api/v1/releases/R-2026-0001/items/1/content", False),
    ("POST", "/api/v1/agreements/1/sign", False),
    ("POST", "/api/v1/reviews/1/vote", False),
    ("GET", "/api/v1/sandbox?x=1", False),
    ("GET", "/internal/spawn", False),
]


@pytest.mark.parametrize(("method", "target", "passes"), PORTAL)
def test_portal_door(method: str, target: str, passes: bool) -> None:
    assert (refuse_portal(method, target) is None) == passes


def test_the_inside_can_set_no_cookie_for_others_and_no_weaker_policy() -> None:
    said = [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=1; Domain = gongshu.localhost")]
    from multidict import CIMultiDict

    inside = CIMultiDict([*said, ("Content-Security-Policy", "default-src *"), ("X-Kept", "1")])
    sent = answer_headers(inside, "http://gongshu.localhost")
    assert sent.getall("Set-Cookie") == ["a=1; Path=/"]
    assert sent.getall("Content-Security-Policy") == [policy("http://gongshu.localhost")]
    assert "connect-src 'self'" in sent["Content-Security-Policy"]
    assert sent["X-Kept"] == "1"


def test_the_inside_never_sees_the_cookies_of_hub_and_portal() -> None:
    given = [("Cookie", "_xsrf=1; jupyterhub-session-id=2; gongshu-session=3; own=4"), ("Connection", "close")]
    sent = request_headers(given, "chen--tourism-flow.gongshu.localhost")
    assert sent["Cookie"] == "_xsrf=1; own=4"
    assert "Connection" not in sent


@pytest.mark.parametrize(
    ("person", "scenario", "name"),
    [
        ("chen", "tourism-flow", "chen--tourism-flow"),
        ("he", "a", "he--a"),
        ("chen", "service", None),  # portal--service is the portal's host
        ("chen--x", "a", None),
        ("chen", "a--b", None),
        ("Chen", "a", None),
        ("chen", "../x", None),
        ("chen", "a" * 60, None),
    ],
)
def test_name_of_a_sandbox(person: str, scenario: str, name: str | None) -> None:
    made = sandbox_name(person, scenario)
    assert (str(made) if made else None) == name
    if made:
        assert parse(str(made)) == made


def test_each_sandbox_has_a_host_of_its_own() -> None:
    assert subdomain("he--a", "gongshu.localhost", "user") == "he--a.gongshu.localhost"
    assert subdomain("portal", "gongshu.localhost", "service") == "portal--service.gongshu.localhost"


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filter_ends_in_allow_and_every_jump_stays_inside(machine: str) -> None:
    program = filter_program(machine)
    steps = [struct.unpack("<HBBI", program[at : at + 8]) for at in range(0, len(program), 8)]
    assert steps[-1] == (0x06, 0, 0, 0x7FFF0000)
    assert len(steps) < 4096
    for at, (code, yes, no, _) in enumerate(steps):
        if code & 0x07 == 0x05:
            assert at + 1 + max(yes, no) < len(steps)


def test_no_filter_means_no_sandbox() -> None:
    with pytest.raises(UnknownMachine):
        filter_program("mips")


def test_container_profile_is_the_same_list() -> None:
    first = as_container_profile()["syscalls"]
    assert isinstance(first, list) and first[0]["names"] == sorted(DENIED)
