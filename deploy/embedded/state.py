"""What a house remembers about itself between starts: its ports."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping

from deploy.embedded.errors import CannotGoOn
from deploy.embedded.places import RunFolder

PORT_NAMES = ("proxy", "portal", "minio", "opa", "spark")


def choose_ports(run: RunFolder) -> dict[str, int]:
    """Ports set in the environment (GONGSHU_PORT = the public one), else last time's, else free ones.

    Raises CannotGoOn when a port that was set is taken by something else.
    """
    remembered = remembered_ports(run)
    wanted = os.environ.get("GONGSHU_PORT")
    ports: dict[str, int] = {}
    for name in PORT_NAMES:
        if name == "proxy" and wanted:
            ports[name] = _require_free(int(wanted))
        else:
            ports[name] = _free_port(remembered.get(name), ports)
    run.state_file.write_text(json.dumps({"ports": ports}, indent=1) + "\n")
    return ports


def remembered_ports(run: RunFolder) -> Mapping[str, int]:
    try:
        ports: Mapping[str, int] = json.loads(run.state_file.read_text())["ports"]
    except (OSError, ValueError, KeyError):
        return {}
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _require_free(port: int) -> int:
    if not _is_free(port):
        raise CannotGoOn(
            f"Port {port} (GONGSHU_PORT) is already in use.",
            "Stop what uses it, or choose another: make demo GONGSHU_PORT=8100",
        )
    return port


def _free_port(remembered: int | None, taken: Mapping[str, int]) -> int:
    if remembered and remembered not in taken.values() and _is_free(remembered):
        return remembered
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken.values():
            return port
