"""The sandbox house, once for all tests of this folder, and a browser for each person."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gongshu.cli.login import BrowserSession
from tests.integration.sandbox.house import PASSWORD, SandboxHouse, what_is_missing
from tests.parts.postgres import Postgres

OpenBrowser = Callable[[str], BrowserSession]


@pytest.fixture(scope="session")
def sandbox_house(short_folder: Path, postgres: Postgres) -> Iterator[SandboxHouse]:
    missing = what_is_missing()
    if missing:
        pytest.fail(f"the sandbox tests need {missing}")
    house = SandboxHouse(short_folder / f"s{secrets.token_hex(2)}", postgres)
    try:
        house.start()
        yield house
    finally:
        house.stop()


@pytest.fixture
def open_browser(sandbox_house: SandboxHouse) -> Iterator[OpenBrowser]:
    opened: list[BrowserSession] = []

    def make(name: str) -> BrowserSession:
        opened.append(BrowserSession(sandbox_house.hub_url, sandbox_house.portal_url, name, PASSWORD))
        return opened[-1]

    yield make
    for browser in opened:
        browser.close()
