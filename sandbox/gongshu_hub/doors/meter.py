"""How much a sandbox's screen was shown today, against what the grant allows in a day.

The count is kept in a file of the doors, so that neither a new start of the sandbox nor one of the doors
begins a new day; it must never let one byte pass beyond the day's budget.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

STEP = 1024 * 1024  # written when so much more was shown: what a crash of the doors can forget
NOTICE_PERCENT = 80
NOTICE_FILE = "screen.json"  # in the folder that the sandbox sees as /run/doors


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Meter:
    """The bytes of one sandbox and one day. `file` is the doors' own; `notice` is what the sandbox may read."""

    file: Path
    notice: Path
    budget: int
    today: Callable[[], datetime] = _now  # in the house's time zone: its date is the day
    shown: int = 0
    cut: int = 0
    day: str = ""
    _written: int = field(default=0, init=False)
    _told: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self.file.read_text())
            self.day, self.shown = str(kept["day"]), int(kept["shown"])
        self._turn_page()
        self._write()

    @property
    def spent(self) -> bool:
        """Whether nothing more may be shown today."""
        self._turn_page()
        return self.shown >= self.budget

    def admit(self, size: int) -> bool:
        """Count `size` bytes that are about to be shown; False, and the day is over, when they do not fit."""
        self._turn_page()
        if self.shown + size > self.budget:
            self.shown = self.budget
            self._write()
            return False
        self.shown += size
        if self.shown - self._written >= STEP or self._is_near() != self._told:
            self._write()
        return True

    def was_cut(self) -> None:
        """A message was too large for one; the sandbox is told, as its page cannot be."""
        self.cut += 1
        self._write()

    def close(self) -> None:
        """Keep the count of a sandbox that ends."""
        self._write()

    def _is_near(self) -> bool:
        return self.shown * 100 >= self.budget * NOTICE_PERCENT

    def _turn_page(self) -> None:
        day = self.today().date().isoformat()
        if day != self.day:
            self.day, self.shown = day, 0
            self._write()

    def _write(self) -> None:
        self._written, self._told = self.shown, self._is_near()
        facts = {"day": self.day, "shown": self.shown, "budget": self.budget, "cut": self.cut}
        for file in (self.file, self.notice):
            draft = file.with_suffix(".new")
            with contextlib.suppress(OSError):  # a full disk must not open the door: the count in memory holds
                draft.write_text(json.dumps(facts))
                draft.replace(file)
