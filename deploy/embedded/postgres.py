"""PostgreSQL of the embedded default: the real server from the wheel, on a unix socket only.

One role per part with a random password, one owner role for migrations, one database for the house
and one for the Hub. No part's role owns a table; what each may touch is granted by the migrations.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from deploy.embedded.accounts import Accounts
from deploy.embedded.enclosure import enclose
from deploy.embedded.errors import CannotGoOn
from deploy.embedded.keys import Keys
from deploy.embedded.places import ROOT, RunFolder, postgres_binary

PORT = 5432  # only the name of the socket file
SUPERUSER = "postgres"
OWNER = "gongshu_owner"
# Role -> the part that holds its password.
ROLES = {
    OWNER: "setup",
    "gongshu_portal": "portal",
    "gongshu_gateway": "gateway",
    "gongshu_worker": "worker",
    "gongshu_hub": "hub",
}


def prepare(keys: Keys) -> None:
    """A password for each role and for the superuser, made the first time."""
    keys.random("postgres", "superuser")
    for role, part in ROLES.items():
        keys.random(part, f"{role}.password")


def initialise(run: RunFolder, accounts: Accounts) -> None:
    """Make the cluster once. An initdb that was cut off is thrown away and made again."""
    data = run.path / "postgres" / "data"
    made = run.path / "postgres" / "made"
    if made.exists():
        return
    for left in data.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    password = run.secret("postgres", "superuser")
    command = [str(postgres_binary("initdb")), "-D", str(data), "-U", SUPERUSER, f"--pwfile={password}"]
    command += ["--auth=scram-sha-256", "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    enclosed = enclose(run, accounts, [*accounts.become("postgres"), *command])
    done = subprocess.run(enclosed, env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise CannotGoOn(f"PostgreSQL could not be initialised: {done.stderr.strip()[-400:]}", "Free disk space?")
    made.touch()


def command(run: RunFolder) -> list[str]:
    data = run.path / "postgres" / "data"
    settings = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(run.sockets / "postgres"),
        "unix_socket_permissions": "0770",
        "max_connections": "120",
        "shared_buffers": "128MB",
        "fsync": "on",
        "log_min_messages": "warning",
    }
    return [str(postgres_binary("postgres")), "-D", str(data), *(f"-c{k}={v}" for k, v in settings.items())]


def superuser_dsn(run: RunFolder, database: str = "postgres") -> str:
    """A connection string for set-up only; reads the superuser's password file."""
    password = run.secret("postgres", "superuser").read_text().strip()
    host = run.sockets / "postgres"
    return f"host={host} port={PORT} dbname={database} user={SUPERUSER} password={password} connect_timeout=2"


def settle(run: RunFolder, keys: Keys) -> None:
    """Roles, databases and the tables of every room, brought to the newest state. Idempotent."""
    _make_roles(run, keys)
    os.environ.pop("GONGSHU_SETTINGS", None)
    from gongshu.migrations import migrate  # the platform's code, not there while setting up

    password = run.secret("setup", f"{OWNER}.password").read_text()
    migrate(f"postgresql+psycopg://{OWNER}:{password}@/gongshu?host={run.sockets / 'postgres'}&port={PORT}")


def _make_roles(run: RunFolder, keys: Keys) -> None:
    import psycopg
    from psycopg import sql

    with psycopg.connect(superuser_dsn(run), autocommit=True) as connection:
        there = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        for role, part in ROLES.items():
            password = keys.random(part, f"{role}.password").read_text()
            verb = "ALTER" if role in there else "CREATE"
            connection.execute(
                sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                    sql.SQL(verb), sql.Identifier(role), sql.Literal(password)
                )
            )
        databases = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        for name, owner in (("gongshu", OWNER), ("gongshu_hub", "gongshu_hub")):
            if name not in databases:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner))
                )
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        # Not for the Hub's database: the Hub keeps a transaction open between requests.
        connection.execute("ALTER DATABASE gongshu SET idle_in_transaction_session_timeout = '60s'")
        connection.execute("GRANT CONNECT ON DATABASE gongshu TO gongshu_portal, gongshu_gateway, gongshu_worker")


def password_file(run: RunFolder, role: str) -> Path:
    return run.secret(ROLES[role], f"{role}.password")
