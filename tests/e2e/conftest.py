"""A real browser (Debian's Chromium) in front of the whole house; screenshots are kept as artefacts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.parts.live import Live
from tests.parts.places import ROOT

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHOTS = ROOT / ".run" / "screenshots"
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module only: Playwright's loop runs in this thread, and asyncio.run refuses beside it."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing; `make test` installs it as root, or prints the line that does"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@dataclass
class Seat:
    """One person in front of their own browser profile."""

    name: str
    live: Live
    context: BrowserContext
    page: Page

    def open(self, path: str) -> None:
        """Open a page of the portal, logging in when asked. path: without prefix, without leading slash."""
        self.page.goto(self.live.portal + path)
        if self.page.locator("#password_input").count():
            self.page.fill("#username_input", self.name)
            self.page.fill("#password_input", self.live.password(self.name))
            self.page.click("#login_submit")
            self.page.wait_for_url(self.live.portal + "**")
            if not self.page.url.startswith(self.live.portal + path):
                self.page.goto(self.live.portal + path)

    def shot(self, name: str) -> Path:
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path


@pytest.fixture
def sit(live: Live, browser: Browser) -> Iterator[SitDown]:
    """Put a person in front of a fresh browser: ``sit("chen")``."""
    seats: list[Seat] = []

    def down(name: str, *, width: int = 1280, language: str = "zh-CN", scripts: bool = True) -> Seat:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            locale=language,
            java_script_enabled=scripts,
            accept_downloads=True,
        )
        seat = Seat(name, live, context, context.new_page())
        seats.append(seat)
        return seat

    yield down
    for seat in seats:
        seat.context.close()


class SitDown:
    """The shape of `sit`."""

    def __call__(self, name: str, *, width: int = 1280, language: str = "zh-CN", scripts: bool = True) -> Seat: ...
