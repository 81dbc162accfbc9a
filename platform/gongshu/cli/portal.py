"""`gongshu portal`: the pages and the JSON API on loopback, the internal routes on a unix socket."""

from __future__ import annotations

import asyncio
import logging
import os

import structlog
import uvicorn

from gongshu.audit.starting import announce_start
from gongshu.portal.app import create_app, create_internal_app
from gongshu.portal.start import open_services
from gongshu.settings import settings


def command() -> None:
    """Run until stopped (SIGTERM, SIGINT)."""
    keep_values_out_of_logs()
    asyncio.run(_serve())


def keep_values_out_of_logs() -> None:
    """One JSON line per event, without messages or variables of exceptions: they may hold row data."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )
    logging.getLogger("uvicorn.error").addFilter(lambda record: "in ASGI application" not in record.getMessage())


async def _serve() -> None:
    configuration = settings()
    services = open_services(configuration)
    announce_start(configuration)
    common = {"log_level": "warning", "access_log": False, "server_header": False, "timeout_graceful_shutdown": 5}
    servers = [
        uvicorn.Server(
            uvicorn.Config(
                create_app(services),
                host="127.0.0.1",
                port=configuration.portal_port or 0,
                timeout_keep_alive=30,
                proxy_headers=False,
                **common,  # type: ignore[arg-type]
            )
        )
    ]
    if configuration.internal_socket:
        configuration.internal_socket.unlink(missing_ok=True)
        os.umask(0o007)  # sockets 0660, folders still passable: the folder's group decides who reaches them
        internal = uvicorn.Config(create_internal_app(services), uds=str(configuration.internal_socket), **common)  # type: ignore[arg-type]
        servers.append(uvicorn.Server(internal))
    await asyncio.gather(*(server.serve() for server in servers))
