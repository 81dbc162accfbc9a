"""`/gongshu.v1.Gateway/ReleaseTable`: a table aggregated by the engine with evidence, put into quarantine and a draft.

The same admission, question and log as any statement. The gateway chooses order and rounding, `by` takes
declared dimensions only; titles are words for the reviewer. The draft and the outcome are one transaction.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

import grpc
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pyspark.sql.connect import proto

from gongshu.database import naming_the_database
from gongshu.errors import Denied, GongshuError, Invalid, Unavailable, Words
from gongshu.gateway import columns, journal, naming
from gongshu.gateway.admission import Admitted, admit
from gongshu.gateway.asking import Allowed, Request
from gongshu.gateway.edge import Context, Edge, decode
from gongshu.gateway.engine import EngineRefusal, Measure, ReleaseTable, SecuredPlan, StatementFailed
from gongshu.gateway.plan_text import statement_text
from gongshu.gateway.principal import Principal
from gongshu.gateway.running import Runner, usage
from gongshu.gateway.sessions import ClientSession
from gongshu.release import CellEvidence, DatasetUse, ItemStore, ReleaseDraft, TableItem, add_table
from gongshu.release import Measure as ItemMeasure

FUNCTIONS = ("sum", "count", "mean")
PREVIEW_ROWS = 20
CENT = Decimal("0.01")


class Asked(BaseModel):
    """What a kernel sends. measures: name → [function, column]."""

    model_config = ConfigDict(extra="forbid")
    plan: str = Field(max_length=64 << 20)
    session_id: str
    by: list[str] = Field(max_length=8)
    measures: dict[str, tuple[str, str | None]] = Field(min_length=1, max_length=12)
    title: str = Field(min_length=1, max_length=200)
    note: str = Field("", max_length=4000)
    release: str | None = Field(None, max_length=20)


@dataclass(frozen=True)
class Made:
    """A table and where it comes from."""

    allowed: Allowed
    secured: SecuredPlan
    table: ReleaseTable
    levels: tuple[str, ...]


class ReleaseTables:
    """The unary method; JSON bytes in and out."""

    def __init__(self, edge: Edge, runner: Runner, store: ItemStore | None) -> None:
        self.edge = edge
        self._runner = runner
        self._store = store

    async def ReleaseTable(self, data: bytes, context: Context) -> bytes:
        try:
            principal = await self.edge.principal(context)
            asked = _read(data)
            session = self.edge.registry.open(principal.name, asked.session_id)
            plan, answered = decode(_plan_bytes(asked.plan), proto.Plan)
            if answered or not plan.HasField("root"):
                raise Invalid("gateway.release.plan", Words("只能对查询结果申请出域", "Only a query can be released"))
            admitted = await asyncio.to_thread(admit, plan.root, session.find_artifact)
            answer = await asyncio.to_thread(self._make, principal, session, admitted, asked)
            return json.dumps(answer, ensure_ascii=False).encode()
        except Exception as error:  # the edge: everything becomes a refusal
            await self.edge.fail(context, error)
            raise

    def _make(
        self, principal: Principal, session: ClientSession, admitted: Admitted, asked: Asked
    ) -> Mapping[str, Any]:
        if self._store is None:
            raise Unavailable("storage")
        started = time.monotonic()
        allowed: Allowed | None = None
        try:
            resolved = naming.resolve(self._runner.engine, session, admitted)
            digest = hashlib.sha256(admitted.plan() + repr((asked.by, asked.measures)).encode()).hexdigest()
            text = {**statement_text(admitted), "by": ", ".join(asked.by), "measures": json.dumps(asked.measures)}
            request = Request(principal, "release-table", resolved.datasets, text, digest)
            allowed = self._runner.asker.ask(request)
            made = self._run(session, admitted, asked, allowed, resolved)
            return self._keep(principal, made, asked, text, started)
        except (EngineRefusal, StatementFailed) as fault:
            raise self._failed(columns.explain(fault, allowed), allowed, started) from fault
        except GongshuError as error:
            raise self._failed(error, allowed, started) from error

    def _run(
        self, session: ClientSession, admitted: Admitted, asked: Asked, allowed: Allowed, resolved: naming.Resolved
    ) -> Made:
        engine, plan = self._runner.engine, admitted.plan()
        secured = engine.secure(session.key, plan, allowed.relations, resolved.views)
        engine.forget_handle(secured.handle)
        lineage = {name.lower(): found for name, found in secured.lineage_direct.items()}
        _require_dimensions(asked.by, lineage, allowed)
        measures = [Measure(name, function, column) for name, (function, column) in asked.measures.items()]
        table = engine.release_table(session.key, plan, asked.by, measures, allowed.relations, resolved.views)
        named = [*asked.by, *(measure.column or "" for measure in measures)]
        levels = sorted({_level(source, allowed) for name in named for source in lineage.get(name.lower(), ())})
        return Made(allowed, secured, table, tuple(levels))

    def _keep(
        self, principal: Principal, made: Made, asked: Asked, text: Mapping[str, str], started: float
    ) -> Mapping[str, Any]:
        """Outcome, item and draft in one transaction; the bytes are in quarantine before it commits."""
        assert self._store is not None
        item = to_item(made, asked, self._intent_of(made.allowed), text)
        outcome = journal.Outcome(
            status="finished",
            rows_out=len(item.rows),
            duration_ms=int((time.monotonic() - started) * 1000),
            datasets=usage(made.allowed, made.secured, pays=True),
        )
        with self._runner.asker.unit() as work, naming_the_database():
            draft = add_table(work, principal.actor, principal.scenario, item, self._store, release_id=asked.release)
            journal.log_outcome(work, made.allowed.statement, outcome)
            receipts = work.commit()
        return _answer(draft, item, receipts[0].index)

    def _intent_of(self, allowed: Allowed) -> str:
        assert allowed.receipt is not None
        return allowed.receipt.entry_id

    def _failed(self, error: GongshuError, allowed: Allowed | None, started: float) -> GongshuError:
        """Close the statement as failed, if it was opened."""
        if allowed is not None:
            outcome = journal.Outcome(
                status="failed", duration_ms=int((time.monotonic() - started) * 1000), reason=error.code
            )
            denied = error.reason if isinstance(error, columns.ColumnDenied) else None
            self._runner.asker.close(allowed.statement, outcome, denied)
        return error


def _read(data: bytes) -> Asked:
    try:
        asked = Asked.model_validate_json(data)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, one["loc"])) for one in error.errors()[:5])
        raise Invalid(
            "gateway.release.malformed",
            Words(f"出域申请的内容不对:{wrong}", f"The request is not well formed: {wrong}"),
            Words(
                "用 gongshu.release_table(df, by=[…], measures={…}, title=…)",
                "Use gongshu.release_table(df, by=[…], measures={…}, title=…)",
            ),
        ) from error
    if any(function not in FUNCTIONS for function, _ in asked.measures.values()):
        raise Invalid(
            "gateway.release.function",
            Words("指标只能用 sum、count、mean", "A measure is a sum, count or mean"),
            Words("换成这三种之一", "Use one of the three"),
        )
    return asked


def _plan_bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("gateway.release.plan", Words("计划无法读取", "The plan cannot be read")) from error


def _require_dimensions(by: Sequence[str], lineage: Mapping[str, Sequence[str]], allowed: Allowed) -> None:
    """Groups come from declared dimensions only (document 13 §20)."""
    for name in by:
        for source in lineage.get(name.lower(), ()):
            column = _column(source, allowed)
            if column is None or not column.dimension:
                raise Denied(
                    "gateway.release.dimension",
                    Words(
                        f"列 {name} 没有登记为统计维度,不能作为分组",
                        f"The column {name} is not a declared dimension; it cannot be a group",
                    ),
                    Words(
                        "换一个维度列;哪些是维度,见 gongshu.describe(...)",
                        "Use a dimension column; gongshu.describe(...) lists them",
                    ),
                )


def _column(source: str, allowed: Allowed) -> Any:
    dataset, _, name = source.rpartition(".")
    version = allowed.versions.get(dataset)
    return version.column(name) if version else None


def _level(source: str, allowed: Allowed) -> str:
    column = _column(source, allowed)
    return column.level if column is not None else "L4"


def to_item(made: Made, asked: Asked, intent: str, text: Mapping[str, str]) -> TableItem:
    """The engine's cells as the release room takes them."""
    allowed, table = made.allowed, made.table
    measures = tuple(ItemMeasure(name, function, column or "") for name, (function, column) in asked.measures.items())
    rows = tuple(
        (*(_label(value) for value in cell.by), *(_number(value) for value in cell.values)) for cell in table.cells
    )
    used = sorted({relation.dataset for relation in allowed.relations})
    grants = [allowed.grants[name] for name in used]
    return TableItem(
        title=asked.title,
        note=asked.note,
        by=tuple(asked.by),
        measures=measures,
        rows=rows,
        evidence=tuple(_evidence(table, measures)),
        datasets=tuple(
            DatasetUse(g.dataset, allowed.versions[g.dataset].version, g.grant, g.price, g.use) for g in grants
        ),
        statement=allowed.statement,
        statement_entry=intent,
        agreement=grants[0].agreement if grants else "",
        policy_revision=allowed.decision.revision,
        levels=made.levels,
        plan_text=text.get("sql") or table.plan_text,
    )


def _evidence(table: ReleaseTable, measures: Sequence[ItemMeasure]) -> list[CellEvidence]:
    found = []
    for row, cell in enumerate(table.cells):
        for measure in measures:
            if table.no_evidence is not None or not cell.entities:
                found.append(CellEvidence(row, measure.name, None))
                continue
            for dataset, entities in sorted(cell.entities.items()):
                figures = cell.evidence.get(measure.name, {}).get(dataset)
                shares = (figures.total, figures.top1, figures.top2) if figures else (None, None, None)
                found.append(CellEvidence(row, measure.name, entities, dataset, *shares))
    return found


def _label(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> str | int | None:
    """Whole numbers as they are, all others with two places."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not number.is_finite():
        return None
    return int(number) if number == number.to_integral_value() else str(number.quantize(CENT, ROUND_HALF_EVEN))


def _answer(draft: ReleaseDraft, item: TableItem, log_index: int) -> Mapping[str, Any]:
    return {
        "release": draft.release,
        "item": draft.item,
        "cells": draft.cells,
        "flagged": draft.flagged,
        "columns": list(item.columns),
        "preview": [list(row) for row in item.rows[:PREVIEW_ROWS]],
        "log_index": log_index,
    }


def handlers(service: ReleaseTables) -> grpc.GenericRpcHandler:
    method = grpc.unary_unary_rpc_method_handler(service.ReleaseTable, None, None)
    return grpc.method_handlers_generic_handler("gongshu.v1.Gateway", {"ReleaseTable": method})
