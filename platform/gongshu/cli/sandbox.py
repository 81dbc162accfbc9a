"""`gongshu sandbox run` and `gongshu sandbox preflight`.

`run` is a browser without a screen: Hub login, start page, a fresh kernel in the person's real sandbox. It
may do what that person may do, nothing else. Exit codes are those of document 10.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from gongshu.cli.kernel import Kernel, TimedOut, print_output
from gongshu.cli.login import BrowserSession, demo_facts
from gongshu.errors import Denied, GongshuError, NotFound, Unauthenticated, Unavailable

verbs = typer.Typer(no_args_is_help=True, add_completion=False)

FINE, RAISED, USAGE, REFUSED, DOWN = 0, 1, 2, 3, 4
TAG = "raises-exception"
PREFLIGHT_SECONDS = 90.0


@dataclass
class Cell:
    """One piece of code; `notebook_cell` is where its outputs are kept, if it came from a notebook."""

    code: str
    may_raise: bool
    notebook_cell: dict[str, Any]


@verbs.command("run")
def run(
    file: Annotated[
        Path, typer.Argument(help=".py(整个文件为一格)或 .ipynb(逐格) · .py as one cell, .ipynb cell by cell")
    ],
    name: Annotated[str, typer.Option("--as", help="谁 · whose sandbox")],
    scenario: Annotated[str, typer.Option("--scenario", help="应用场景代码 · scenario code")],
    save: Annotated[
        Path | None, typer.Option("--save", help="把输出存成 .ipynb · keep outputs in this notebook")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="运行后停止沙箱 · stop the sandbox afterwards")] = False,
    timeout: Annotated[float, typer.Option("--timeout", help="总时限,秒 · seconds for all of it")] = 600.0,
) -> None:
    """在本人的沙箱里运行一个文件 · run a file in the person's real sandbox."""
    try:
        notebook, cells = read_cells(file)
    except (OSError, ValueError, KeyError) as error:
        _say(f"{file} 无法读取。{file} cannot be read: {error}")
        raise typer.Exit(USAGE) from None
    raise typer.Exit(_run(cells, name, scenario, stop, time.monotonic() + timeout, lambda: _save(notebook, save)))


def _run(cells: list[Cell], name: str, scenario: str, stop: bool, deadline: float, save: Any) -> int:
    try:
        with open_browser(name) as browser:
            server = browser.start_sandbox(scenario, _say)
            try:
                with Kernel(browser, server, deadline) as kernel:
                    return _run_cells(kernel, cells)
            finally:
                save()
                if stop:
                    browser.stop_sandbox(scenario)
    except TimedOut:
        _say("超过了总时限(--timeout)。The time allowed (--timeout) has passed.")
        return DOWN
    except GongshuError as error:
        _explain(error)
        return exit_code(error)


def exit_code(error: GongshuError) -> int:
    """2 login · 3 spawn refused · 4 a part is down."""
    if isinstance(error, Unavailable):
        return DOWN
    if isinstance(error, Denied | NotFound):
        return REFUSED
    return USAGE


def _run_cells(kernel: Kernel, cells: list[Cell]) -> int:
    for cell in cells:
        ran = kernel.run(cell.code, print_output)
        cell.notebook_cell["outputs"] = ran.outputs
        cell.notebook_cell["execution_count"] = ran.count
        if ran.raised and not cell.may_raise:
            return RAISED
    return FINE


def read_cells(file: Path) -> tuple[dict[str, Any], list[Cell]]:
    """Read a script or a notebook. Raises ValueError on anything else."""
    if file.suffix == ".py":
        notebook = new_notebook(file.read_text())
    elif file.suffix == ".ipynb":
        notebook = json.loads(file.read_text())
        if notebook.get("nbformat") != 4:
            raise ValueError("nbformat 4")
    else:
        raise ValueError(".py / .ipynb")
    return notebook, list(_cells_of(notebook))


def new_notebook(code: str) -> dict[str, Any]:
    """A notebook of one cell."""
    cell: dict[str, Any] = {"cell_type": "code", "id": "cell-1", "metadata": {}, "source": code, "outputs": []}
    cell["execution_count"] = None
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": [cell]}


def _cells_of(notebook: dict[str, Any]) -> Iterator[Cell]:
    for cell in notebook["cells"]:
        source = cell["source"]
        code = source if isinstance(source, str) else "".join(source)
        if cell["cell_type"] == "code" and code.strip():
            yield Cell(code, TAG in cell.get("metadata", {}).get("tags", []), cell)


def _save(notebook: dict[str, Any], target: Path | None) -> None:
    if target:
        target.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n")


def open_browser(name: str) -> BrowserSession:
    """A browser for `name`: addresses and, in the demo, the password from ``.run/demo.json``."""
    facts = demo_facts(Path.cwd()) or demo_facts(Path(__file__).resolve().parents[3])
    hub = os.environ.get("GONGSHU_HUB_URL") or facts.get("hub")
    portal = os.environ.get("GONGSHU_PORTAL_URL") or facts.get("portal")
    if not hub or not portal:
        _say("没有正在运行的演示环境:请先 make demo。No demo is running: make demo first.")
        raise typer.Exit(DOWN)
    password = os.environ.get("GONGSHU_PASSWORD") or facts.get("accounts", {}).get(name, {}).get("password")
    if not password:
        if not sys.stdin.isatty():
            _say(f"没有 {name} 的密码(GONGSHU_PASSWORD)。No password for {name} (GONGSHU_PASSWORD).")
            raise typer.Exit(USAGE)
        password = getpass.getpass(f"{name}: ")
    return BrowserSession(str(hub), str(portal), name, str(password))


@verbs.command("preflight")
def preflight(
    keeper: Annotated[Path | None, typer.Option("--socket", help="看护服务的套接字 · the keeper's socket")] = None,
) -> None:
    """在一次性沙箱里尝试逃逸并列表 · try to get out of a throw-away sandbox, print the table."""
    try:
        report = _ask(keeper or _keeper_socket(), {"verb": "preflight"})
    except (OSError, ValueError):
        _say("沙箱看护服务没有应答:请先 make demo。The keeper does not answer: make demo first.")
        raise typer.Exit(DOWN) from None
    for row in report.get("rows", []):
        mark = {"open": "✗", "closed": "✓"}.get(row["verdict"], "·")
        print(f"{mark} {row['attempt']:<44} {row['verdict']:<18} {row['detail']}")
    print(report.get("walls", ""))
    print(report.get("message") or report.get("refused", ""))
    raise typer.Exit(FINE if report.get("passed") else REFUSED)


def _keeper_socket() -> Path:
    """As the running demo's keeper was told. Raises OSError, ValueError when there is none."""
    folders = [Path.cwd(), Path(__file__).resolve().parents[3]]
    files = [folder / ".run" / "config" / "keeper.json" for folder in folders]
    settings = next((file for file in files if file.is_file()), files[0])
    return Path(json.loads(settings.read_text())["keeper_socket"])


def _ask(path: Path, question: dict[str, Any]) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as end:
        end.settimeout(PREFLIGHT_SECONDS)
        end.connect(str(path))
        end.sendall(json.dumps(question).encode() + b"\n")
        text = b""
        while not text.endswith(b"\n") and (piece := end.recv(65536)):
            text += piece
    answer: dict[str, Any] = json.loads(text)
    return answer


def _explain(error: GongshuError) -> None:
    english = os.environ.get("LANG", "").startswith("en")
    for words in (error.message, error.next_step):
        if words:
            _say(words.en if english else words.zh)
    if isinstance(error, Unauthenticated | Denied | Unavailable):
        _say(f"({error.code})")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
