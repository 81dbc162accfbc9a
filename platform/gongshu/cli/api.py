"""`gongshu api`: one call of the portal's JSON API as a person, through the same login as a browser.

stdout holds the three-digit status on line 1, then the body. Exit 0 on 2xx · 4 on 4xx · 5 on 5xx ·
2 usage or login (document 10).
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from gongshu.cli.login import BrowserSession
from gongshu.cli.sandbox import open_browser
from gongshu.errors import GongshuError

FINE, USAGE, REFUSED, FAILED = 0, 2, 4, 5
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PREFIX = "/api/v1/"


def command(
    method: Annotated[str, typer.Argument(help="GET, POST …")],
    path: Annotated[str, typer.Argument(help="/api/v1/…")],
    body: Annotated[str | None, typer.Argument(help="JSON, 或 @文件 · JSON, or @FILE")] = None,
    name: Annotated[str, typer.Option("--as", help="谁 · who calls")] = "",
    file: Annotated[
        list[str] | None, typer.Option("--file", help="FIELD=PATH: 以 multipart 发送 · send as multipart")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="把内容存为文件 · keep the body in this file")] = None,
) -> None:
    """门户接口调用一次 · one call of the portal's JSON API."""
    with ExitStack() as opened:
        try:
            sent = read_request(opened, method, path, body, file or [], name)
        except (OSError, ValueError) as error:
            _say(str(error))
            raise typer.Exit(USAGE) from None
        try:
            browser = opened.enter_context(_browser(name))
            answer = browser.api(method, path, **sent)
        except GongshuError as error:
            _say(f"{error.message.zh} {error.message.en}")
            if error.next_step:
                _say(f"{error.next_step.zh} · {error.next_step.en}")
            raise typer.Exit(FAILED if error.status >= 500 else USAGE) from None
    raise typer.Exit(show(answer, output))


def read_request(
    opened: ExitStack, method: str, path: str, body: str | None, files: list[str], name: str
) -> dict[str, Any]:
    """The parts of the request. Raises ValueError for wrong usage, OSError for a file that cannot be read.

    With --file a JSON body becomes the form's fields: text as it is, anything else as JSON.
    """
    if method.upper() not in METHODS or not path.startswith(PREFIX) or not name:
        raise ValueError("gongshu api --as NAME METHOD /api/v1/… [JSON | @FILE] [--file FIELD=PATH] [--output FILE]")
    text = Path(body[1:]).read_text(encoding="utf-8") if body and body.startswith("@") else body
    value = json.loads(text) if text else None
    if not files:
        return {"json": value} if value is not None else {}
    parts = {}
    for one in files:
        field, sign, place = one.partition("=")
        if not sign or not field:
            raise ValueError(f"--file {one}: FIELD=PATH")
        parts[field] = (Path(place).name, opened.enter_context(Path(place).open("rb")))  # noqa: SIM115  closed by opened
    if value is None:
        return {"files": parts}
    if not isinstance(value, dict):
        raise ValueError('JSON: {"field": …}')
    fields = {
        key: item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for key, item in value.items()
    }
    return {"files": parts, "data": fields}


def show(answer: httpx.Response, output: Path | None) -> int:
    """Print status and body (or keep the body in a file) and return the exit code."""
    sys.stdout.write(f"{answer.status_code}\n")
    if output is not None and answer.is_success:
        output.write_bytes(answer.content)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(answer.content)
        if not answer.content.endswith(b"\n"):
            sys.stdout.buffer.write(b"\n")
    sys.stdout.flush()
    if answer.is_success:
        return FINE
    return FAILED if answer.status_code >= 500 else REFUSED


def _browser(name: str) -> BrowserSession:
    try:
        return open_browser(name)
    except typer.Exit:  # it has said why: no address, no password
        raise typer.Exit(USAGE) from None


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
