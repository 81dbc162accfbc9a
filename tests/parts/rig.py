"""One engine for a whole test run, and a gateway with a world of its own for the tests that ask for it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gongshu.audit import UnitOfWork, Vault
from gongshu.clock import SystemClock
from gongshu.database import Sessions, open_engine, open_sessions
from gongshu.gateway.asking import Asker
from gongshu.gateway.engine import Engine, EngineSettings, start_engine
from gongshu.gateway.server import DATABASE_SECONDS
from gongshu.policy import Opa
from gongshu.settings import Settings
from tests.parts.gateway import RunningGateway
from tests.parts.opa import OpaServer
from tests.parts.places import ROOT
from tests.parts.postgres import Postgres
from tests.parts.store import Store

TOOLS = ROOT / ".tools"


def start_test_engine(folder: Path, store: Store, memory_mib: int = 1536) -> Engine:
    access, secret = store.settings.key()
    credentials = folder / "aws"
    credentials.write_text(f"[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n")
    credentials.chmod(0o600)
    return start_engine(
        EngineSettings(
            run_dir=folder,
            jars_dir=TOOLS / "jars",
            helper_jar=Path(os.environ.get("GONGSHU_HELPER_JAR", TOOLS / "helper" / "gongshu-spark-helper.jar")),
            memory_mib=memory_mib,
            store_endpoint=store.endpoint,
            aws_credentials_file=credentials,
        )
    )


@dataclass
class World:
    """A gateway, its database as owner, and how to write as the portal does."""

    gateway: RunningGateway
    sessions: Sessions
    new_work: Callable[[], UnitOfWork]
    settings: Settings


def start_world(
    folder: Path, postgres: Postgres, opa: OpaServer, store: Store, engine: Engine, *, opa_url: str | None = None
) -> World:
    """A gateway on a fresh database; the gateway's own connections have the gateway's own role."""
    name = postgres.fresh_database()
    postgres.run("ALTER ROLE gongshu_gateway LOGIN")
    vault = Vault(secrets.token_bytes(32))
    clock = SystemClock()
    owner = open_sessions(open_engine(postgres.url(name)))
    settings = Settings(
        part="gateway",
        demo=True,
        run_dir=folder,
        gateway_socket=folder / f"{name}.gw",
        hub_api_socket=folder / f"{name}.hub",
        store=store.settings,
        quarantine_store=store.settings,
    )
    asker = Asker(
        open_sessions(open_engine(postgres.url(name, "gongshu_gateway"), answer_seconds=DATABASE_SECONDS)),
        Opa(opa_url or opa.url, 500),
        clock,
        vault,
        instance="gateway",
        time_zone="Asia/Shanghai",
        mask_root=secrets.token_bytes(32),
    )
    gateway = RunningGateway(settings, asker, engine)
    return World(gateway, owner, lambda: UnitOfWork(owner, writer="portal", clock=clock, vault=vault), settings)
