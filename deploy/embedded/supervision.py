"""The supervisor of a house: `supervisor` from PyPI as a process of its own.

It restarts a part that dies and keeps a log per part. Which part starts when is decided by `instance`,
which asks it to; so nothing starts before what it needs is healthy.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from deploy.embedded.accounts import Accounts
from deploy.embedded.enclosure import enclose
from deploy.embedded.errors import CannotGoOn
from deploy.embedded.places import PYTHON, ROOT, VENV, RunFolder
from deploy.embedded.processes import Process, end, family, identify

STOP_SECONDS = 45


@dataclass(frozen=True)
class Program:
    """One part as the supervisor sees it. priority: parts with a higher one are stopped first."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    priority: int = 500


def write_configuration(run: RunFolder, programs: list[Program]) -> Path:
    """Write supervisord's file. Values are quoted for its own format; `%` is doubled."""
    folder = run.path / "supervisor"
    parts = [
        f"[unix_http_server]\nfile={_value(str(_control_socket(run)))}\nchmod=0600\n",
        f"[supervisord]\nnodaemon=true\nlogfile={_value(str(folder / 'supervisord.log'))}\n"
        f"pidfile={_value(str(folder / 'supervisord.pid'))}\nchildlogdir={_value(str(run.path / 'logs'))}\n"
        f"logfile_maxbytes=5MB\nlogfile_backups=1\nminfds=4096\n{_root_line()}",
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n",
        _recorder(run),
        *(_section(run, program) for program in programs),
    ]
    path = folder / "supervisord.conf"
    path.write_text("\n".join(parts))
    path.chmod(0o600)
    return path


def _root_line() -> str:
    return "user=root\n" if os.geteuid() == 0 else ""  # says that root is meant; parts leave it by themselves


def _section(run: RunFolder, program: Program) -> str:
    environment = ",".join(f'{k}="{_value(v)}"' for k, v in program.environment.items())
    return (
        f"[program:{program.name}]\ncommand={_value(_command_line(program.command))}\ndirectory={_value(str(ROOT))}\n"
        f"environment={environment}\nautostart=false\nautorestart=true\nstartsecs=1\nstartretries=1000000\n"
        f"stopsignal={program.stop_signal}\nstopwaitsecs=15\nkillasgroup=true\numask=007\npriority={program.priority}\n"
        f"redirect_stderr=true\nstdout_logfile={_value(str(run.log(program.name)))}\n"
        "stdout_logfile_maxbytes=10MB\nstdout_logfile_backups=2\n"
    )


def _recorder(run: RunFolder) -> str:
    command = [str(PYTHON), "-m", "deploy.embedded.recorder", str(run.path)]
    return (
        f"[eventlistener:recorder]\ncommand={_value(_command_line(command))}\ndirectory={_value(str(ROOT))}\n"
        f"events=PROCESS_STATE_RUNNING\nautorestart=true\npriority=1\n"
        f"stderr_logfile={_value(str(run.log('recorder')))}\nstderr_logfile_maxbytes=1MB\n"
    )


def _value(text: str) -> str:
    return text.replace("%", "%%")


def _command_line(words: list[str]) -> str:
    return " ".join("'" + w.replace("'", "'\"'\"'") + "'" for w in words)


def _control_socket(run: RunFolder) -> Path:
    return run.sockets / "supervisor.sock"


def launch(run: RunFolder, accounts: Accounts, configuration: Path) -> Process:
    """Start the supervisor, in its enclosure when root, and wait until it answers."""
    folder = run.path / "supervisor"
    supervisord = [str(PYTHON), str(VENV / "bin" / "supervisord"), "-c", str(configuration)]
    command = enclose(run, accounts, supervisord)
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment |= {name: os.environ[name] for name in ("JAVA_HOME",) if name in os.environ}
    with (folder / "console.log").open("ab") as console:
        started = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if started.poll() is not None:
            break
        try:
            proxy(run).supervisor.getState()
        except (OSError, Fault):
            time.sleep(0.05)
            continue
        process = identify(started.pid)
        if process:
            return process
    lines = (folder / "console.log").read_text(errors="replace").splitlines()[-5:]
    raise CannotGoOn(
        "The supervisor did not start: " + " | ".join(lines),
        "As root it needs a private mount namespace (CAP_SYS_ADMIN); run as an ordinary user where that is withheld.",
    )


def proxy(run: RunFolder) -> Any:
    from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

    return ServerProxy("http://127.0.0.1", transport=SupervisorTransport(None, None, f"unix://{_control_socket(run)}"))


def running(run: RunFolder) -> Process | None:
    """The supervisor of this run folder, if it is alive (and is not another process with its pid)."""
    try:
        pid = int((run.path / "supervisor" / "supervisord.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    ours = os.fsencode(run.path / "supervisor" / "supervisord.conf")
    return identify(pid) if ours in command else None


def stop(supervisor: Process) -> None:
    """Stop all parts in reverse order, then whatever they left behind; nothing else."""
    everything = family(supervisor)
    supervisor.send(signal.SIGTERM)
    end([supervisor], STOP_SECONDS)
    end(everything, 3)
