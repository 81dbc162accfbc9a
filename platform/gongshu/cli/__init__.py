"""The `gongshu` command: one module per verb, imported only when its verb is called.

A module offers `command` (a function: one verb) or `verbs` (a Typer app: `gongshu log export`).
Errors a person can mend are printed as sentences, never as tracebacks.
"""

from __future__ import annotations

import importlib
import os
import sys

import typer

from gongshu.errors import GongshuError

COMMANDS = {
    "api": "门户接口调用一次 · one call of the portal's JSON API",
    "sandbox": "在沙箱里运行文件、预检 · run a file in a sandbox, preflight",
    "log": "导出审计日志 · export the published log",
    "replay": "重放每一次判定 · evaluate every logged decision again",
    "policy": "策略包 · policy bundles",
    "setup": "建库与初始账户 · database and first accounts",
    "portal": "启动门户 · run the portal",
    "gateway": "启动网关 · run the gateway",
    "worker": "启动日志发布 · run the worker",
}


def main() -> None:
    """Run the verb named on the command line."""
    wanted = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    try:
        _build(wanted)()
    except GongshuError as error:
        _explain(error)
        sys.exit(2 if error.status < 500 else 4)


def _build(wanted: str | None) -> typer.Typer:
    app = typer.Typer(
        name="gongshu",
        help="公数:每一次查询有据,每一次判定可复现,每一分钱可核对。",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(lambda: None)  # keeps the verb's name even when only one is loaded
    for name, text in COMMANDS.items():
        if name == wanted:
            module = importlib.import_module(f"gongshu.cli.{name}")  # only the verb that runs: start-up stays fast
            if hasattr(module, "verbs"):
                app.add_typer(module.verbs, name=name, help=text)
            else:
                app.command(name, help=text)(module.command)
        else:
            app.command(name, help=text)(lambda: None)
    return app


def _explain(error: GongshuError) -> None:
    english = os.environ.get("LANG", "").startswith("en")
    language = "en" if english else "zh"
    print(error.message.in_language(language), file=sys.stderr)
    if error.next_step:
        print(error.next_step.in_language(language), file=sys.stderr)
