"""What of Spark's responses reaches the client: Arrow batches, schema, the analyst's own metrics; nothing else.

It counts rows and bytes, stops at the limits, and holds the last batch back. Plan metrics and bytes read
show what the row filter hid (document 3): they go to the regulators' payload only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from pyspark.sql.connect import proto

from gongshu.audit import Value
from gongshu.errors import TooLarge, Words
from gongshu.gateway.admission import messages_of
from gongshu.gateway.operation import Operation
from gongshu.gateway.sessions import ClientSession

TICKS = 100


class Shaper:
    """Turns the engine's responses into the client's, one statement each."""

    def __init__(
        self, session: ClientSession, operation: Operation, root: proto.Relation, limits: Mapping[str, Any]
    ) -> None:
        self._session = session
        self._operation = operation
        self._rows_max = int(limits["result_rows_max"])
        self._bytes_max = int(limits["result_bytes_max"])
        self._observed = {m.name for m in messages_of(root) if isinstance(m, proto.CollectMetrics)}
        self._pending: proto.ExecutePlanResponse | None = None
        self._tail: list[proto.ExecutePlanResponse] = []
        self.rows = 0
        self.bytes = 0
        self.digest = hashlib.sha256()
        self.raw_metrics: list[Value] = []

    def take(self, response: proto.ExecutePlanResponse) -> Iterator[proto.ExecutePlanResponse]:
        """Responses that may go out now. Raises TooLarge at a limit."""
        if response.HasField("metrics"):
            self._keep_metrics(response.metrics)
        if response.observed_metrics:
            self._tail.extend(self._own_metrics(response))
        if response.HasField("execution_progress"):
            yield self._progress(response.execution_progress)
        if response.HasField("schema"):
            shaped = self.blank()
            shaped.schema.CopyFrom(response.schema)
            yield shaped
        if response.HasField("arrow_batch"):
            self._count(response.arrow_batch)
            shaped = self.blank()
            shaped.arrow_batch.CopyFrom(response.arrow_batch)
            if self._pending is not None:
                yield self._pending
            self._pending = shaped

    def last(self) -> Iterator[tuple[proto.ExecutePlanResponse, bool]]:
        """What goes out after the outcome is durable: the last batch, the analyst's metrics, the end."""
        done = self.blank()
        done.result_complete.SetInParent()
        batch = [self._pending] if self._pending is not None else []
        for number, response in enumerate([*batch, *self._tail, done]):
            yield response, number == 0

    def blank(self) -> proto.ExecutePlanResponse:
        return proto.ExecutePlanResponse(
            session_id=self._session.client_id,
            server_side_session_id=self._session.server_id,
            operation_id=self._operation.client_id,
        )

    def _count(self, batch: proto.ExecutePlanResponse.ArrowBatch) -> None:
        self.bytes += len(batch.data)
        self.digest.update(batch.data)
        if batch.chunk_index == 0:
            self.rows += batch.row_count
        if self.rows > self._rows_max or self.bytes > self._bytes_max:
            raise TooLarge(
                "gateway.result",
                Words(
                    f"结果超过上限({self._rows_max:,} 行或 {self._bytes_max >> 20:,} MiB),已停止。",
                    f"The result is over the limit ({self._rows_max:,} rows or {self._bytes_max >> 20:,} MiB); "
                    "it was stopped.",
                ),
                Words("先汇总,或用 limit() 少取一些", "Aggregate first, or take fewer rows with limit()"),
            )

    def _own_metrics(self, response: proto.ExecutePlanResponse) -> Iterator[proto.ExecutePlanResponse]:
        for observed in response.observed_metrics:
            if observed.name in self._observed and not observed.HasField("root_error_idx"):
                shaped = self.blank()
                kept = shaped.observed_metrics.add(name=observed.name, keys=observed.keys, plan_id=observed.plan_id)
                kept.values.extend(observed.values)
                yield shaped

    def _progress(self, progress: proto.ExecutePlanResponse.ExecutionProgress) -> proto.ExecutePlanResponse:
        """How far, in hundredths: numbers of tasks and bytes would tell of files that the filter hides."""
        total = sum(stage.num_tasks for stage in progress.stages)
        done = sum(stage.num_completed_tasks for stage in progress.stages)
        shaped = self.blank()
        shaped.execution_progress.num_inflight_tasks = 1 if progress.num_inflight_tasks else 0
        if total:
            shaped.execution_progress.stages.add(
                stage_id=0, num_tasks=TICKS, num_completed_tasks=done * TICKS // total, done=done == total
            )
        return shaped

    def _keep_metrics(self, metrics: proto.ExecutePlanResponse.Metrics) -> None:
        for node in metrics.metrics[:200]:
            values: dict[str, Value] = {
                metric.name: metric.value
                for metric in node.execution_metrics.values()
                if metric.metric_type != "timing"
            }
            self.raw_metrics.append({"node": node.name, "values": values})
