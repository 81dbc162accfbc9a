"""`gongshu gateway`: run the gateway and the Spark driver it owns, in the foreground, until told to stop."""

from __future__ import annotations

import typer

from gongshu.audit.starting import announce_start
from gongshu.gateway.server import run
from gongshu.settings import settings


def command() -> None:
    """Start the engine, close what an earlier life left open, serve on the gateway's socket."""
    announce_start(settings())
    raise typer.Exit(run(settings()))
