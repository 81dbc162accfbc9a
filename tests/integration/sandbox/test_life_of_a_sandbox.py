"""Start, use, stop, resume; the Hub and the doors may restart; a freeze shuts everything in two seconds."""

from __future__ import annotations

import contextlib
import time

import pytest

from gongshu.cli.kernel import Kernel, Ran
from gongshu.cli.login import BrowserSession
from gongshu.errors import Denied, GongshuError, Unauthenticated, Unavailable
from tests.integration.sandbox.conftest import OpenBrowser
from tests.integration.sandbox.house import SandboxHouse

SCENARIO = "tourism-flow"


def run(browser: BrowserSession, server: str, code: str) -> Ran:
    with Kernel(browser, server, time.monotonic() + 60) as kernel:
        return kernel.run(code, lambda output: None)


def text_of(ran: Ran) -> str:
    return "".join(output.get("text", "") for output in ran.outputs)


def test_wrong_password_is_refused_and_a_sandbox_name_cannot_log_in(
    sandbox_house: SandboxHouse, open_browser: OpenBrowser
) -> None:
    wrong = BrowserSession(sandbox_house.hub_url, sandbox_house.portal_url, "chen", "not it")
    with pytest.raises(Unauthenticated):
        wrong.login()
    with pytest.raises(Unauthenticated):
        open_browser("chen--tourism-flow").login()


def test_a_refused_start_names_sentence_clause_and_next_step(open_browser: OpenBrowser) -> None:
    with pytest.raises(Denied) as refused:
        open_browser("zhou").start_sandbox("expired-pilot")
    assert refused.value.code == "authorization.term.over"
    assert "授权期限已过" in refused.value.message.zh and "第九条" in refused.value.message.zh
    assert refused.value.next_step is not None and "运营负责人" in refused.value.next_step.zh


def test_a_scenario_of_somebody_else_reads_as_absent(open_browser: OpenBrowser) -> None:
    answer = open_browser("chen")
    answer.login()
    foreign = answer.request("GET", answer.hub_url + "hub/sandbox/somebody-elses")
    nonsense = answer.request("GET", answer.hub_url + "hub/sandbox/no--such")
    assert (foreign.status_code, nonsense.status_code) == (404, 404)


def test_first_cell_runs_as_nobody_special_with_spark_and_gongshu_ready(open_browser: OpenBrowser) -> None:
    browser, steps = open_browser("chen"), []
    server = browser.start_sandbox(SCENARIO, steps.append)
    ran = run(browser, server, "import os\nprint(os.getuid(), spark, gongshu.__name__, '%%sql' and 'sql')")
    assert not ran.raised
    assert text_of(ran).startswith("1000 <Spark")
    assert any("隔离" in step for step in steps)


def test_home_is_kept_when_the_sandbox_stops(open_browser: OpenBrowser) -> None:
    browser = open_browser("huang")
    server = browser.start_sandbox(SCENARIO)
    assert not run(browser, server, "open('kept.txt', 'w').write('mine')").raised
    browser.stop_sandbox(SCENARIO)
    again = open_browser("huang")
    server = again.start_sandbox(SCENARIO)
    assert text_of(run(again, server, "print(open('kept.txt').read(), __import__('os').listdir('/home'))")) == (
        "mine ['huang']\n"
    )


def test_nobody_enters_or_starts_the_sandbox_of_somebody_else(
    sandbox_house: SandboxHouse, open_browser: OpenBrowser
) -> None:
    owner, stranger = open_browser("chen"), open_browser("huang")
    server = owner.start_sandbox(SCENARIO)
    stranger.login()
    entered = stranger.request("GET", server + "api/contents")
    started = stranger.request("GET", sandbox_house.hub_url + "hub/spawn/chen--tourism-flow")
    assert entered.status_code in {403, 404}
    assert started.status_code in {403, 404}
    assert owner.request("GET", server + "api/contents").status_code == 200  # the control


def test_a_person_can_neither_make_tokens_nor_start_a_server_of_another_name(
    sandbox_house: SandboxHouse, open_browser: OpenBrowser
) -> None:
    browser = open_browser("chen")
    browser.start_sandbox(SCENARIO)
    hub = sandbox_house.hub_url + "hub/api/users/"
    xsrf = {"X-XSRFToken": browser.xsrf_of(sandbox_house.hub_url + "hub/")}
    assert browser.request("POST", hub + "chen/tokens", json={}, headers=xsrf).status_code in {403, 404}
    assert browser.request("POST", hub + "chen--tourism-flow/tokens", json={}, headers=xsrf).status_code in {403, 404}
    assert browser.request("POST", hub + "chen/server", json={}, headers=xsrf).status_code in {403, 404}
    assert browser.request("GET", hub.rstrip("/"), headers=xsrf).status_code == 403


def test_sandbox_survives_a_restart_of_the_hub_and_of_the_doors(
    sandbox_house: SandboxHouse, open_browser: OpenBrowser
) -> None:
    browser = open_browser("chen")
    server = browser.start_sandbox(SCENARIO)
    code = "print(open('/proc/1/stat').read().split()[21])"  # when this sandbox's first process began
    before = text_of(run(browser, server, code))
    sandbox_house.stop_part("hub")
    assert text_of(run(browser, server, code)) == before  # works while the Hub is away
    sandbox_house.stop_part("doors")
    sandbox_house.start_part("doors")
    sandbox_house.start_part("hub")
    sandbox_house.wait_for_hub()
    assert text_of(run(browser, browser.start_sandbox(SCENARIO), code)) == before


def test_a_freeze_shuts_doors_and_websockets_within_two_seconds(
    sandbox_house: SandboxHouse, open_browser: OpenBrowser
) -> None:
    browser = open_browser("chen")
    server = browser.start_sandbox(SCENARIO)
    with Kernel(browser, server, time.monotonic() + 60) as kernel:
        kernel.run("1", lambda output: None)
        sandbox_house.close("chen", SCENARIO)
        began = time.monotonic()
        with pytest.raises(Unavailable):  # the websocket is cut under the running cell
            kernel.run("import time; time.sleep(30)", lambda output: None)
        assert time.monotonic() - began < 2.0
    with contextlib.suppress(GongshuError):  # no door, no answer
        assert browser.request("GET", server + "lab").status_code >= 400
    sandbox_house.reopen()
