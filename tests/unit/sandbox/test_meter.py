"""The day's budget of a screen: exact to the byte, kept over restarts, new at midnight."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gongshu_hub.doors.meter import STEP, Meter

EVENING = datetime(2026, 11, 23, 23, 59, tzinfo=ZoneInfo("Asia/Shanghai"))


class Clock:
    now = EVENING

    def __call__(self) -> datetime:
        return self.now


def meter(folder: Path, budget: int, clock: Clock) -> Meter:
    return Meter(folder / "1.json", folder / "screen.json", budget, clock)


def test_last_byte_of_the_day_passes_and_the_next_does_not(tmp_path: Path) -> None:
    one = meter(tmp_path, 100, Clock())
    assert one.admit(99) and not one.spent
    assert one.admit(1) and one.spent
    assert not one.admit(1)


def test_what_does_not_fit_ends_the_day(tmp_path: Path) -> None:
    one = meter(tmp_path, 100, Clock())
    assert not one.admit(101)
    assert one.spent and not one.admit(1)


def test_a_new_start_does_not_begin_a_new_day_but_midnight_does(tmp_path: Path) -> None:
    clock = Clock()
    first = meter(tmp_path, 10 * STEP, clock)
    first.admit(10 * STEP)
    first.close()
    again = meter(tmp_path, 10 * STEP, clock)
    assert again.spent
    clock.now = EVENING + timedelta(minutes=1)
    assert not again.spent and again.admit(1) and again.shown == 1


def test_a_crash_forgets_less_than_a_step(tmp_path: Path) -> None:
    clock = Clock()
    lost = meter(tmp_path, 100 * STEP, clock)
    for _ in range(50):
        lost.admit(STEP // 3)
    assert lost.shown - meter(tmp_path, 100 * STEP, clock).shown < STEP


def test_the_sandbox_is_told_at_four_fifths(tmp_path: Path) -> None:
    one = meter(tmp_path, 1000, Clock())
    one.admit(799)
    assert json.loads((tmp_path / "screen.json").read_text())["shown"] == 0
    one.admit(1)
    assert json.loads((tmp_path / "screen.json").read_text()) == {
        "day": "2026-11-23", "shown": 800, "budget": 1000, "cut": 0,
    }  # fmt: skip


def test_a_broken_file_counts_from_nothing_and_does_not_stop_the_doors(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text("{")
    assert meter(tmp_path, 10, Clock()).shown == 0
