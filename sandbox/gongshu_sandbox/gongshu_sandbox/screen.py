"""What the screen was shown today, as the inbound door counts it; one calm line when little is left.

The door decides and cuts; this only reads its note, so that a person hears of it before and not after.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gongshu_sandbox.place import DOORS, words
from gongshu_sandbox.refusals import note

NEAR_PERCENT = 80
MIB = 1024 * 1024


@dataclass(frozen=True)
class Screen:
    """The door's note. `cut` counts messages that were too large for one."""

    day: str
    shown: int
    budget: int
    cut: int

    @property
    def near(self) -> bool:
        return self.shown * 100 >= self.budget * NEAR_PERCENT


def screen() -> Screen | None:
    """The door's note as it is now; None outside a sandbox."""
    try:
        said = json.loads((DOORS / "screen.json").read_text())
        return Screen(str(said["day"]), int(said["shown"]), int(said["budget"]), int(said["cut"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def too_large() -> str:
    return words(
        "有一条输出超过单条上限,没有显示,页面已重新连接。下一步:先汇总或抽样,再显示。",
        "One output was larger than may be shown at once; it was not shown and the page connected anew. "
        "Next: aggregate or sample before showing.",
    )


def little_left(now: Screen) -> str:
    part = f"{now.shown / MIB:,.0f} / {now.budget / MIB:,.0f} MiB"
    return words(
        f"今日屏幕显示的数据量已用 {part}(超过 {NEAR_PERCENT}%)。用完后页面暂停到明日零时。"
        "下一步:少显示明细,多显示汇总。",
        f"The screen was shown {part} today (over {NEAR_PERCENT}%). When it is used up, pages pause until midnight. "
        "Next: show totals rather than rows.",
    )


class Watcher:
    """Looks after each cell, and says each thing once in a kernel."""

    def __init__(self) -> None:
        first = screen()
        self.cut = first.cut if first else 0
        self.day_said = ""

    def __call__(self, *_: Any) -> None:
        now = screen()
        if now is None:
            return
        if now.cut > self.cut:
            note(too_large())
        if now.near and self.day_said != now.day:
            self.day_said = now.day
            note(little_left(now))
        self.cut = now.cut
