"""The life of one statement: names → question → intent → secure → run → outcome → last batch.

It decides the order, and that nothing is given out of order. What may be read was decided by the policy;
what runs is the very plan that the engine secured, by its single-use handle.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog
from pyspark.sql.connect import proto

from gongshu.audit import Value
from gongshu.errors import Conflict, Denied, GongshuError, TooLarge, Unavailable, Words
from gongshu.gateway import columns, naming
from gongshu.gateway.admission import Admitted, messages_of
from gongshu.gateway.asking import Allowed, Asker, Request, wanted_bytes
from gongshu.gateway.engine import Engine, EngineRefusal, SecuredPlan, StatementFailed
from gongshu.gateway.journal import Outcome
from gongshu.gateway.operation import Operation
from gongshu.gateway.plan_text import statement_text
from gongshu.gateway.planning import Planning
from gongshu.gateway.principal import Principal
from gongshu.gateway.refusals import TOLD_IN_OUTCOME, internal
from gongshu.gateway.responses import Shaper
from gongshu.gateway.sessions import ClientSession
from gongshu.gateway.upstream import Upstream

log = structlog.get_logger()
PLANNERS = 16
CANCELLED = {
    "client": Words("[OPERATION_CANCELED] 语句已停止", "[OPERATION_CANCELED] The statement was stopped"),
    "lost": Words(
        "[OPERATION_CANCELED] 连接中断,语句已停止",
        "[OPERATION_CANCELED] The connection was lost; the statement was stopped",
    ),
    "shutdown": Words("[OPERATION_CANCELED] 网关正在重启", "[OPERATION_CANCELED] The gateway is restarting"),
}


@dataclass(eq=False)
class Run:
    """One statement under way."""

    principal: Principal
    session: ClientSession
    operation: Operation
    admitted: Admitted
    started: float = field(default_factory=time.monotonic)
    allowed: Allowed | None = None
    planning: Planning | None = None
    secured: SecuredPlan | None = None
    shaper: Shaper | None = None
    metered: Mapping[str, Value] = field(default_factory=dict)
    settled: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Runner:
    """Runs statements; one per process."""

    def __init__(self, engine: Engine, upstream: Upstream, asker: Asker) -> None:
        self.engine = engine
        self.asker = asker
        self._upstream = upstream
        self._unsettled: dict[str, Outcome] = {}
        self._planners = ThreadPoolExecutor(PLANNERS, "planning")
        self.store_gone = False
        self.runs: set[Run] = set()

    async def start(self, run: Run, options: proto.ResultChunkingOptions | None) -> None:
        """Begin in the background; the operation's taker sees responses and errors."""

        async def settle(status: str) -> None:
            await self.settle(run, status)

        run.operation.settle = settle
        run.operation.task = asyncio.create_task(self._run(run, options))

    async def vet(self, session: ClientSession, admitted: Admitted) -> None:
        """Parse a plan and refuse what may never be said, without asking for what it names."""

        def parse() -> None:
            try:
                naming.resolve(self.engine, session, admitted)
            except (EngineRefusal, StatementFailed) as fault:
                raise columns.explain(fault, None) from fault

        await asyncio.to_thread(parse)

    async def analyse(self, principal: Principal, session: ClientSession, admitted: Admitted) -> SecuredPlan:
        """Secure a plan only to tell about it; its handle is thrown away.

        Where planning alone runs jobs (crosstab, pivot and the like), the analysis is a statement: logged and metered.
        """
        run = Run(principal, session, Operation("", frozenset(), False), admitted)
        try:
            await asyncio.to_thread(self._begin, run, "query" if computes(admitted) else "analyze")
        except GongshuError as error:
            await self.settle(run, "failed", error)
            raise
        assert run.secured is not None
        await self.settle(run, "finished")
        if run.planning is not None:
            await asyncio.to_thread(run.planning.keep, run.secured)
        return run.secured

    async def cancel(self, operation: Operation, why: str) -> None:
        """Stop an operation that still runs, or close one whose result nobody took to the end."""
        first = not operation.cancelled
        operation.cancelled = operation.cancelled or why
        if operation.task is not None and not operation.task.done():
            if first:  # a second cancellation would break off the tidying that the first began
                operation.task.cancel()
        elif operation.settle is not None:
            if why == "revoked":
                await operation.withdraw(cancellation(why))
            await operation.settle("cancelled")
        await operation.wake()

    async def end_session(self, session: ClientSession) -> None:
        """Stop everything of a session and forget what the engine keeps for it."""
        for operation in list(session.operations.values()):
            await self.cancel(operation, "client")
        session.operations.clear()
        session.views.clear()
        session.artifacts.clear()
        await self._upstream.release_session(session.key)
        await asyncio.to_thread(self.engine.forget, session.key)

    async def _run(self, run: Run, options: proto.ResultChunkingOptions | None) -> None:
        operation = run.operation
        self.runs.add(run)
        try:
            await asyncio.to_thread(self._begin, run, "query")
            assert run.allowed is not None and run.secured is not None
            operation.statement = run.allowed.statement
            limits = run.allowed.decision.limits
            run.shaper = Shaper(run.session, operation, run.admitted.root, limits)
            async with asyncio.timeout(int(limits["duration_seconds_max"])):
                relation = proto.Relation.FromString(self.engine.handle_relation(run.secured.handle))
                async for response in self._upstream.execute(run.session.key, operation.engine_id, relation, options):
                    for shaped in run.shaper.take(response):
                        await operation.put(shaped)
            await self._meter(run)
            for shaped, gated in run.shaper.last():
                await operation.put(shaped, gated=gated)
            await operation.finish()
        except asyncio.CancelledError:
            await self._end(run, "cancelled", cancellation(operation.cancelled))
        except TimeoutError:
            await self._end(run, "failed", too_long())
        except GongshuError as error:
            await self._end(run, "failed", error)
        except Exception as error:  # the edge of a background task: told as an internal fault, logged for engineers
            log.exception("gateway.statement.failed", statement=operation.statement)
            await self._end(run, "failed", internal(error))
        finally:
            if run.settled or not operation.complete:  # a result that is ready and not taken is still watched
                self.runs.discard(run)

    def _begin(self, run: Run, kind: str) -> None:
        """Everything before the first byte, in a thread: describe, ask, intent, secure."""
        try:
            resolved = naming.resolve(self.engine, run.session, run.admitted)
            plan = run.admitted.plan()
            request = Request(
                run.principal, kind, resolved.datasets, statement_text(run.admitted), hashlib.sha256(plan).hexdigest()
            )
            early = not computes(run.admitted)
            with Planning(self.engine, self._planners, run.session, plan, resolved.views, early) as planning:
                run.planning = planning
                run.allowed = self.asker.ask(request, planning.start)
                if self.store_gone and run.allowed.relations:
                    raise Unavailable("storage")
                run.secured = planning.result(run.allowed.relations)
        except (EngineRefusal, StatementFailed) as fault:
            raise columns.explain(fault, run.allowed) from fault
        if run.allowed.receipt is not None:
            run.operation.receipts.append(("gongshu-log-index", str(run.allowed.receipt.index)))

    async def _meter(self, run: Run) -> None:
        """What it took, for the regulators. No statement fails for want of it: the driver's end is told elsewhere."""
        if run.allowed is None or not run.allowed.relations:
            return
        with contextlib.suppress(Unavailable):
            run.metered = await asyncio.to_thread(self.engine.metered, run.operation.engine_id)

    async def _end(self, run: Run, status: str, error: GongshuError) -> None:
        """Stop what runs, write the outcome, tell the client."""
        if run.secured is not None:
            await self._upstream.interrupt(run.session.key, run.operation.engine_id)
            await self._meter(run)
            await asyncio.to_thread(self.engine.forget_handle, run.secured.handle)
        try:
            await self.settle(run, status, error)
        except GongshuError as unsettled:
            error = unsettled
        await run.operation.finish(error)

    async def settle(self, run: Run, status: str, error: GongshuError | None = None) -> None:
        """Write the outcome once. Raises what the log raises; the statement is then closed as soon as it can be."""
        self.runs.discard(run)
        async with run.lock:
            if run.settled or run.allowed is None or run.allowed.receipt is None:
                return
            if error is not None:
                error.add_note(TOLD_IN_OUTCOME)
            outcome = self.outcome(run, status, error)
            denied = error.reason if isinstance(error, columns.ColumnDenied) else None
            try:
                receipt = await asyncio.to_thread(self.asker.close, run.allowed.statement, outcome, denied)
            except GongshuError as fault:
                self._unsettled[run.allowed.statement] = self.outcome(run, "failed", fault)
                run.settled = True
                run.operation.error = fault
                raise
            run.settled = True
            if receipt is not None:
                run.operation.receipts.append(("gongshu-outcome-index", str(receipt.index)))

    async def settle_late(self) -> None:
        """Write outcomes that could not be written when their statements ended."""
        for statement, outcome in list(self._unsettled.items()):
            await asyncio.to_thread(self.asker.close, statement, outcome)
            self._unsettled.pop(statement, None)
        if self.asker.doubtful:
            await asyncio.to_thread(self.asker.close_doubtful)

    def outcome(self, run: Run, status: str, error: GongshuError | None) -> Outcome:
        operation, shaper = run.operation, run.shaper
        finished = status == "finished"
        pays = finished or operation.delivered > 0
        return Outcome(
            status=status,
            rows_out=shaper.rows if finished and shaper else operation.delivered_rows,
            bytes_out=shaper.bytes if finished and shaper else operation.delivered_bytes,
            duration_ms=int((time.monotonic() - run.started) * 1000),
            result_digest=shaper.digest.hexdigest() if finished and shaper else "",
            datasets=usage(run.allowed, run.secured, pays) if run.allowed else (),
            engine=engine_facts(run),
            reason=error.code if error is not None else "",
        )


COMPUTING = frozenset(
    [
        "show_string",
        "html_string",
        "crosstab",
        "freq_items",
        "approx_quantile",
        "cov",
        "corr",
        "summary",
        "describe",
        "transpose",
        "sample_by",
    ]
)


def computes(admitted: Admitted) -> bool:
    """Whether Spark may run jobs while it plans this."""
    for root in (admitted.root, *admitted.references.values()):
        for message in messages_of(root):
            if isinstance(message, proto.Relation) and message.WhichOneof("rel_type") in COMPUTING:
                return True
            if isinstance(message, proto.Aggregate) and message.HasField("pivot") and not message.pivot.values:
                return True
    return False


def usage(allowed: Allowed, secured: SecuredPlan | None, pays: bool) -> tuple[Mapping[str, Value], ...]:
    """Per dataset: the grant, its price and the billable bytes of the columns that the statement needs."""
    if secured is None:
        return ()
    lines: list[Mapping[str, Value]] = []
    for dataset, read in sorted(secured.columns_read.items()):
        grant, version = allowed.grants[dataset], allowed.versions[dataset]
        lines.append(
            {
                "dataset": dataset,
                "version": version.version,
                "grant": grant.grant,
                "price": grant.price,
                "use": grant.use,
                "billable_bytes": wanted_bytes(version, read) if pays else 0,
                "columns": list(read),
            }
        )
    return tuple(lines)


def engine_facts(run: Run) -> Mapping[str, Value]:
    """Raw facts for the regulators: lineage, what the filters read, whether a barrier stood."""
    if run.secured is None:
        return {}
    facts: dict[str, Value] = {
        "columns_governing": {name: list(found) for name, found in run.secured.columns_governing.items()},
        "lineage_direct": {name: list(found) for name, found in run.secured.lineage_direct.items()},
        "lineage_indirect": list(run.secured.lineage_indirect),
        "barrier": run.secured.barrier,
    }
    if run.shaper is not None:
        facts["metrics"] = run.shaper.raw_metrics
    if run.metered:
        facts["taken"] = dict(run.metered)
    return facts


def cancellation(why: str) -> GongshuError:
    if why == "storage":
        return Unavailable("storage")
    if why == "revoked":
        return Denied(
            "gateway.revoked",
            Words(
                "授权已撤销、到期或被冻结,正在运行的语句已停止。",
                "The grant was revoked, ended or frozen; the running statement was stopped.",
            ),
            Words("请与运营负责人联系", "Speak to your manager"),
        )
    return Conflict("gateway.cancelled", CANCELLED.get(why, CANCELLED["client"]))


def too_long() -> TooLarge:
    return TooLarge(
        "gateway.duration",
        Words("语句超过了单条语句的运行时间上限,已停止。", "The statement ran longer than one may; it was stopped."),
        Words("缩小范围或先汇总,再试", "Narrow the range or aggregate first, then try again"),
    )
