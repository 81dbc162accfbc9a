"""The day's budget of a screen, in a real sandbox: said at four fifths, cut at the last byte, kept over a new start."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gongshu.cli.kernel import Kernel, Ran
from gongshu.errors import GongshuError
from tests.integration.sandbox.conftest import OpenBrowser
from tests.integration.sandbox.house import SandboxHouse

SMALL = "small-screen"  # 4 MiB a day
MESSAGE = "from IPython.display import display, HTML; display(HTML('x' * {size}))"


def run(kernel: Kernel, code: str) -> str:
    ran: Ran = kernel.run(code, lambda output: None)
    return "".join(str(output.get("text", "")) for output in ran.outputs)


def wait_for(house: SandboxHouse, code: str) -> list[dict[str, Any]]:
    """Refusals are reported every second."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if found := [event for event in house.events() if event["public"].get("code") == code]:
            return found
        time.sleep(0.2)
    return []


def test_said_at_four_fifths_then_cut_and_still_cut_after_a_new_start(
    sandbox_house: SandboxHouse, open_browser: OpenBrowser
) -> None:
    browser = open_browser("wu")
    server = browser.start_sandbox(SMALL)
    with Kernel(browser, server, time.monotonic() + 60) as kernel:
        half, near, after, later = (
            run(kernel, code) for code in (MESSAGE.format(size=2 << 20), MESSAGE.format(size=1_400_000), "1", "1")
        )
        assert "80%" not in half + later  # the control, and only once
        assert "80%" in near + after
        assert browser.request("GET", server + "api/status").status_code == 200
        with pytest.raises(GongshuError):
            run(kernel, MESSAGE.format(size=1 << 20))
    page = browser.request("GET", server + "lab", headers={"Accept": "text/html"})
    assert page.status_code == 429 and "明日零时" in page.text and "gongshu.release_table" in page.text
    assert wait_for(sandbox_house, "door.shown_out")
    browser.stop_sandbox(SMALL)
    stopped = [event for event in sandbox_house.events() if event["type"] == "sandbox.server.stopped"]
    assert stopped[-1]["public"]["shown_bytes_today"] == 4 << 20
    sandbox_house.stop_part("doors")
    sandbox_house.start_part("doors")
    assert open_browser("lin").start_sandbox("tourism-flow")  # the control: the doors are up and others go on
    with pytest.raises(GongshuError):
        browser.start_sandbox(SMALL)


def test_one_message_that_is_too_large_is_refused_and_said_and_work_goes_on(
    sandbox_house: SandboxHouse, open_browser: OpenBrowser
) -> None:
    browser = open_browser("lin")
    with Kernel(browser, browser.start_sandbox("tourism-flow"), time.monotonic() + 60) as kernel:
        assert run(kernel, MESSAGE.format(size=8 << 20)) == ""  # the control: shown, nothing said
        with pytest.raises(GongshuError):
            run(kernel, MESSAGE.format(size=17 << 20))
        kernel.connect_again()
        assert "单条上限" in run(kernel, "1")
    assert wait_for(sandbox_house, "door.too_big")
