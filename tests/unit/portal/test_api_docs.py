"""docs/api.md says what the routes are."""

from __future__ import annotations

from pathlib import Path

from gongshu.portal import api_docs

DOCS = Path(__file__).resolve().parents[3] / "docs" / "api.md"


def test_api_page_is_current() -> None:
    assert DOCS.read_text() == api_docs.page(), "run python -m gongshu.portal.api_docs"
