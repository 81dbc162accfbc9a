"""The real OPA server over this checkout's policies."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.parts.places import TOOLS, free_port


@dataclass
class OpaServer:
    url: str
    bundle: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)


def start_opa(bundle: Path, log: Path) -> OpaServer:
    """Serve a bundle as the embedded default does: loopback, basic authorization by system.authz."""
    port = free_port()
    command = [
        str(TOOLS / "opa"),
        "run",
        "--server",
        "--addr",
        f"127.0.0.1:{port}",
        "--disable-telemetry",
        "--authorization=basic",
        "--bundle",
        str(bundle),
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    server = OpaServer(f"http://127.0.0.1:{port}", bundle, process)
    deadline = time.monotonic() + 15
    while True:
        try:
            if httpx.get(f"{server.url}/health", timeout=1).status_code == 200:
                return server
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline or process.poll() is not None:
            raise RuntimeError(f"OPA did not start: {log.read_text()[-800:]}")
        time.sleep(0.1)
