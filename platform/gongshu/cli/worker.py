"""`gongshu worker`: the one process that holds the log's signing key and publishes checkpoints.

Besides, it archives the bundle of rules that OPA serves, before anyone needs to replay a decision.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy import select

from gongshu.audit import Event, EventType, UnitOfWork, Value, Vault
from gongshu.audit.models import LogBlob, LogEntry
from gongshu.audit.note import Signer
from gongshu.audit.places import README
from gongshu.audit.publisher import Publisher
from gongshu.audit.second_seal import SecondSeal
from gongshu.audit.store import LogStore
from gongshu.audit.worker import Worker
from gongshu.clock import SystemClock
from gongshu.database import Sessions, open_engine, open_sessions, reading
from gongshu.errors import Invalid, Words
from gongshu.policy import read_bundle
from gongshu.settings import Settings, settings

log = structlog.get_logger()


def command() -> None:
    """Publish the log until stopped."""
    worker = build(settings())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stopping.set())
    worker.run()


def build(configuration: Settings) -> Worker:
    """Wire the worker from its settings. Raises Invalid when one is missing."""
    database, store, signing_key, payload_key = (
        configuration.database,
        configuration.store,
        configuration.signing_key_file,
        configuration.payload_key_file,
    )
    if database is None or store is None or signing_key is None or payload_key is None:
        raise Invalid("settings.missing", Words("日志发布的配置不全", "The worker's settings are incomplete"))
    engine = open_engine(database.url, pool_size=4, answer_seconds=35)  # it alone reads whole months
    sessions = open_sessions(engine)
    vault = Vault.from_file(payload_key)
    signer = Signer.from_file(configuration.log_origin, signing_key)
    seal_key = signing_key.with_name("sm2.pem")
    log_store = LogStore.open(store)
    worker = Worker(
        engine,
        lambda: Publisher(
            sessions,
            log_store,
            signer,
            SystemClock(),
            SecondSeal.open(signer.origin, seal_key),
            require_lock=not configuration.demo,
        ),
    )

    def new_work() -> UnitOfWork:
        return UnitOfWork(sessions, writer="worker", clock=SystemClock(), vault=vault)

    bundle = configuration.policy_bundle
    tasks: list[Callable[[], None]] = [_once(lambda: say_started(sessions, new_work, signer, seal_key))]
    if bundle is not None:
        tasks.append(_when_changed(bundle, lambda: archive_rules(sessions, new_work, bundle)))
    worker.tasks = tasks
    return worker


def say_started(sessions: Sessions, new_work: Callable[[], UnitOfWork], signer: Signer, seal_key: Path) -> None:
    """Log this process's start, and the keys the first time: whoever reads the log finds its keys pinned in it."""
    seal = SecondSeal.open(signer.origin, seal_key)
    with reading(sessions) as session:
        known = session.scalar(select(LogEntry.index).where(LogEntry.event == EventType.KEY_ACTIVATED).limit(1))
    with new_work() as work:
        if known is None:
            work.keep_blob(f"{signer.verifier.text()}\n".encode(), kind="key", label="log.vkey")
            if seal:
                work.keep_blob(seal.public, kind="key", label="sm2.pem")
            work.keep_blob(README.encode(), kind="readme", label="README.txt")
            public: dict[str, Value] = {
                "origin": signer.origin,
                "key": signer.verifier.text(),
                "second_seal": seal is not None,
            }
            work.record(Event(EventType.KEY_ACTIVATED, actor="system:worker", public=public))
        work.record(Event(EventType.PART_STARTED, actor="system:worker", public={"part": "worker"}))
        work.commit()


def archive_rules(sessions: Sessions, new_work: Callable[[], UnitOfWork], path: Path) -> None:
    """Keep the served bundle in the log under its revision, once."""
    bundle = read_bundle(path)
    with reading(sessions) as session:
        kept = select(LogBlob.sha256).where(LogBlob.kind == "policy-bundle", LogBlob.label == bundle.revision)
        if session.scalar(kept.limit(1)) is not None:
            return
    with new_work() as work:
        work.keep_blob(bundle.data, kind="policy-bundle", label=bundle.revision)
        work.record(Event(EventType.BUNDLE_ARCHIVED, actor="system:worker", public={"revision": bundle.revision}))
        work.commit()
    log.info("policy.bundle.archived", revision=bundle.revision)


def _once(task: Callable[[], None]) -> Callable[[], None]:
    done = threading.Event()

    def run() -> None:
        if not done.is_set():
            task()
            done.set()

    return run


def _when_changed(path: Path, task: Callable[[], None]) -> Callable[[], None]:
    """Run the task when the file is there and is another one than before."""
    seen: list[tuple[int, int]] = []

    def run() -> None:
        try:
            now = path.stat()
        except FileNotFoundError:
            return
        stamp = (now.st_mtime_ns, now.st_ino)
        if seen != [stamp]:
            task()
            seen[:] = [stamp]

    return run
