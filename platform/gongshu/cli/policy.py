"""`gongshu policy`: the bundle of rules as a file for the policy server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gongshu.policy import write_bundle

verbs = typer.Typer(help="Rules: build the bundle that the policy server loads.", no_args_is_help=True)


@verbs.callback()
def policy() -> None:
    """Rules: build the bundle that the policy server loads."""


@verbs.command()
def bundle(
    out: Annotated[Path, typer.Argument(help="where to write the .tar.gz")],
    policies: Annotated[Path | None, typer.Option(help="directory of rules; default: this checkout's")] = None,
) -> None:
    """Write the bundle and print its revision (digest of its content)."""
    typer.echo(write_bundle(policies, out).revision)
