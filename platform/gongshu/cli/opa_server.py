"""A throw-away OPA server over one archived bundle, on a unix socket of its own, for replay.

It is the real program; what it loads is the bundle and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from gongshu.errors import Unavailable

START_SECONDS = 15


def find_opa() -> Path | None:
    """The program: of the settings' checkout, or on PATH."""
    named = os.environ.get("GONGSHU_OPA")
    places = [Path(named)] if named else []
    places += [root / ".tools" / "bin" / "opa" for root in (Path.cwd(), Path(__file__).resolve().parents[3])]
    found = shutil.which("opa")
    places += [Path(found)] if found else []
    return next((path for path in places if os.access(path, os.X_OK)), None)


class OpaServer:
    """Serves `bundle` until left. scratch: a folder for its log."""

    def __init__(self, program: Path, bundle: Path, scratch: Path) -> None:
        self._log = scratch / f"opa-{secrets.token_hex(4)}.log"
        self._folder = tempfile.mkdtemp(prefix="gs-opa-")  # a short path: sockets allow 107 bytes
        socket = f"{self._folder}/opa.sock"
        words = ["run", "--server", "--addr", f"unix://{socket}", "--disable-telemetry", "--log-level=error"]
        self._command = [str(program), *words, "--bundle", str(bundle)]
        transport = httpx.HTTPTransport(uds=socket)
        self._client = httpx.Client(transport=transport, base_url="http://opa", timeout=10, trust_env=False)

    def __enter__(self) -> Self:
        """Start and wait until it answers. Raises Unavailable('policy')."""
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(self._command, stdout=out, stderr=out)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if self._client.get("/health").status_code == httpx.codes.OK:
                    return self
            time.sleep(0.05)
        self._stop()
        raise Unavailable("policy")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def decide(self, area: str, question: Any) -> Any:
        """The answer to one question. Raises Unavailable('policy') when the server gives none."""
        try:
            answer = self._client.post(f"/v1/data/gongshu/{area}/decision", json={"input": question})
            return answer.json().get("result") if answer.status_code == httpx.codes.OK else None
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable("policy") from error

    def _stop(self) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait(timeout=10)
        shutil.rmtree(self._folder, ignore_errors=True)
