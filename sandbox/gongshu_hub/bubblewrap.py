"""The walls of a sandbox: the one place that writes bubblewrap's arguments.

No network namespace but an empty one, no capability, no second user namespace, a read-only system, sized
tmpfs, one private home, the doors' sockets and nothing else. Arguments travel through a file descriptor,
because a command line can be read by everybody on the machine. Starting a sandbox without these walls is
not possible: there is no other way to start one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from gongshu_hub.seccomp import filter_program

VENV = "/opt/gongshu/venv"
PYTHON = f"{VENV}/bin/python"
DOORS = "/run/doors"
MIB = 1024 * 1024
NAMESPACES = [
    "--unshare-user",
    "--unshare-ipc",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--disable-userns",
    "--uid",
    "1000",
    "--gid",
    "1000",
    "--new-session",
    "--die-with-parent",
    "--cap-drop",
    "ALL",
]
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/alternatives", "/etc/mime.types")


@dataclass(frozen=True)
class Room:
    """What one sandbox is made of. Paths are the machine's; the sandbox sees its own names for them."""

    host_name: str
    user: str
    home: Path
    venv: Path
    doors: Path | None
    files: dict[str, bytes] = field(default_factory=dict)
    tmp_mib: int = 512

    @property
    def home_inside(self) -> str:
        return f"/home/{self.user}"


def data_descriptor(content: bytes) -> int:
    """An anonymous file with `content`, read from its start; the caller closes it."""
    number = os.memfd_create("gongshu", 0)
    os.write(number, content)
    os.lseek(number, 0, os.SEEK_SET)
    return number


def account_files(user: str, host_name: str) -> dict[str, bytes]:
    """The few files of /etc that programs expect; they name nobody of the machine."""
    return {
        "/etc/passwd": f"{user}:x:1000:1000::/home/{user}:/bin/bash\n".encode(),
        "/etc/group": f"{user}:x:1000:\n".encode(),
        "/etc/hosts": f"127.0.0.1 localhost {host_name}\n".encode(),
        "/etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files\n",
        "/etc/resolv.conf": b"",
    }


def write_arguments(room: Room, command: list[str]) -> tuple[list[str], list[int]]:
    """Return bubblewrap's arguments and the descriptors they name (the caller passes and closes them)."""
    descriptors: list[int] = []

    def data(path: str, content: bytes) -> list[str]:
        descriptors.append(data_descriptor(content))
        return ["--ro-bind-data", str(descriptors[-1]), path]

    arguments = [*NAMESPACES, "--hostname", room.host_name, *_system(), *_python(room.venv)]
    for path, content in {**account_files(room.user, room.host_name), **room.files}.items():
        arguments += data(path, content)
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for path, size_mib in (("/dev/shm", 256), ("/tmp", room.tmp_mib), ("/run", 16)):
        arguments += ["--perms", "0700" if path == "/run" else "1777", "--size", str(size_mib * MIB), "--tmpfs", path]
    if room.doors:
        arguments += ["--ro-bind", str(room.doors), DOORS]
    arguments += ["--bind", str(room.home), room.home_inside, "--remount-ro", "/dev", "--remount-ro", "/"]
    descriptors.append(data_descriptor(filter_program()))
    arguments += ["--seccomp", str(descriptors[-1]), "--chdir", room.home_inside]
    return [*arguments, "--", *command], descriptors


def _system() -> list[str]:
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"):
        path = Path("/") / name
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    for name in SYSTEM_FILES:
        arguments += ["--ro-bind-try", name, name]
    return arguments


def _python(venv: Path) -> list[str]:
    arguments = ["--ro-bind", str(venv), VENV]
    # A Python from outside /usr (a managed one) must be there as well, read-only, under its own path.
    real = (venv / "bin" / "python").resolve()
    if not real.is_relative_to("/usr"):
        prefix = real.parent.parent
        arguments += ["--ro-bind", str(prefix), str(prefix)]
    return arguments
