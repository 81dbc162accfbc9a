"""What the machine must offer before anything is fetched; each lack is one sentence with what to do.

As root, missing Debian packages are installed; else the one line to run is printed. Nothing else of
the machine is changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.embedded.accounts import accounts_for
from deploy.embedded.errors import CannotGoOn
from deploy.embedded.places import ROOT, SYSTEM_PYTHON, TOOLS

GIB = 2**30
FIRST_TIME_GIB = 10
LATER_GIB = 3
MEMORY_GIB = 6
# Debian package -> a file or command that shows that it (or its like) is there.
FOR_ALL = {
    "openjdk-17-jdk-headless": "javac",
    "maven": "mvn",
    "python3-venv": "module:ensurepip",
    "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
    "util-linux": "setpriv",
}
FOR_TESTS = {
    "chromium": "chromium",
    "fonts-noto-cjk": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "libatomic1": "/usr/lib/x86_64-linux-gnu/libatomic.so.1",  # what drives the browser needs it
}


def require_all(versions: Mapping[str, str], *, tests: bool) -> None:
    """Raises CannotGoOn at the first lack that cannot be mended."""
    _require_python(versions["PYTHON_AT_LEAST"])
    _require_room()
    _require_packages(FOR_ALL | FOR_TESTS if tests else FOR_ALL)
    _require_java(int(versions["JAVA_AT_LEAST"]))
    _require_user_namespaces()


def python() -> str:
    """The Python that the environments are built on. Other accounts must be able to run it."""
    return str(SYSTEM_PYTHON) if SYSTEM_PYTHON.exists() else os.path.realpath(sys.executable)


def _require_python(at_least: str) -> None:
    words = [python(), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    found = subprocess.run(words, capture_output=True, text=True).stdout.strip()
    if _numbers(found) < _numbers(at_least):
        raise CannotGoOn(
            f"{python()} is Python {found or 'not there'}; {at_least} or newer is needed.",
            "Install it (Debian 12 or newer carries it): apt-get install -y python3",
        )


def _require_room() -> None:
    needed = LATER_GIB if (TOOLS / "stamps").exists() else FIRST_TIME_GIB
    free = shutil.disk_usage(ROOT).free / GIB
    if free < needed:
        raise CannotGoOn(
            f"{ROOT} has {free:.1f} GiB of free disk; {needed} GiB are needed.", "Free some, or use another disk."
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    if memory < MEMORY_GIB:
        raise CannotGoOn(
            f"The machine has {memory:.1f} GiB of memory; {MEMORY_GIB} GiB are needed.", "Use a larger one."
        )


def _require_packages(wanted: Mapping[str, str]) -> None:
    missing = [package for package, sign in wanted.items() if not _is_there(sign)]
    if not missing:
        return
    line = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise CannotGoOn(f"These Debian packages are missing: {' '.join(missing)}.", f"Run as root: {line}")
    print(f"▸ Debian packages: {' '.join(missing)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["apt-get", "update", "-q"], line.split()):
        done = subprocess.run(words, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise CannotGoOn(f"`{' '.join(words)}` failed: {done.stderr.strip()[-400:]}", "Mend it and run again.")


def _is_there(sign: str) -> bool:
    if sign.startswith("module:"):
        return subprocess.run([python(), "-c", f"import {sign[7:]}"], capture_output=True).returncode == 0
    return Path(sign).exists() if sign.startswith("/") else shutil.which(sign) is not None


def _require_java(at_least: int) -> None:
    done = subprocess.run(["javac", "-version"], capture_output=True, text=True)
    found = re.search(r"javac (\d+)", done.stdout + done.stderr)
    if not found or int(found[1]) < at_least:
        raise CannotGoOn(
            f"Java {at_least} or newer is needed; found {found[1] if found else 'none'}.",
            "Run as root: apt-get install -y --no-install-recommends openjdk-17-jdk-headless",
        )


def _require_user_namespaces() -> None:
    """Sandboxes are made of user namespaces; without them none may start (never a silent fallback)."""
    accounts = accounts_for(ROOT)
    become = ["setpriv", f"--reuid={accounts.first_id}", f"--regid={accounts.first_id}", "--clear-groups"]
    words = ["unshare", "--user", "--map-root-user", "--net", "true"]
    done = subprocess.run([*become, *words] if accounts.separate else words, capture_output=True, text=True, cwd="/")
    if done.returncode != 0:
        raise CannotGoOn(
            f"Unprivileged user namespaces are not available ({done.stderr.strip()}); sandboxes are made of them.",
            "Run as root: sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000"
            " kernel.apparmor_restrict_unprivileged_userns=0 (those that exist); in a container, allow them.",
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split(".") if number.isdigit())
