"""The people of the demo at their browsers: each logs in through the Hub and calls the public API, nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Lock
from typing import Any

import httpx

from gongshu.cli.login import BrowserSession


class JourneyFailed(Exception):
    """A step was refused or a part was down; the words are those of the answer."""


class Browsers:
    """One browser for each person, opened at the first call. Calls of one person come one after the other."""

    def __init__(self, hub_url: str, portal_url: str, passwords: dict[str, str]) -> None:
        self.hub_url, self.portal_url, self.passwords = hub_url, portal_url, passwords
        self._open: dict[str, BrowserSession] = {}
        self._lock = Lock()

    def of(self, name: str) -> BrowserSession:
        with self._lock:
            if name not in self._open:
                self._open[name] = BrowserSession(self.hub_url, self.portal_url, name, self.passwords[name])
            return self._open[name]

    def ask(self, name: str, path: str) -> Any:
        return self.call(name, "GET", path)

    def call(self, name: str, method: str, path: str, body: Any = None, file: Path | None = None, **meta: Any) -> Any:
        """One call of the API as that person. Raises JourneyFailed with the refusal's words."""
        if file is None:
            answer = self.of(name).api(method, f"/api/v1{path}", json=body)
        else:
            with file.open("rb") as content:
                fields = {field: json.dumps(value, ensure_ascii=False) for field, value in meta.items()}
                answer = self.of(name).api(method, f"/api/v1{path}", files={"file": (file.name, content)}, data=fields)
        if answer.status_code >= 300:
            raise JourneyFailed(f"{name} {method} {path}: {answer.status_code} {_words(answer)}")
        return answer.json()

    def download(self, name: str, path: str) -> bytes:
        answer = self.of(name).api("GET", f"/api/v1{path}")
        if answer.status_code != 200:
            raise JourneyFailed(f"{name} GET {path}: {answer.status_code} {_words(answer)}")
        return answer.content

    def close(self) -> None:
        for browser in self._open.values():
            browser.close()


def _words(answer: httpx.Response) -> str:
    try:
        body = answer.json()
        details = body.get("details")
        return f"{body['code']}: {body['message']['zh']} {body['message']['en']}" + (f" {details}" if details else "")
    except (ValueError, KeyError, TypeError):
        return answer.text[:300]
