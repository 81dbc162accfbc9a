"""Looks after what runs: revoked or frozen statements are stopped, lost clients' results given up, the engine watched.

It decides only that something must end; every second, so that two are never exceeded.
"""

from __future__ import annotations

import asyncio
import time

import httpx
import structlog

from gongshu.authorization import grants_in_force, is_frozen
from gongshu.database import reading
from gongshu.errors import GongshuError
from gongshu.gateway.principal import Principal
from gongshu.gateway.running import Run, Runner
from gongshu.gateway.sessions import Registry

log = structlog.get_logger()
PERIOD_SECONDS = 1.0
LOST_SECONDS = 30.0
STORE_SECONDS = 1.5
MISSES = 2


class StoreProbe:
    """Whether the data store answers at all; any HTTP answer will do. Two misses in a row count as gone."""

    def __init__(self, endpoint: str, *, secure: bool = False) -> None:
        self._url = f"{'https' if secure else 'http'}://{endpoint}/minio/health/live"
        self._client = httpx.AsyncClient(timeout=STORE_SECONDS, trust_env=False, verify=secure)
        self._missed = 0

    async def gone(self) -> bool:
        try:
            await self._client.get(self._url)
            self._missed = 0
        except httpx.HTTPError:
            self._missed += 1
        return self._missed >= MISSES


class Watch:
    """One per process; `run` returns when the engine is gone."""

    def __init__(self, runner: Runner, registry: Registry, store: StoreProbe | None) -> None:
        self._runner = runner
        self._registry = registry
        self._store = store

    async def run(self) -> None:
        watching = asyncio.create_task(self._watch_store())
        try:
            await self._watch_statements()
        finally:
            watching.cancel()

    async def _watch_store(self) -> None:
        """s3a alone would hang on a silent store for as long as its retries last."""
        while self._store is not None:
            gone = await self._store.gone()
            if gone != self._runner.store_gone:
                log.warning("gateway.store.changed", gone=gone)
            self._runner.store_gone = gone
            for run in list(self._runner.runs) if gone else []:
                if run.operation.running and run.allowed is not None and run.allowed.relations:
                    await self._runner.cancel(run.operation, "storage")
            await asyncio.sleep(PERIOD_SECONDS)

    async def _watch_statements(self) -> None:
        while self._runner.engine.alive():
            try:
                await self._round()
            except GongshuError as error:  # a part is gone: nothing new starts anyway, try again in a second
                log.warning("gateway.watch.hindered", code=error.code)
            except Exception:  # whatever else it is, the watch must not end before the engine does
                log.exception("gateway.watch.failed")
            await asyncio.sleep(PERIOD_SECONDS)
        log.error("gateway.engine.gone")

    async def _round(self) -> None:
        await self._stop_revoked()
        await self._give_up_lost()
        await self._runner.settle_late()
        for session in self._registry.long_idle():
            await self._runner.end_session(session)
            self._registry.close(session)

    async def _stop_revoked(self) -> None:
        runs = list(self._runner.runs)
        if not runs:
            return
        for run in await asyncio.to_thread(self._no_longer_granted, runs):
            await self._runner.cancel(run.operation, "revoked")

    def _no_longer_granted(self, runs: list[Run]) -> list[Run]:
        """Runs of which a grant is not in force any more, or whose organisation is frozen."""
        live: dict[Principal, set[str] | None] = {}
        asker = self._runner.asker
        with reading(asker.sessions) as session:
            for principal in {run.principal for run in runs}:
                if is_frozen(session, principal.actor.organisation):
                    live[principal] = None
                    continue
                grants = grants_in_force(session, principal.actor.pseudonym, principal.scenario, asker.clock.now())
                live[principal] = {grant.grant for grant in grants if grant.in_force}
        return [run for run in runs if _ended(run, live[run.principal])]

    async def _give_up_lost(self) -> None:
        now = time.monotonic()
        for session in self._registry.all():
            for operation in list(session.operations.values()):
                patience = LOST_SECONDS if operation.reattachable else 0.0
                if operation.detached_at is not None and now - operation.detached_at > patience:
                    await self._runner.cancel(operation, "lost")
                    session.operations.pop(operation.client_id, None)


def _ended(run: Run, live: set[str] | None) -> bool:
    if live is None or not live:
        return True
    if run.allowed is None:
        return False
    used = {run.allowed.grants[relation.dataset].grant for relation in run.allowed.relations}
    return not used <= live
