"""Where this kernel is: person, scenario, language, token, the doors. From the environment, read when needed."""

from __future__ import annotations

import os
from pathlib import Path

DOORS = Path(os.environ.get("GONGSHU_DOORS", "/run/doors"))


def token() -> str:
    """The sandbox's own token; empty outside a sandbox."""
    return os.environ.get("JUPYTERHUB_API_TOKEN", "")


def scenario() -> str:
    return os.environ.get("GONGSHU_SCENARIO", "")


def is_english() -> bool:
    return os.environ.get("GONGSHU_LANGUAGE", "zh") == "en"


def words(zh: str, en: str) -> str:
    """The sentence in the kernel's language."""
    return en if is_english() and en else zh


def said(texts: object) -> str:
    """A ``{"zh", "en"}`` pair (or plain text) of the portal in the kernel's language."""
    if isinstance(texts, dict):
        return words(str(texts.get("zh") or ""), str(texts.get("en") or ""))
    return str(texts or "")
