"""The life of the process that publishes the log: take the lock, verify, publish; begin again when something is lost.

It decides only the order of these; it must never publish without the lock, nor go on after a refusal
without verifying anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gongshu.audit.publisher import LogRefused, Publisher
from gongshu.audit.watch import Standby, Watch
from gongshu.errors import Unavailable

LOOK_SECONDS = 0.25  # how often to look for new entries
PUBLISH_SECONDS = 1.0  # at most one checkpoint in this time
TASK_SECONDS = 5.0
RETRY_SECONDS = 1.0
REFUSED_SECONDS = 10.0
log = structlog.get_logger()


@dataclass
class Worker:
    """new_publisher: a fresh one for each time the lock is taken. tasks: small idempotent duties beside publishing."""

    engine: Engine
    new_publisher: Callable[[], Publisher]
    tasks: Sequence[Callable[[], None]] = ()
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Publish until `stopping` is set. Never raises for what may pass by itself."""
        waiting = ""
        while not self.stopping.is_set():
            try:
                with Watch(self.engine) as watch:
                    waiting = ""
                    self._keep(watch)
            except Standby:
                waiting = self._say_once(waiting, "log.publisher.standby")
            except (SQLAlchemyError, Unavailable) as error:
                waiting = self._say_once(waiting, "log.publisher.waiting", type(error).__name__)
            self.stopping.wait(RETRY_SECONDS)

    def _keep(self, watch: Watch) -> None:
        """One term with the lock."""
        publisher = self.new_publisher()
        try:
            publisher.open()
            watch.say("running")
            log.info("log.publisher.running", size=publisher.size)
            self._publish_for_ever(watch, publisher)
        except LogRefused as refusal:
            log.error("log.publisher.refused", words=refusal.message.en)
            watch.say("refused", f"{refusal.message.zh} / {refusal.message.en}")
            self.stopping.wait(REFUSED_SECONDS)

    def _publish_for_ever(self, watch: Watch, publisher: Publisher) -> None:
        next_tasks = next_publish = 0.0
        while watch.alive and not self.stopping.is_set():
            now = time.monotonic()
            if now >= next_tasks:
                self._run_tasks()
                next_tasks = now + TASK_SECONDS
            if now >= next_publish and self._publish(watch, publisher):
                next_publish = now + PUBLISH_SECONDS
            self.stopping.wait(LOOK_SECONDS)

    def _publish(self, watch: Watch, publisher: Publisher) -> bool:
        try:
            done = publisher.publish()
        except Unavailable as error:
            if error.part == "database":
                raise
            log.warning("log.publisher.behind", part=error.part)
            watch.say("running", behind=True)
            return True
        watch.say("running")
        return done

    def _run_tasks(self) -> None:
        for task in self.tasks:
            try:
                task()
            except Unavailable as error:
                log.warning("worker.task.unavailable", part=error.part)
            except Exception:  # a duty that fails must not stop the log
                log.exception("worker.task.failed")

    def _say_once(self, said: str, event: str, fault: str = "") -> str:
        if said != event + fault:
            log.warning(event, fault=fault)
        return event + fault
