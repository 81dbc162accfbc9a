"""Turns the engine's refusals into words, and an unknown column into the clause that left it out.

A column that is hidden and one that never existed read the same: both are simply not in the grant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gongshu.errors import Denied, GongshuError, Words
from gongshu.gateway.asking import Allowed
from gongshu.gateway.engine import EngineRefusal, StatementFailed
from gongshu.gateway.refusals import as_spark_error

UNKNOWN_COLUMN = ("UNRESOLVED_COLUMN", "FIELD_NOT_FOUND", "UNRESOLVED_FIELD", "UNRESOLVED_USING_COLUMN_FOR_JOIN")
PARSE = "org.apache.spark.sql.catalyst.parser.ParseException"
ANALYSIS = "org.apache.spark.sql.AnalysisException"


class ColumnDenied(Denied):
    """A statement of granted datasets that names a column outside every grant."""

    def __init__(self, column: str, dataset: str, clause: str, agreement: str, decision: str, known: str) -> None:
        hint = Words("用 printSchema() 查看可用的列", "See printSchema() for what is available")
        if known:
            hint = Words(f"可用的列:{known}", f"Available: {known}")
        super().__init__(
            "authorization.column-not-granted",
            Words(
                f"本场景的授权里没有列 {column}({dataset})。依据:{agreement} {clause}。判定 {decision}",
                f"This scenario's grant does not include the column {column} ({dataset}). "
                f"Basis: {agreement}, clause {clause}. Decision {decision}",
            ),
            hint,
            decision=decision,
            clause=clause,
            agreement=agreement,
            dataset=dataset,
        )
        self.reason = {"code": "column-not-granted", "clause": clause, "dataset": dataset}


def explain(error: EngineRefusal | StatementFailed, allowed: Allowed | None) -> GongshuError:
    """What the analyst is told. allowed: the statement's permission, when it came so far."""
    if isinstance(error, EngineRefusal):
        return error
    safe = error.safe
    if allowed is not None and allowed.relations and safe.condition.startswith(UNKNOWN_COLUMN):
        return _denied(safe.parameters, allowed)
    return as_spark_error(safe, PARSE if safe.condition.startswith("PARSE") else ANALYSIS)


def _denied(parameters: Mapping[str, str], allowed: Allowed) -> ColumnDenied:
    written = parameters.get("objectName") or parameters.get("fieldName") or parameters.get("colName") or ""
    name = (re.findall(r"`([^`]+)`|(\w+)", written) or [("", "?")])[-1]
    asked = sorted({relation.dataset for relation in allowed.relations})
    grant = allowed.grants[asked[0]]
    return ColumnDenied(
        name[0] or name[1],
        "、".join(asked),
        grant.clauses.get("columns", ""),
        grant.agreement,
        allowed.decision.decision_id,
        parameters.get("proposal", ""),
    )
