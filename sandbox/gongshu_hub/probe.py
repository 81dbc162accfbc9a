"""Run inside a throw-away sandbox (and once outside, as the control): tries to get out, prints what answered.

Standard library only: it is handed into the sandbox as one file. Each attempt is bounded in time.
Input: one JSON line on stdin, ``{"targets": [[host, port]], "paths": [], "abstract": []}``; output: one JSON line.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

SECONDS = 1.0
NETLINK, PACKET = 16, 17
SYSCALLS = {
    "x86_64": {"keyctl": 250, "io_uring": 425, "ptrace": 101, "bpf": 321, "unshare": 272, "userfaultfd": 323},
    "aarch64": {"keyctl": 219, "io_uring": 425, "ptrace": 117, "bpf": 280, "unshare": 97, "userfaultfd": 282},
}
CALLS: dict[str, tuple[int, ...]] = {  # arguments with which the call succeeds, or fails otherwise than by a ban
    "keyctl": (0, -3, 0),
    "io_uring": (1, 0),
    "ptrace": (0, 0, 0, 0),
    "bpf": (99, 0, 0),
    "unshare": (0x10000000,),
    "userfaultfd": (1,),
}

Attempt = Callable[[], bool]


def tcp(host: str, port: int) -> bool:
    with socket.create_connection((host, port), timeout=SECONDS):
        return True


def udp(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.settimeout(SECONDS)
        end.sendto(b"gongshu", (host, port))
        return True


def name_lookup(name: str) -> bool:
    return bool(socket.getaddrinfo(name, 80))


def family(number: int, kind: int) -> bool:
    with socket.socket(number, kind):
        return True


def abstract_socket(name: str) -> bool:
    with socket.socket(socket.AF_UNIX) as end:
        end.settimeout(SECONDS)
        end.connect("\0" + name)
        return True


def forbidden_call(name: str) -> bool:
    """True when the kernel would do it; a filter answers EPERM, its absence anything else."""
    number = SYSCALLS.get(os.uname().machine, {}).get(name)
    if number is None:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    pid = os.fork()
    if pid == 0:
        answer = libc.syscall(number, *[ctypes.c_long(value) for value in CALLS[name]])
        failed = answer == -1 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS)
        os._exit(1 if failed else 0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def there(path: str) -> bool:
    Path(path).stat()
    return True


def other_processes() -> bool:
    """Processes of anybody else that can be seen: inside, only our own namespace's."""
    mine = os.getuid()
    return any(entry.name.isdigit() and entry.stat().st_uid != mine for entry in Path("/proc").iterdir())


def network_devices() -> bool:
    devices = Path("/sys/class/net")
    return devices.is_dir() and any(entry.name != "lo" for entry in devices.iterdir())


def attempts(question: dict[str, Any]) -> Iterator[tuple[str, Attempt]]:
    yield "udp 192.0.2.1:53", partial(udp, "192.0.2.1", 53)
    yield "tcp 192.0.2.1:80", partial(tcp, "192.0.2.1", 80)
    yield "dns example.com", partial(name_lookup, "example.com")
    yield "vsock", partial(family, getattr(socket, "AF_VSOCK", 40), socket.SOCK_STREAM)
    yield "netlink", partial(family, NETLINK, socket.SOCK_RAW)
    yield "raw socket", partial(family, socket.AF_INET, socket.SOCK_RAW)
    yield "packet socket", partial(family, PACKET, socket.SOCK_RAW)
    for host, port in question["targets"]:
        yield f"tcp {host}:{port}", partial(tcp, host, port)
    for name in question.get("abstract", []):
        yield f"abstract socket {name}", partial(abstract_socket, name)
    for path in question["paths"]:
        yield f"path {path}", partial(there, path)
    for name in CALLS:
        yield f"call {name}", partial(forbidden_call, name)
    yield "processes of others", other_processes
    yield "network devices", network_devices


def main() -> None:
    rows = []
    for name, attempt in attempts(json.loads(sys.stdin.readline())):
        try:
            answered, detail = attempt(), ""
        except Exception as error:  # every failure to get out is the wanted answer; the class is shown
            answered, detail = False, f"{type(error).__name__}: {str(error)[:80]}"
        rows.append({"attempt": name, "answered": answered, "detail": detail})
    print(json.dumps({"rows": rows, "uid": os.getuid()}))


if __name__ == "__main__":
    main()
