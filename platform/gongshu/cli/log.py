"""`gongshu log export DIR`: the published log as files, fetched as a client of the portal's API.

It holds no key of any part: what it gets is what the named person may see. A cut transfer leaves
nothing behind.
"""

from __future__ import annotations

import re
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated, Any, cast

import httpx
import typer

from gongshu.cli.login import BrowserSession, unreachable
from gongshu.cli.sandbox import open_browser
from gongshu.errors import Denied, GongshuError, Invalid, Unauthenticated, Unavailable, Words

verbs = typer.Typer(no_args_is_help=True, add_completion=False)
DEFAULT_READER = "shen"  # the demo's regulator
USAGE, DOWN = 2, 4
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


@verbs.callback()
def _keep_verb_names() -> None:
    """审计日志 · the audit log."""


@verbs.command("export")
def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="不存在或为空的目录 · a folder, absent or empty")],
    name: Annotated[str, typer.Option("--as", help="以谁的身份 · whose view")] = DEFAULT_READER,
) -> None:
    """导出已发布的日志 · the published log as files, with the private parts that this person may see."""
    try:
        require_free(directory)
        with open_browser(name) as browser:
            count = fetch(browser, directory)
    except GongshuError as error:
        print(f"{error.message.zh} {error.message.en}", file=sys.stderr)
        if error.next_step:
            print(f"{error.next_step.zh} · {error.next_step.en}", file=sys.stderr)
        raise typer.Exit(DOWN if isinstance(error, Unavailable) else USAGE) from None
    print(f"{directory}: {count} 个文件 files;核验 verify: python3 verify/gongshu_verify.py log {directory}")


def require_free(directory: Path) -> None:
    """Raise Invalid unless the folder is absent or empty."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Invalid(
            "log.export.target",
            Words(f"{directory} 不是空目录。", f"{directory} is not an empty folder."),
            Words("换一个不存在或为空的目录", "Name a folder that is absent or empty"),
        )


def fetch(browser: BrowserSession, directory: Path) -> int:
    """Fetch the export into `directory` and return the number of files. Raises Unavailable, Denied."""
    half = directory.with_name(f".{directory.name}.part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    try:
        count = _receive(browser, half)
        if directory.exists():
            directory.rmdir()
        half.rename(directory)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    return count


def _receive(browser: BrowserSession, into: Path) -> int:
    browser.enter_portal()
    url = f"{browser.portal_url}api/v1/log/export"
    try:
        with browser.client.stream("GET", url, timeout=120, follow_redirects=False) as answer:
            if answer.status_code != httpx.codes.OK:
                answer.read()
                raise _refusal(answer)
            return _unpack(Stream(answer.iter_bytes()), into)
    except (httpx.TransportError, tarfile.TarError) as error:
        raise Unavailable("portal", *unreachable(url)) from error


def _refusal(answer: httpx.Response) -> GongshuError:
    try:
        body = answer.json()
        words = Words(body["message"]["zh"], body["message"]["en"])
    except (ValueError, KeyError, TypeError):
        words = Words(f"门户没有给出日志({answer.status_code})。", f"The portal gave no log ({answer.status_code}).")
    if answer.status_code >= 500:
        return Unavailable("log", words)
    kind = Unauthenticated if answer.status_code == httpx.codes.UNAUTHORIZED else Denied
    return kind("log.export.refused", words)


class Stream:
    """A readable file over chunks, for `tarfile`; knows whether the archive's end was seen."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and (chunk := next(self._chunks, None)) is not None:
            self._rest += chunk
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def _unpack(stream: Stream, into: Path) -> int:
    """Write the archive's plain files; anything else in it, or a path that leads out, is refused."""
    count = 0
    with tarfile.open(fileobj=cast(IO[bytes], cast(Any, stream)), mode="r|", bufsize=1 << 20) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() and NAME.fullmatch(member.name) else None
            if content is None:
                raise tarfile.TarError(f"{member.name} has no place in a log")
            target = into / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
            count += 1
    return count
