"""One fresh kernel in a running sandbox, spoken to as the Lab does: REST to start it, a websocket to run cells.

Outputs are kept as notebook outputs and, as they come, written as plain text. It never retries a cell.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from gongshu.cli.login import BrowserSession, unreachable
from gongshu.errors import Unavailable

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
MESSAGE_BYTES = 64 * 1024 * 1024


class TimedOut(Exception):
    """The time allowed for the whole run has passed."""


@dataclass
class Ran:
    """What one cell gave: its outputs in notebook form, and whether it raised."""

    outputs: list[dict[str, Any]] = field(default_factory=list)
    raised: bool = False
    count: int | None = None


class Kernel:
    """A kernel of one person's sandbox; ends with the `with` block."""

    def __init__(self, browser: BrowserSession, server_url: str, deadline: float) -> None:
        self._browser = browser
        self._server = server_url
        self._deadline = deadline
        self._session = uuid.uuid4().hex
        self._id = ""
        self._socket: ClientConnection | None = None
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        answer = self._call("POST", "api/kernels", json={"name": "python3"})
        if answer.status_code != 201:
            raise Unavailable("hub", *unreachable(self._server))
        self._id = str(answer.json()["id"])
        self._socket = self._open.enter_context(self._connect())
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, WebSocketException):
            self._open.close()
        with contextlib.suppress(Unavailable):
            self._call("DELETE", f"api/kernels/{self._id}")

    def run(self, code: str, show: Callable[[dict[str, Any]], None]) -> Ran:
        """Run one cell and hand every output to `show` as it comes. Raises TimedOut, Unavailable."""
        message_id = self._send("execute_request", {
            "code": code, "silent": False, "store_history": True, "user_expressions": {},
            "allow_stdin": False, "stop_on_error": True,
        })  # fmt: skip
        ran, replied, idle = Ran(), False, False
        while not (replied and idle):
            message = self._receive()
            if message.get("parent_header", {}).get("msg_id") != message_id:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "execute_reply":
                replied, ran.count = True, content.get("execution_count")
                ran.raised = ran.raised or content.get("status") != "ok"
            elif kind == "status":
                idle = content.get("execution_state") == "idle"
            elif output := as_output(kind, content):
                ran.raised = ran.raised or kind == "error"
                keep(ran.outputs, output)
                show(output)
        return ran

    def _call(self, method: str, path: str, **more: Any) -> Any:
        url = self._server + path
        headers = {"X-XSRFToken": self._browser.xsrf_of(url), "Referer": self._server + "lab"}
        return self._browser.request(method, url, headers=headers, **more)

    def _connect(self) -> contextlib.AbstractContextManager[ClientConnection]:
        parts = urlsplit(self._server)
        url = f"{self._server}api/kernels/{self._id}/channels?session_id={self._session}"
        try:
            end = socket.create_connection((loopback(parts.hostname or ""), parts.port or 80), timeout=10)
            return connect(
                url.replace("http", "ws", 1),
                sock=end,
                origin=Origin(f"{parts.scheme}://{parts.netloc}"),
                additional_headers={"Cookie": self._browser.cookie_header(url)},
                max_size=MESSAGE_BYTES,
                open_timeout=60,
                proxy=None,
            )
        except (OSError, WebSocketException) as error:
            raise Unavailable("hub", *unreachable(self._server)) from error

    def _send(self, kind: str, content: dict[str, Any]) -> str:
        header = {
            "msg_id": uuid.uuid4().hex, "msg_type": kind, "session": self._session, "username": "", "version": "5.4",
        }  # fmt: skip
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        try:
            self._connection.send(json.dumps(message | {"buffers": []}))
        except WebSocketException as error:
            raise Unavailable("hub", *unreachable(self._server)) from error
        return header["msg_id"]

    def _receive(self) -> dict[str, Any]:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimedOut
        try:
            text = self._connection.recv(timeout=left)
        except TimeoutError as error:
            raise TimedOut from error
        except (WebSocketException, OSError) as error:
            raise Unavailable("hub", *unreachable(self._server)) from error
        if isinstance(text, bytes):  # a message with binary buffers: widgets, nothing that we print
            return {"header": {"msg_type": "binary"}, "content": {}}
        message: dict[str, Any] = json.loads(text)
        return message

    @property
    def _connection(self) -> ClientConnection:
        if self._socket is None:
            raise Unavailable("hub", *unreachable(self._server))
        return self._socket


def loopback(host: str) -> str:
    """Where to connect for `host` (see `gongshu.cli.login`)."""
    return "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host


def as_output(kind: str, content: dict[str, Any]) -> dict[str, Any] | None:
    """A kernel's message as a notebook output; None when it is no output."""
    if kind == "stream":
        return {"output_type": "stream", "name": content["name"], "text": content["text"]}
    if kind in {"execute_result", "display_data"}:
        output = {"output_type": kind, "data": content["data"], "metadata": content.get("metadata", {})}
        return output | ({"execution_count": content.get("execution_count")} if kind == "execute_result" else {})
    if kind == "error":
        return {"output_type": "error"} | {key: content[key] for key in ("ename", "evalue", "traceback")}
    return None


def keep(outputs: list[dict[str, Any]], output: dict[str, Any]) -> None:
    """Add an output; texts of the same stream that follow one another are one."""
    last = outputs[-1] if outputs else {}
    if output["output_type"] == "stream" and last.get("name") == output["name"]:
        last["text"] += output["text"]
    else:
        outputs.append(dict(output))


def print_output(output: dict[str, Any]) -> None:
    """Plain text: results and stdout to stdout, stderr and tracebacks to stderr."""
    kind = output["output_type"]
    if kind == "error":
        text, target = "\n".join(output["traceback"]) + "\n", sys.stderr
    elif kind == "stream":
        text, target = output["text"], sys.stderr if output["name"] == "stderr" else sys.stdout
    else:
        text, target = str(output["data"].get("text/plain", "")) + "\n", sys.stdout
    if not target.isatty():
        text = COLOUR.sub("", text)
    if text.strip("\n"):
        target.write(text)
        target.flush()
