"""The folders of a house and who may enter them.

Folders that several parts must walk through are 0711: passable, not listable. Each part's own folders
are 0700 and its own. A socket's folder is open to the group of those who may connect.
"""

from __future__ import annotations

import os
from pathlib import Path

from deploy.embedded.accounts import KEEPER, PARTS, SOCKET_GROUPS, Accounts
from deploy.embedded.errors import CannotGoOn
from deploy.embedded.places import RunFolder

PASSABLE = ("config", "secrets", "work", "logs", "opa", "hub", "homes", "postgres", "minio", "supervisor")


def make(run: RunFolder, accounts: Accounts) -> None:
    """Make what is missing and set the modes right. Raises CannotGoOn if a folder is somebody else's."""
    run.path.mkdir(parents=True, exist_ok=True)
    for folder in (run.path, run.sockets, *(run.path / name for name in PASSABLE), run.sockets / "d"):
        _passable(folder)
    _own(run.path / "secrets" / "setup")
    _own(run.path / "hub" / "keeper")
    for part in PARTS:
        for folder in (run.path / "secrets" / part, run.path / "work" / part):
            folder.mkdir(exist_ok=True)
            accounts.hand_over(folder, part, 0o700)
    for part in ("postgres", "minio"):
        folder = run.path / part / "data"
        folder.mkdir(exist_ok=True)
        accounts.hand_over(folder, part, 0o700)
    (run.path / "spark").mkdir(exist_ok=True)
    accounts.hand_over(run.path / "spark", "gateway", 0o700)
    for group, (owner, _) in SOCKET_GROUPS.items():
        _for_group(run.sockets / group, accounts, owner, group)
    (run.sockets / KEEPER).mkdir(exist_ok=True)
    (run.sockets / KEEPER).chmod(0o755)


def _passable(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise CannotGoOn(f"{folder} belongs to another user.", "Run as that user, or remove the folder.")
    folder.chmod(0o711)


def _own(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)


def _for_group(folder: Path, accounts: Accounts, owner: str, group: str) -> None:
    folder.mkdir(exist_ok=True)
    if accounts.separate:
        os.chown(folder, accounts.uid(owner), accounts.socket_gid(group))
    folder.chmod(0o2750 if accounts.separate else 0o700)
