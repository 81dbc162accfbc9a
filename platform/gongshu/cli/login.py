"""A client that logs in as a browser would: Hub form, OAuth into the portal, cookies for each host.

It has no back door: what it may do is what the named person may do. ``*.localhost`` names are connected at
127.0.0.1 with the Host header, because plain glibc does not resolve them. Passwords are never printed.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from gongshu.errors import Denied, Unauthenticated, Unavailable, Words

Progress = Callable[[str], None]
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SPAWN_SECONDS = 90
START_ATTEMPTS = 4


def say_nothing(message: str) -> None:
    """Progress that nobody wants to see."""


class LoopbackTransport(httpx.HTTPTransport):
    """Connects ``localhost`` and ``*.localhost`` at 127.0.0.1; everything else as it is."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if host == "localhost" or host.endswith(".localhost"):
            request.url = request.url.copy_with(host="127.0.0.1")
            try:
                return super().handle_request(request)
            finally:
                request.url = request.url.copy_with(host=host)
        return super().handle_request(request)


class Page(HTMLParser):
    """What a browser would act on in a page: hidden fields, and the text and data of elements with an id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.words: dict[str, str] = {}
        self._open: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "input":
            if name := given.get("name"):
                self.fields[name] = given.get("value") or ""
            return
        if tag not in {"br", "img", "link", "meta", "hr"}:
            self._open.append((tag, given.get("id")))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for _, name in self._open:
            if name:
                self.words[name] = (self.words.get(name, "") + " " + data.strip()).strip()


class BrowserSession:
    """One person's browser. Raises Unauthenticated, Denied (spawn refused) or Unavailable (a part is down)."""

    def __init__(self, hub_url: str, portal_url: str, name: str, password: str) -> None:
        self.hub_url = hub_url.rstrip("/") + "/"
        self.portal_url = portal_url.rstrip("/") + "/"
        self.name = name
        self._password = password
        self._logged_in = False
        self._in_portal = False
        self.client = httpx.Client(transport=LoopbackTransport(), follow_redirects=True, timeout=60, trust_env=False)

    def __enter__(self) -> BrowserSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.client.close()

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        """One request as a page of that very origin would make it."""
        headers = dict(more.pop("headers", None) or {})
        if method in UNSAFE:
            parts = urlsplit(url)
            headers |= {"Origin": f"{parts.scheme}://{parts.netloc}", "Sec-Fetch-Site": "same-origin"}
        try:
            answer = self.client.request(method, url, headers=headers, **more)
        except httpx.TransportError as error:
            raise Unavailable("hub", *unreachable(url)) from error
        if answer.status_code in {502, 503} and "text/html" in answer.headers.get("content-type", ""):
            raise Unavailable("hub", *unreachable(url))
        return answer

    def login(self) -> None:
        """Fill in the Hub's form. Raises Unauthenticated when the Hub does not let the person in."""
        if self._logged_in:
            return
        shown = self.request("GET", urljoin(self.hub_url, "hub/login"))
        if shown.status_code >= 500:
            raise Unavailable("hub", *unreachable(self.hub_url))
        form = Page(shown.text)
        answer = self.request(
            "POST",
            urljoin(self.hub_url, "hub/login"),
            data={"_xsrf": form.fields.get("_xsrf", ""), "username": self.name, "password": self._password},
            follow_redirects=False,
        )
        if answer.status_code != 302:
            if answer.status_code >= 500:
                raise Unavailable("hub", *unreachable(self.hub_url))
            raise Unauthenticated(
                "login.refused",
                Words(
                    f"{self.name} 登录失败:姓名或密码不对。", f"Login as {self.name} failed: wrong name or password."
                ),
                Words("检查 GONGSHU_PASSWORD 或 .run/demo.json", "Check GONGSHU_PASSWORD or .run/demo.json"),
            )
        self._logged_in = True

    def enter_portal(self) -> None:
        """Go to the portal, which sends the browser to the Hub and back."""
        if self._in_portal:
            return
        self.login()
        answer = self.request("GET", self.portal_url)
        if answer.status_code >= 500:
            raise Unavailable("portal", *unreachable(self.portal_url))
        if not str(answer.url).startswith(self.portal_url) or answer.status_code in {401, 403}:
            raise Unauthenticated(
                "login.portal_refused",
                Words(f"门户没有接受 {self.name} 的登录。", f"The portal did not accept the login of {self.name}."),
                Words("请确认该人员在门户中有账号", "Check that this person has an account in the portal"),
            )
        self._in_portal = True

    def api(
        self,
        method: str,
        path: str,
        json: Any = None,
        files: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Call the portal's JSON API; `path` starts with ``/api/v1/``. Any status is returned, none raised."""
        self.enter_portal()
        more = {name: value for name, value in (("json", json), ("files", files), ("data", data)) if value is not None}
        return self.request(
            method.upper(),
            self.portal_url + path.lstrip("/"),
            headers={"Accept": "application/json"},
            follow_redirects=False,
            **more,
        )

    def start_sandbox(self, scenario: str, progress: Progress = say_nothing) -> str:
        """Start (or find running) the sandbox of `scenario`; return its URL, ending with ``/``.

        Raises Denied when the spawn is refused, with the page's sentence, clause and next step.
        """
        self.login()
        answer = self._ask_to_start(scenario)
        url = self._server_url(scenario)
        if "spawn-pending" in str(answer.url):
            self._follow_progress(answer, progress)
        return self._enter_server(url)

    def _ask_to_start(self, scenario: str) -> httpx.Response:
        """The start page and its button. A sandbox that is still stopping answers 503: ask again for a while."""
        for attempt in range(START_ATTEMPTS):
            try:
                answer = self.request("GET", urljoin(self.hub_url, f"hub/sandbox/{scenario}"))
                page = self._accepted(answer)
                if "start-sandbox" in page.words:
                    answer = self.request("POST", str(answer.url), data={"_xsrf": page.fields.get("_xsrf", "")})
                    self._accepted(answer)
                return answer
            except Unavailable:
                if attempt + 1 == START_ATTEMPTS:
                    raise
                time.sleep(2)
        raise AssertionError("unreachable")

    def stop_sandbox(self, scenario: str) -> None:
        """Stop the sandbox; its home stays."""
        self.login()
        page = Page(self.request("GET", urljoin(self.hub_url, f"hub/sandbox/{scenario}/stop")).text)
        url = urljoin(self.hub_url, f"hub/sandbox/{scenario}/stop")
        self.request("POST", url, data={"_xsrf": page.fields.get("_xsrf", "")})

    def xsrf_of(self, url: str) -> str:
        """The XSRF cookie that belongs to a page's host and path."""
        parts = urlsplit(url)
        found = [
            cookie
            for cookie in self.client.cookies.jar
            if cookie.name == "_xsrf"
            and (parts.hostname or "").endswith(cookie.domain.lstrip("."))
            and parts.path.startswith(cookie.path.rstrip("/"))
        ]
        return (max(found, key=lambda cookie: len(cookie.path)).value or "") if found else ""

    def cookie_header(self, url: str) -> str:
        """The Cookie header that a browser would send to `url`."""
        request = self.client.build_request("GET", url)
        return str(request.headers.get("cookie", ""))

    def _server_url(self, scenario: str) -> str:
        parts = urlsplit(self.hub_url)
        name = f"{self.name}--{scenario}"
        return f"{parts.scheme}://{name}.{parts.netloc}/user/{name}/"

    def _accepted(self, answer: httpx.Response) -> Page:
        page = Page(answer.text)
        if answer.status_code < 400 and "refusal" not in page.words:
            return page
        if answer.status_code >= 500 and "refusal-code" not in page.words:
            raise Unavailable("hub", *unreachable(str(answer.url)))
        part = page.words.get("refusal-part")
        sentence = Words(page.words.get("refusal-zh", "启动被拒绝。"), page.words.get("refusal-en", "Refused."))
        step = Words(page.words.get("refusal-step-zh", ""), page.words.get("refusal-step-en", ""))
        if part:
            raise Unavailable(part, sentence, step)
        raise Denied(page.words.get("refusal-code", "sandbox.refused"), sentence, step if step.zh else None)

    def _follow_progress(self, answer: httpx.Response, progress: Progress) -> None:
        pending = re.search(r'data-progress-url="([^"]+)"', answer.text)
        if pending is None:
            raise Unavailable("hub", *unreachable(str(answer.url)))
        url = urljoin(str(answer.url), pending.group(1).replace("&amp;", "&"))
        for event in self._events(url):
            if message := event.get("message"):
                progress(str(message))
            if event.get("ready"):
                return
            if event.get("failed"):
                self._accepted(self.request("GET", str(answer.url)))
                raise Denied("sandbox.start_failed", Words("沙箱没有启动成功。", "The sandbox did not start."))
        raise Unavailable("hub", *unreachable(url))

    def _events(self, url: str) -> Iterator[dict[str, Any]]:
        try:
            with self.client.stream("GET", url, headers={"Accept": "text/event-stream"}) as stream:
                for line in stream.iter_lines():
                    if line.startswith("data:"):
                        yield json.loads(line[5:])
        except httpx.TransportError as error:
            raise Unavailable("hub", *unreachable(url)) from error

    def _enter_server(self, url: str) -> str:
        deadline = time.monotonic() + SPAWN_SECONDS
        while time.monotonic() < deadline:
            answer = self.request("GET", url + "lab")
            if answer.status_code == 200 and str(answer.url).startswith(url):
                return url
            time.sleep(0.3)
        raise Unavailable("hub", *unreachable(url))


def unreachable(url: str) -> tuple[Words, Words]:
    """The two sentences for a part that does not answer."""
    host = urlsplit(url).netloc
    return (
        Words(f"{host} 没有应答。", f"{host} does not answer."),
        Words("确认演示环境已启动(make demo),稍后重试", "Check that the demo is running (make demo), then try again"),
    )


def demo_facts(checkout: Path) -> dict[str, Any]:
    """Read ``.run/demo.json``; empty when this checkout has no running demo."""
    path = checkout / ".run" / "demo.json"
    facts: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return facts
