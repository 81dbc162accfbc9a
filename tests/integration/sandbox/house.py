"""A real Hub, proxy, keeper and doors on real PostgreSQL for the sandbox's own tests.

Only the portal is a double, and says so: it answers login, spawn and state as a test wants. The real portal
with the real policy is met by the end-to-end journey.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.parts.postgres import Postgres

ROOT = Path(__file__).resolve().parents[3]
PROXY = ROOT / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
VENV = ROOT / ".tools" / "sandbox-venv"
FOLDERS = ("hub", "proxy", "internal", "gateway", "doors", "keeper", "d", "homes", "state", "logs", "secrets")
PASSWORD = "a double's password"


def what_is_missing() -> str:
    """Why these tests cannot run on this machine; empty when they can."""
    wanted = {"node_modules (make setup)": PROXY.exists(), ".tools/sandbox-venv (make setup)": VENV.exists()}
    wanted |= {"bwrap": shutil.which("bwrap") is not None, "node": shutil.which("node") is not None}
    return ", ".join(name for name, there in wanted.items() if not there)


def free_port() -> int:
    with socket.socket() as end:
        end.bind(("127.0.0.1", 0))
        return int(end.getsockname()[1])


@dataclass
class SandboxHouse:
    """The parts, by name; `closed` is what the portal double answers to the doors."""

    folder: Path
    postgres: Postgres
    port: int = field(default_factory=free_port)
    portal_port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def database(self) -> str:
        """One for each house: the integration and the security tests have theirs side by side."""
        return f"hub_{self.folder.name}"

    @property
    def hub_url(self) -> str:
        return f"http://gongshu.localhost:{self.port}/"

    @property
    def portal_url(self) -> str:
        return f"http://portal--service.gongshu.localhost:{self.port}/services/portal/"

    def server_url(self, name: str) -> str:
        return f"http://{name}.gongshu.localhost:{self.port}/user/{name}/"

    def close(self, person: str, scenario: str) -> None:
        """What a freeze or revocation is to the doors."""
        reason = {"zh": "机构已被冻结。", "en": "The organisation is frozen."}
        closed = [{"person": person, "scenario": scenario, "reason": reason}]
        (self.folder / "closed.json").write_text(json.dumps(closed))

    def reopen(self) -> None:
        (self.folder / "closed.json").unlink(missing_ok=True)

    def events(self) -> list[dict[str, Any]]:
        """What Hub and doors reported."""
        file = self.folder / "events.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def start(self) -> None:
        self.folder.mkdir()
        self.folder.chmod(0o755)
        for name in FOLDERS:
            (self.folder / name).mkdir()
            (self.folder / name).chmod(0o755)
        self.postgres.run(f"CREATE DATABASE {self.database}")
        for part in ("portal", "keeper", "doors", "proxy", "hub"):
            self.start_part(part)
        self.wait_for_hub()

    def start_part(self, part: str) -> None:
        log = (self.folder / "logs" / f"{part}.log").open("ab")
        environment = {**os.environ, "GONGSHU_HUB_SETTINGS": str(self._write_settings())}
        environment["CONFIGPROXY_AUTH_TOKEN"] = self._secret("proxy").read_text()
        self.processes[part] = subprocess.Popen(
            self._command(part), env=environment, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT
        )

    def stop_part(self, part: str) -> None:
        process = self.processes.pop(part)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self) -> None:
        for part in reversed(list(self.processes)):
            self.stop_part(part)
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_for_hub(self) -> None:
        """Until the proxy leads to the Hub. Raises AssertionError with the Hub's last words."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                url = f"http://127.0.0.1:{self.port}/hub/health"
                if httpx.get(url, headers={"Host": f"gongshu.localhost:{self.port}"}).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        raise AssertionError((self.folder / "logs" / "hub.log").read_text()[-2000:])

    def _command(self, part: str) -> list[str]:
        double = Path(__file__).with_name("portal_double.py")
        proxy = ["--ip", "127.0.0.1", "--port", str(self.port), "--host-routing"]
        return {
            "portal": [sys.executable, str(double), str(self.folder), str(self.portal_port), PASSWORD],
            "keeper": [sys.executable, "-m", "gongshu_hub.keeper"],
            "doors": [sys.executable, "-m", "gongshu_hub.doors"],
            "proxy": ["node", str(PROXY), *proxy, "--api-socket", str(self.folder / "proxy" / "api.sock")],
            "hub": [sys.executable, "-m", "jupyterhub", "-f", str(ROOT / "sandbox" / "gongshu_hub" / "config.py")],
        }[part]

    def _secret(self, name: str) -> Path:
        file = self.folder / "secrets" / name
        if not file.exists():
            file.write_text(secrets.token_hex(32))
        return file

    def _write_settings(self) -> Path:
        """One file for all three parts: these tests are about walls and doors, not about who reads which file."""
        root = os.getuid() == 0
        place = {name: str(self.folder / name) for name in FOLDERS}
        settings = {
            "public_host": self.hub_url.rstrip("/"),
            "keeper_socket": place["keeper"] + "/control.sock",
            "doors_socket": place["doors"] + "/control.sock",
            "internal_socket": place["internal"] + "/portal.sock",
            "demo": True,
            "hub_socket": place["hub"] + "/api.sock",
            "proxy_api_socket": place["proxy"] + "/api.sock",
            "proxy_token_file": str(self._secret("proxy")),
            "database": {
                "host": str(self.postgres.folder),
                "port": self.postgres.port,
                "name": self.database,
                "role": "postgres",
                "password_file": str(self._secret("database")),
            },
            "cookie_secret_file": str(self._secret("cookie")),
            "portal_port": self.portal_port,
            "portal_token_file": str(self._secret("portal")),
            "doors_dir": place["d"],
            "homes_dir": place["homes"],
            "state_dir": place["state"],
            "sandbox_venv": str(VENV),
            "bubblewrap": shutil.which("bwrap"),
            "tenant_uid_base": 200000 if root else None,
            "doors_uid": os.getuid(),
            "hub_uid": os.getuid(),
            "probe_targets": [["127.0.0.1", self.port], ["127.0.0.1", self.portal_port]],
            "probe_paths": [place["secrets"], str(self.postgres.folder), place["gateway"], str(ROOT / "platform")],
            "gateway_socket": place["gateway"] + "/gateway.sock",
            "inbound_uids": [os.getuid()],
        }
        file = self.folder / "settings.json"
        file.write_text(json.dumps(settings))
        return file
