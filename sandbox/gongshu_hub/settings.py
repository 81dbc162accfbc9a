"""The settings of hub, keeper and doors: one JSON file each, the same fields, read once at start.

Secrets are paths of files. A part is given only the fields that it needs; a missing one stops it with the
field's name. Nothing here has a default that opens anything.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any


class SettingsError(Exception):
    """The settings file is missing or wrong; the message names the field."""


@dataclass(frozen=True)
class HubSettings:
    """Fields of the JSON file. `Path` fields are absolute paths; uids are numbers.

    All three parts
        public_host             ``http://gongshu.localhost:8000`` - no slash at the end; the Hub's own host
        keeper_socket           control socket of the keeper (its directory exists, 0755)
        doors_socket            control socket of the doors (its directory exists, owned by the doors' uid)
        internal_socket         the portal's internal socket (hub, doors)
        demo                    true in the demo: allows ordinary-user mode (announced)
    hub
        hub_socket              unix socket on which the Hub's API listens (also needed by doors)
        proxy_api_socket, proxy_token_file    configurable-http-proxy's API
        database                {"host": socket directory, "port", "name", "role", "password_file"}
        cookie_secret_file      32 bytes as hex
        portal_port             loopback TCP port of the portal (also needed by doors)
        portal_token_file       API token of the service ``portal``; also its OAuth client secret
        portal_prefix           default ``/services/portal``
    keeper
        doors_dir               sockets of each sandbox: ``<doors_dir>/<number>/`` (0711; keep it short)
        homes_dir               homes of the sandboxes (0711, owned by the keeper)
        state_dir               the keeper's own state (0700)
        sandbox_venv            built from sandbox/image/, readable by everybody
        bubblewrap              path of bwrap
        tenant_uid_base         200000 as root; null in ordinary-user mode (everything runs as this user)
        doors_uid, hub_uid      who may speak to the keeper (null in ordinary-user mode)
        memory_mib, processes, cpus, home_mib   limits of one sandbox
        probe_targets           [[host, port], …] loopback ports that the preflight must find closed
                                from inside (PostgreSQL, OPA, MinIO, portal, proxy)
        probe_paths             paths that the preflight must find absent (database directory, secrets)
    doors
        gateway_socket          the gateway's gRPC socket
        inbound_uids            uids that may use an inbound door: [hub, proxy] (empty: this user only)
    """

    public_host: str
    keeper_socket: Path
    doors_socket: Path
    internal_socket: Path
    demo: bool = False
    hub_socket: Path | None = None
    proxy_api_socket: Path | None = None
    proxy_token_file: Path | None = None
    database: dict[str, Any] | None = None
    cookie_secret_file: Path | None = None
    portal_port: int | None = None
    portal_token_file: Path | None = None
    portal_prefix: str = "/services/portal"
    doors_dir: Path | None = None
    homes_dir: Path | None = None
    state_dir: Path | None = None
    sandbox_venv: Path | None = None
    bubblewrap: Path | None = None
    tenant_uid_base: int | None = None
    doors_uid: int | None = None
    hub_uid: int | None = None
    memory_mib: int = 2048
    processes: int = 256
    cpus: int = 2
    home_mib: int = 2048
    probe_targets: list[list[Any]] = field(default_factory=list)
    probe_paths: list[str] = field(default_factory=list)
    gateway_socket: Path | None = None
    inbound_uids: list[int] = field(default_factory=list)

    def need(self, name: str) -> Any:
        """Return a field that this part cannot do without. Raises SettingsError naming it."""
        value = getattr(self, name)
        if value is None:
            raise SettingsError(f"配置缺少 {name}。The settings lack {name} (see gongshu_hub/settings.py).")
        return value

    def secret(self, name: str) -> str:
        """Return the content of a secret's file. Raises SettingsError when it is empty."""
        text = Path(self.need(name)).read_text().strip()
        if not text:
            raise SettingsError(f"密钥文件 {name} 为空。The secret file {name} is empty.")
        return text


def read_settings(path: Path) -> HubSettings:
    """Read the file. Raises SettingsError on an unknown field, a missing one or broken JSON."""
    try:
        raw = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SettingsError(f"配置文件无法读取 / cannot read {path}: {error}") from error
    known = {item.name: item for item in fields(HubSettings)}
    unknown = set(raw) - set(known)
    if unknown:
        raise SettingsError(f"未知的配置项 / unknown settings: {', '.join(sorted(unknown))}")
    for name, value in raw.items():
        if "Path" in str(known[name].type) and isinstance(value, str):
            raw[name] = Path(value)
    try:
        return HubSettings(**raw)
    except TypeError as error:
        raise SettingsError(f"配置不完整 / incomplete settings: {error}") from error


@lru_cache(maxsize=1)
def settings() -> HubSettings:
    """The settings of this process."""
    named = os.environ.get("GONGSHU_HUB_SETTINGS")
    if not named:
        raise SettingsError("没有设置 GONGSHU_HUB_SETTINGS。GONGSHU_HUB_SETTINGS is not set; start with make demo.")
    return read_settings(Path(named))
