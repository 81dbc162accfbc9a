"""Runs the steps of set-up side by side and says how far they are.

A step that is done leaves a stamp with the digest of what it was made from; the same digest again is
not done again. A step that was cut off left no stamp: the next run does it again.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.errors import CannotGoOn
from deploy.embedded.places import ROOT, TOOLS

SAY_EVERY_SECONDS = 15


@dataclass(frozen=True)
class Step:
    """made_from: files and words whose digest keys the stamp. makes: what must exist for the stamp to count."""

    name: str
    action: Callable[[Step], None]
    made_from: Sequence[Path | str]
    makes: Sequence[Path] = ()
    needs: Sequence[str] = ()

    @property
    def log(self) -> Path:
        return TOOLS / "logs" / f"{self.slug}.log"

    @property
    def slug(self) -> str:
        return self.name.split(":")[0].replace(" ", "-")

    @property
    def stamp(self) -> Path:
        return TOOLS / "stamps" / self.slug

    def digest(self) -> str:
        hashed = hashlib.sha256()
        for source in self.made_from:
            hashed.update(source.read_bytes() if isinstance(source, Path) else source.encode())
        return hashed.hexdigest()

    def is_done(self) -> bool:
        try:
            return self.stamp.read_text() == self.digest() and all(path.exists() for path in self.makes)
        except OSError:
            return False

    def run(self, command: Iterable[str | Path], **environment: str) -> None:
        """Run a command of this step, its words in the step's log. Raises CannotGoOn with the last of them."""
        with self.log.open("ab") as log:
            done = subprocess.run(
                [str(word) for word in command], cwd=ROOT, env={**os.environ, **environment},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        if done.returncode != 0:
            tail = "\n    ".join(self.log.read_text(errors="replace").splitlines()[-8:])
            raise CannotGoOn(
                f"{self.name} failed:\n    {tail}\n",
                f"See {self.log.relative_to(ROOT)}; run the same command again and it goes on from here.",
            )


class Progress:
    """Says what starts, what is done, and, while it is quiet, what is still going on."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._running: dict[str, float] = {}
        self._lock = threading.Lock()

    def elapsed(self) -> str:
        seconds = int(time.monotonic() - self._began)
        return f"[{seconds // 60}:{seconds % 60:02d}]"

    def started(self, name: str) -> None:
        with self._lock:
            self._running[name] = time.monotonic()
        self.say(f"▸ {name}")

    def finished(self, name: str) -> None:
        with self._lock:
            took = time.monotonic() - self._running.pop(name)
        self.say(f"✔ {name} ({took:.0f} s)")

    def still(self) -> None:
        with self._lock:
            names = [f"{name} ({time.monotonic() - since:.0f} s)" for name, since in self._running.items()]
        if names:
            self.say("… " + ", ".join(names))

    def say(self, words: str) -> None:
        print(f"{self.elapsed()} {words}", flush=True)


def carry_out(steps: Iterable[Step]) -> None:
    """Do every step that is not done yet, each as soon as what it needs is done."""
    waiting = [step for step in steps if not step.is_done()]
    if not waiting:
        return
    for folder in ("logs", "stamps", "bin", "cache"):
        (TOOLS / folder).mkdir(parents=True, exist_ok=True)
    progress = Progress()
    done = {step.name: threading.Event() for step in waiting}
    given_up = threading.Event()
    with ThreadPoolExecutor(len(waiting)) as pool:
        tasks = [pool.submit(_carry_out_one, step, done, given_up, progress) for step in waiting]
        while True:
            finished, left = wait(tasks, timeout=SAY_EVERY_SECONDS, return_when=FIRST_EXCEPTION)
            if any(task.exception() for task in finished):
                given_up.set()
                progress.say("a step failed; the others that run are brought to their end first")
                break
            if not left:
                break
            progress.still()
    for task in tasks:
        task.result()


def _carry_out_one(step: Step, done: dict[str, threading.Event], given_up: threading.Event, progress: Progress) -> None:
    for name in step.needs:
        while name in done and not done[name].wait(0.1):
            if given_up.is_set():
                return
    step.stamp.unlink(missing_ok=True)
    step.log.unlink(missing_ok=True)
    progress.started(step.name)
    step.action(step)
    missing = [str(path) for path in step.makes if not path.exists()]
    if missing:
        raise CannotGoOn(f"{step.name} did not make {', '.join(missing)}.", f"See {step.log}.")
    step.stamp.write_text(step.digest())
    progress.finished(step.name)
    done[step.name].set()
