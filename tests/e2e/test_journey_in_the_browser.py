"""The journey as people make it, in a real browser: login → spawn → cell → release request → two reviews → download."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SitDown
from tests.parts.live import Live
from tests.parts.places import ROOT

pytestmark = pytest.mark.live

CELL = """
import gongshu
spark.table("transit.trips").groupBy("district").count().orderBy("district").show()
trips = spark.table("transit.trips")
made = gongshu.release_table(trips, by=["district", "hour"], measures={"trips": "count(*)"}, title="地铁客流")
print("asked for", made.release)
"""


def _start_lab(page: Page) -> None:
    """From the Hub's start page into a Lab that can be used."""
    button = page.locator("main button, main input[type=submit]").first
    if "/lab" not in page.url:
        button.click()
    page.wait_for_url(re.compile(r"/lab"), timeout=90_000)
    expect(page.locator("#jp-main-dock-panel")).to_be_visible(timeout=60_000)


def _run_cell(page: Page, code: str) -> None:
    page.goto(page.url.split("?")[0] + "?reset")  # no notebook of an earlier visit is open
    page.locator(".jp-LauncherCard[data-category='Notebook'], .jp-LauncherCard").first.click()
    cell = page.locator(".jp-Notebook .jp-Cell .cm-content").first
    cell.wait_for(timeout=60_000)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
    prompt = page.locator(".jp-Notebook .jp-Cell .jp-InputPrompt").first
    for _attempt in range(4):  # Lab may still be loading the new notebook and drop what was typed too early
        cell.click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(code)
        page.keyboard.press("Control+Enter")
        try:
            expect(prompt).to_contain_text(re.compile(r"\[(\*|[0-9]+)\]"), timeout=8_000)
            return
        except AssertionError:
            continue
    raise AssertionError("the cell never ran")


def test_login_to_download_with_a_certificate_that_verifies(live: Live, sit: SitDown, tmp_path: Path) -> None:
    huang = sit("huang")  # the journey left no sandbox of hers running: the browser starts it
    huang.open("sandboxes")
    huang.shot("sandboxes")
    huang.page.locator("section", has_text="tourism-flow").get_by_role("link", name="打开沙箱").click()
    expect(huang.page.locator("body")).to_contain_text("全域旅游客流分析")
    huang.shot("spawn")
    _start_lab(huang.page)
    assert huang.page.url.startswith("http://huang--tourism-flow.")
    _run_cell(huang.page, CELL)
    output = huang.page.locator(".jp-OutputArea-output", has_text="asked for")
    expect(output.first).to_be_visible(timeout=120_000)
    huang.shot("lab")
    found = re.search(r"asked for (\S+)", output.first.inner_text())
    assert found
    number = found[1]

    huang.open(f"releases/{number}")
    huang.page.get_by_role("button", name="提交出域申请").click()
    expect(huang.page.locator("main")).to_contain_text("审核中")
    huang.shot("release")

    for name in ("tang", "pan"):
        reviewer = sit(name)
        reviewer.open("reviews")
        reviewer.page.get_by_role("link", name=number).first.click()
        expect(reviewer.page.locator("main")).to_contain_text("我的意见")
        reviewer.page.locator("input[value=approve]").first.check()
        if reviewer.page.locator("textarea[name=override]").count():
            reviewer.page.fill("textarea[name=override]", "仅含合计,风险可控。")
        reviewer.page.fill("textarea[name=comment]", "同意出域。")
        reviewer.shot(f"review-{name}")
        reviewer.page.get_by_role("button", name="提交审核意见").click()
        expect(reviewer.page.locator("main")).not_to_contain_text("提交后不能更改")

    huang.open(f"releases/{number}")
    expect(huang.page.locator("main")).to_contain_text("已出域")
    with huang.page.expect_download() as waiting:
        huang.page.get_by_role("button", name="下载第 1 项").click()
    item = tmp_path / "item.csv"
    waiting.value.save_as(item)
    assert item.read_text(encoding="utf-8-sig").startswith("district,hour,trips")

    answer = live.gongshu("huang", "api", "--as", "huang", "GET", f"/api/v1/certificates/{number}")
    status, _newline, body = answer.stdout.partition("\n")
    assert status == "200"
    certificate = tmp_path / "certificate.json"
    certificate.write_text(body)
    verifier = [sys.executable, str(ROOT / "verify" / "gongshu_verify.py"), "certificate", str(certificate)]
    assert subprocess.run([*verifier, "--item", str(item)]).returncode == 0
    item.write_bytes(item.read_bytes().replace(b"district", b"districts", 1))
    assert subprocess.run([*verifier, "--item", str(item)], stdout=subprocess.DEVNULL).returncode == 1
    assert json.loads(body)


def test_another_operators_analyst_sees_nothing_of_it(live: Live, sit: SitDown) -> None:
    zhou = sit("zhou")
    zhou.open("scenarios/tourism-flow")
    expect(zhou.page.locator("main")).to_contain_text("没有应用场景 tourism-flow")
    zhou.open("scenarios/no-such-thing")  # what is another's and what does not exist read the same
    expect(zhou.page.locator("main")).to_contain_text("没有应用场景 no-such-thing")
    zhou.page.goto(live.hub + "hub/sandbox/tourism-flow")
    expect(zhou.page.locator("body")).not_to_contain_text("全域旅游客流分析")
    for path in ("/api/v1/scenarios/tourism-flow", "/api/v1/releases/R-2026-0001"):
        assert live.gongshu("zhou", "api", "--as", "zhou", "GET", path).stdout.startswith("404")
