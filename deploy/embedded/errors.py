"""The one way in which set-up and start give up: what happened and what to do, in one breath."""

from __future__ import annotations


class CannotGoOn(Exception):
    """Set-up or start cannot continue. The caller prints both sentences and exits non-zero."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(f"{what} {next_step}")
        self.what = what
        self.next_step = next_step
