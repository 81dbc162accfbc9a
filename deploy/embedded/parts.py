"""The table of parts: how each one is started, what it needs before, how to see that it is well.

To add a part, add a row. Commands exec into the part itself: the pid the supervisor knows is the part's own.
"""

from __future__ import annotations

import http.client
import shlex
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deploy.embedded import postgres, store
from deploy.embedded.configuration import HOST, PORTAL_PREFIX, House
from deploy.embedded.errors import CannotGoOn
from deploy.embedded.places import OPA, PROXY_SCRIPT, PYTHON, ROOT, VENV, node

GONGSHU = str(VENV / "bin" / "gongshu")


def _nothing(_: House) -> None:
    """Nothing to do before or after."""


@dataclass(frozen=True)
class Part:
    """command and environment: of the process. is_well: raises OSError until the part answers.

    prepare runs before the start, settle once it is well; both are idempotent.
    """

    name: str
    command: Callable[[House], list[str]]
    is_well: Callable[[House], None]
    needs: tuple[str, ...] = ()
    environment: Callable[[House], Mapping[str, str]] = field(default=lambda _: {})
    prepare: Callable[[House], None] = _nothing
    settle: Callable[[House], None] = _nothing
    stop_signal: str = "TERM"
    patience_seconds: int = 90


def _gongshu(verb: str) -> Callable[[House], list[str]]:
    return lambda _: [str(PYTHON), GONGSHU, verb]


def _hub_settings(part: str) -> Callable[[House], Mapping[str, str]]:
    return lambda house: {"GONGSHU_HUB_SETTINGS": str(house.run.config(part))}


def _settings(part: str) -> Callable[[House], Mapping[str, str]]:
    return lambda house: {"GONGSHU_SETTINGS": str(house.run.config(part))}


def _postgres_is_well(house: House) -> None:
    import psycopg

    try:
        psycopg.connect(postgres.superuser_dsn(house.run)).close()
    except psycopg.OperationalError as error:
        raise ConnectionError(str(error)) from error


def _answers(port_name: str, path: str, *good: int) -> Callable[[House], None]:
    def ask(house: House) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", house.ports[port_name], timeout=3)
        try:
            connection.request("GET", path, headers={"Host": f"{HOST}:{house.ports[port_name]}"})
            status = connection.getresponse().status
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()
        if status not in good:
            raise ConnectionError(f"{path} answers {status}")

    return ask


def _listens(*names: tuple[str, str]) -> Callable[[House], None]:
    def connect(house: House) -> None:
        for group, name in names:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(3)
                probe.connect(str(house.run.socket(group, name)))

    return connect


def _worker_is_well(house: House) -> None:
    """The worker listens nowhere; it is well when it says in the database that it publishes."""
    import psycopg

    query = "SELECT state = 'running' AND beat_at > now() - interval '5 seconds' FROM audit_publisher"
    try:
        with psycopg.connect(postgres.superuser_dsn(house.run, "gongshu")) as connection:
            row = connection.execute(query).fetchone()
    except psycopg.Error as error:
        raise ConnectionError(str(error)) from error
    if row is None or not row[0]:
        raise ConnectionError("it does not publish yet")


def _build_bundle(house: House) -> None:
    """The policies as one deterministic file, whose revision is the digest of its content."""
    target = house.policy_bundle
    done = subprocess.run(
        [str(PYTHON), GONGSHU, "policy", "bundle", str(target)], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise CannotGoOn(f"The policy bundle cannot be built: {done.stderr.strip()[-600:]}", "Correct policies/.")
    target.chmod(0o644)


def _opa_command(house: House) -> list[str]:
    address = f"127.0.0.1:{house.ports['opa']}"
    return [
        str(OPA), "run", "--server", "--addr", address, "--authorization=basic", "--disable-telemetry",
        "--log-level=error", "--bundle", str(house.policy_bundle),
    ]  # fmt: skip


def _proxy_command(house: House) -> list[str]:
    """The token comes from a file into the proxy's own environment, never onto a command line."""
    token = shlex.quote(str(house.run.secret("proxy", "proxy-token")))
    words = [
        str(node()), str(PROXY_SCRIPT), "--ip", "127.0.0.1", "--port", str(house.ports["proxy"]),
        "--api-socket", str(house.run.socket("proxy", "api.sock")), "--host-routing", "--log-level", "warn",
    ]  # fmt: skip
    api = shlex.quote(str(house.run.socket("proxy", "api.sock")))
    script = f'rm -f {api}; CONFIGPROXY_AUTH_TOKEN="$(cat {token})" exec {shlex.join(words)}'
    return ["/bin/sh", "-c", script]


def _hub_command(_: House) -> list[str]:
    return [str(PYTHON), str(VENV / "bin" / "jupyterhub"), "-f", str(ROOT / "sandbox" / "gongshu_hub" / "config.py")]


PARTS: tuple[Part, ...] = (
    Part(
        "postgres",
        lambda house: postgres.command(house.run),
        _postgres_is_well,
        prepare=lambda house: postgres.initialise(house.run, house.accounts),
        settle=lambda house: postgres.settle(house.run, house.keys),
        stop_signal="INT",  # PostgreSQL's fast shutdown
    ),
    Part(
        "minio",
        lambda house: store.command(house.run, house.ports["minio"]),
        _answers("minio", "/minio/health/ready", 200),
        environment=lambda house: store.environment(house.run),
        prepare=lambda house: store.prepare(house.run, house.keys),
        settle=lambda house: store.settle(house.run, house.ports["minio"]),
    ),
    Part("opa", _opa_command, _answers("opa", "/health", 200), prepare=_build_bundle),
    Part("proxy", _proxy_command, _listens(("proxy", "api.sock"))),
    Part(
        "keeper",
        lambda _: [str(PYTHON), "-m", "gongshu_hub.keeper"],
        _listens(("keeper", "control.sock")),
        environment=_hub_settings("keeper"),
    ),
    Part(
        "worker",
        _gongshu("worker"),
        _worker_is_well,
        needs=("postgres", "minio"),
        environment=_settings("worker"),
    ),
    Part(
        "portal",
        _gongshu("portal"),
        _answers("portal", f"{PORTAL_PREFIX}/api/v1/me", 200, 401),
        needs=("postgres", "minio", "opa"),
        environment=_settings("portal"),
    ),
    Part(
        "gateway",
        _gongshu("gateway"),
        _listens(("gateway", "gateway.sock")),
        needs=("postgres", "minio", "opa"),
        environment=_settings("gateway"),
        patience_seconds=180,
    ),
    Part(
        "doors",
        lambda _: [str(PYTHON), "-m", "gongshu_hub.doors"],
        _listens(("doors", "control.sock")),
        needs=("keeper",),
        environment=_hub_settings("doors"),
    ),
    Part(
        "hub",
        _hub_command,
        _answers("proxy", "/hub/api", 200),
        needs=("postgres", "proxy", "keeper", "doors", "portal"),
        environment=_hub_settings("hub"),
        patience_seconds=120,
    ),
)
