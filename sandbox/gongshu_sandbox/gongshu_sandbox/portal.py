"""The portal door: the few questions a sandbox may ask the portal, with its own token."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

from gongshu_sandbox.place import DOORS, token
from gongshu_sandbox.refusals import Refused, from_envelope

SECONDS = 20.0
DOWN = (
    "portal.unreachable",
    "门户没有应答。下一步:请稍后重试。",
    "The portal does not answer. Next: try again shortly.",
)


class DoorConnection(http.client.HTTPConnection):
    """HTTP over the portal door's unix socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(str(DOORS / "portal.sock"))


def ask(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """One call below ``/api/v1/sandbox``. Raises Refused with the portal's own sentence."""
    connection = DoorConnection("portal")
    headers = {"Authorization": f"Bearer {token()}", "Accept": "application/json", "Content-Type": "application/json"}
    try:
        connection.request(
            method, "/api/v1/sandbox" + path, json.dumps(body or {}) if method == "POST" else None, headers
        )
        answer = connection.getresponse()
        said = json.loads(answer.read() or b"{}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Refused(*DOWN) from error
    finally:
        connection.close()
    if answer.status >= 400:
        raise from_envelope(said if isinstance(said, dict) else {})
    return said
