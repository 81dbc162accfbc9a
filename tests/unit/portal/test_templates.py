"""What the Content-Security-Policy forbids is in no template, and the assets are those that were reviewed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gongshu.portal import assets, charts, layout
from gongshu.portal.charts import Series
from gongshu.portal.status import STATUSES

TEMPLATES = sorted((Path(layout.__file__).parent / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_inline_style_or_handler_and_every_script_has_the_nonce(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", text)
    assert all("nonce=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert "|safe" not in text and "http://" not in text and "https://" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_form_posts_to_our_own_pages(path: Path) -> None:
    for form in re.findall(r"<form[^>]*>", path.read_text()):
        assert 'method="get"' in form or 'action="{{ url(' in form, form


def test_charts_hold_no_style_and_carry_their_numbers() -> None:
    drawn = [
        charts.bars("t", ["甲<b>", "乙"], [3, 0]),
        charts.lines("t", ["1", "2"], [Series("x", [1, 2]), Series("y", [0, 0])]),
        charts.stacked("t", ["甲", "乙"], [1, 3]),
    ]
    for one in drawn:
        assert "style=" not in one and "<table" in one and "<b>" not in one
    assert 'aria-label="近"' in charts.meter(3, 2, "近")


def test_icons_of_statuses_are_built_in() -> None:
    assert {icon for icon, _role, _word in STATUSES.values()} <= set(assets.ICONS)


def test_assets_are_those_of_the_lock() -> None:
    modules = assets.find_modules()  # set-up brings them; their absence is a fault of set-up
    assert assets.lock_of(modules) == json.loads(assets.LOCK.read_text())


def test_assets_stay_within_their_budget(tmp_path: Path) -> None:
    import gzip

    modules = assets.find_modules()  # set-up brings them; their absence is a fault of set-up
    manifest = assets.build(modules, tmp_path / "static")
    sizes = {name: len(gzip.compress((tmp_path / "static" / hashed).read_bytes())) for name, hashed in manifest.items()}
    assert sizes["gongshu.css"] <= 24 * 1024
    assert (tmp_path / "static" / manifest["gongshu.js"]).stat().st_size <= 6 * 1024
