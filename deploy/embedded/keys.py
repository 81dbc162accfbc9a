"""Passwords and keys of one house: random, made once, one file each, readable by one part only.

They are never printed and never put on a command line or into an environment.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from deploy.embedded.accounts import Accounts
from deploy.embedded.places import RunFolder


class Keys:
    """Makes and hands out the secrets below RUN/secrets."""

    def __init__(self, run: RunFolder, accounts: Accounts) -> None:
        self._run = run
        self._accounts = accounts

    def random(self, part: str, name: str) -> Path:
        """A secret of one part: 64 hex digits, made the first time."""
        path = self._run.secret(part, name)
        if not path.exists():
            self.write(part, name, secrets.token_hex(32))
        return path

    def shared(self, name: str, *parts: str) -> str:
        """One value that several parts hold, each in a file of its own."""
        source = self._run.secret("setup", name)
        if not source.exists():
            self._put(source, secrets.token_hex(32))
        value = source.read_text()
        for part in parts:
            self.write(part, name, value)
        return value

    def write(self, part: str, name: str, value: str) -> Path:
        path = self._run.secret(part, name)
        self._put(path, value)
        if part != "setup":
            self._accounts.hand_over(path.parent, part, 0o700)
            self._accounts.hand_over(path, part, 0o400)
        return path

    def _put(self, path: Path, value: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.stat().st_uid == os.geteuid():
            path.parent.chmod(0o700)
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
            file.write(value)
        new.replace(path)
