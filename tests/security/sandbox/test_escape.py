"""Attempts to get out of a sandbox: by the preflight's probe, from a kernel, through the doors, from the browser.

Each has its control: the same attempt outside succeeds, so that a broken probe cannot pass for a wall.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import Any

import pytest

from gongshu.cli.kernel import Kernel, Ran
from gongshu.cli.login import BrowserSession
from gongshu_hub import wire
from tests.integration.sandbox.conftest import OpenBrowser
from tests.integration.sandbox.house import SandboxHouse

SCENARIO = "tourism-flow"


def run(browser: BrowserSession, code: str) -> Ran:
    server = browser.start_sandbox(SCENARIO)
    with Kernel(browser, server, time.monotonic() + 90) as kernel:
        return kernel.run(code, lambda output: None)


def answer_of(browser: BrowserSession, code: str) -> Any:
    """Run code that prints one JSON value at the end."""
    ran = run(browser, "import json, os, socket\n" + code)
    assert not ran.raised, ran.outputs
    return json.loads("".join(output.get("text", "") for output in ran.outputs).splitlines()[-1])


@pytest.fixture
def report(sandbox_house: SandboxHouse) -> dict[str, Any]:
    asked = wire.ask(sandbox_house.folder / "keeper" / "control.sock", {"verb": "preflight"}, 90)
    return asyncio.run(asked)


def test_nothing_answers_the_probe_inside_and_the_controls_answer_outside(report: dict[str, Any]) -> None:
    assert report["passed"], report
    rows = {row["attempt"]: row for row in report["rows"]}
    assert [name for name, row in rows.items() if row["inside"]] == []
    controls = [name for name, row in rows.items() if row["outside"]]
    wanted = ["udp 192.0.2.1:53", "netlink", "processes of others", "network devices", "call unshare", "call keyctl"]
    wanted += [name for name in rows if name.startswith(("tcp 127.0.0.1", "path ", "abstract"))]
    assert [name for name in wanted if name not in controls] == []


def test_kernel_has_no_privilege_no_secret_and_no_inherited_descriptor(open_browser: OpenBrowser) -> None:
    said = answer_of(open_browser("chen"), """
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
kinds = sorted({os.readlink(f"/proc/self/fd/{n}").split(":")[0] for n in os.listdir("/proc/self/fd")
                if os.path.exists(f"/proc/self/fd/{n}")} - {"socket", "pipe", "anon_inode"})
print(json.dumps({"caps": status["CapEff"], "no_new": status["NoNewPrivs"], "filter": status["Seccomp"],
    "secrets": sorted(k for k in os.environ if "SECRET" in k or "PASSWORD" in k or "TOKEN" in k), "files": kinds,
    "users": sorted({os.stat(f"/proc/{p}").st_uid for p in os.listdir("/proc") if p.isdigit()})}))
""")  # fmt: skip
    assert said["caps"].strip("0") == "" and said["no_new"] == "1" and said["filter"] == "2"
    assert said["secrets"] == ["JUPYTERHUB_API_TOKEN"]
    assert said["users"] == [1000]
    assert [name for name in said["files"] if not name.startswith(("/dev/", "/home/", "/tmp/"))] == []


def test_kernel_writes_nowhere_but_home_and_tmp(open_browser: OpenBrowser) -> None:
    said = answer_of(open_browser("chen"), """
def can(path):
    try:
        open(path + "/x", "w").write("1"); return True
    except OSError:
        return False
places = ["/", "/usr", "/etc", "/opt/gongshu/venv", "/run/doors", "/dev", "/proc", "/home", "/home/chen", "/tmp"]
print(json.dumps([place for place in places if can(place)]))
""")  # fmt: skip
    assert said == ["/home/chen", "/tmp"]


def test_kernel_sees_the_doors_and_no_other_socket(sandbox_house: SandboxHouse, open_browser: OpenBrowser) -> None:
    house_socket = sandbox_house.folder / "hub" / "api.sock"
    with socket.socket(socket.AF_UNIX) as outside:
        outside.connect(str(house_socket))  # the control
    said = answer_of(open_browser("chen"), f"""
def can(path):
    try:
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(path); return True
    except OSError:
        return False
names = ["hub", "portal", "spark"]
doors = [can(f"/run/doors/{{name}}.sock") for name in names]
print(json.dumps([doors, can({str(house_socket)!r}), can("/run/dbus/system_bus_socket")]))
""")  # fmt: skip
    assert said == [[True, True, True], False, False]


ASK = """
import http.client
class Door(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX); self.sock.settimeout(10); self.sock.connect(self.host)
def ask(door, method, path, token=None, body=None):
    c = Door("/run/doors/" + door + ".sock")
    headers = {"Authorization": "Bearer " + token} if token else {}
    c.request(method, path, body, headers); r = c.getresponse(); r.read(); return r.status
mine = os.environ["JUPYTERHUB_API_TOKEN"]
"""


def test_hub_door_passes_its_few_calls_with_the_own_token_only(
    sandbox_house: SandboxHouse, open_browser: OpenBrowser
) -> None:
    theirs = answer_of(open_browser("huang"), 'print(json.dumps(os.environ["JUPYTERHUB_API_TOKEN"]))')
    said = answer_of(open_browser("chen"), ASK + f"""
print(json.dumps([ask("hub", "GET", "/hub/api/user", mine), ask("hub", "GET", "/hub/api/user", {theirs!r}),
    ask("hub", "GET", "/hub/api/users", mine),
    ask("hub", "POST", "/hub/api/users/chen--tourism-flow/tokens", mine, "{{}}"),
    ask("hub", "GET", "/hub/login", mine), ask("portal", "GET", "/api/v1/sandbox", mine),
    ask("portal", "GET", "/api/v1/sandbox", {theirs!r}), ask("portal", "GET", "/api/v1/agreements", mine),
    ask("portal", "POST", "/internal/spawn", mine, "{{}}")]))
""")  # fmt: skip
    assert said == [200, 401, 404, 404, 404, 200, 401, 404, 404]
    time.sleep(2.5)
    told = [one["public"] for one in sandbox_house.events() if one["type"] == "sandbox.door.refused"]
    assert {"hub", "portal"} <= {one["door"] for one in told}


SMUGGLES = [
    b"GET /hub/api/user HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    b"GET /hub/api/users HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /hub/api/user HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 0\r\n\r\nabc",
    b"GET /hub/api/user HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"GET /hub/api/user HTTP/1.1\nHost: x\n\n",
    b"GET http://hub/hub/api/users HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /hub/api/user\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /hub/api/user HTTP/1.1\r\nHost: x\r\nX: a\r\n b: c\r\n\r\n",
]


def test_smuggled_requests_reach_nobody(open_browser: OpenBrowser) -> None:
    said = answer_of(open_browser("chen"), f"""
def raw(data):
    with socket.socket(socket.AF_UNIX) as end:
        end.settimeout(3); end.connect("/run/doors/hub.sock"); end.sendall(data); out = b""
        try:
            while piece := end.recv(65536): out += piece
        except OSError:
            pass
        return out.decode("latin-1")
print(json.dumps([raw(one) for one in {SMUGGLES!r}]))
""")  # fmt: skip
    for answer in said:
        assert " 200 " not in answer, answer
        assert '"kind"' not in answer and "chen" not in answer


def test_browser_takes_no_file_out_and_the_refusal_says_how_to_ask(open_browser: OpenBrowser) -> None:
    browser = open_browser("chen")
    assert not run(browser, "open('secret.csv', 'w').write('row')").raised
    server = browser.start_sandbox(SCENARIO)
    assert browser.request("GET", server + "api/contents/secret.csv").status_code == 200  # shown, metered
    for path in ("files/secret.csv", "files/secret.csv?download=1", "nbconvert/script/a.ipynb", "view/secret.csv"):
        answer = browser.request("GET", server + path, headers={"Accept": "text/html"})
        assert answer.status_code == 403
        assert "gongshu.release_table" in answer.text and "row" not in answer.text.replace("browser", "")


def test_every_answer_carries_the_policy_that_keeps_scripts_from_other_hosts(open_browser: OpenBrowser) -> None:
    browser = open_browser("chen")
    server = browser.start_sandbox(SCENARIO)
    for path in ("lab", "api/status", "files/x", "static/nothing.js"):
        policy = browser.request("GET", server + path).headers["content-security-policy"]
        assert "connect-src 'self'" in policy and "default-src 'self'" in policy and "form-action 'self'" in policy


def test_own_server_inside_cannot_hand_out_attachments_or_foreign_cookies(open_browser: OpenBrowser) -> None:
    """Even an analyst who replaces the notebook server gets only what the door lets through."""
    browser = open_browser("chen")
    server = browser.start_sandbox(SCENARIO)
    answer = browser.request("GET", server + "evil/anything")
    assert answer.status_code == 404 and answer.json()["code"] == "door.not_listed"


def test_endless_bodies_and_many_connections_harm_only_their_own_sandbox(open_browser: OpenBrowser) -> None:
    """The doors serve everybody from one process: one tenant may fill neither its memory nor its descriptors."""
    neighbour = open_browser("huang")
    server = neighbour.start_sandbox(SCENARIO)
    said = answer_of(open_browser("chen"), """
with socket.socket(socket.AF_UNIX) as end:
    end.settimeout(5); end.connect("/run/doors/hub.sock")
    head = b"POST /hub/api/oauth2/token HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
    end.sendall(head + b"5\\r\\nabcde\\r\\n")
    first = end.recv(100).decode("latin-1")
opened = []
for _ in range(600):
    one = socket.socket(socket.AF_UNIX); one.settimeout(2)
    try:
        one.connect("/run/doors/portal.sock"); opened.append(one)
    except OSError:
        break
import time; time.sleep(1)
def is_open(one):
    one.setblocking(False)
    try:
        return one.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
print(json.dumps([first.split()[1], sum(map(is_open, opened))]))
""")  # fmt: skip
    assert said[0] == "400"
    assert 0 < said[1] <= 256
    assert neighbour.request("GET", server + "api/status").status_code == 200
