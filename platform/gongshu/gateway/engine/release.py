"""The request for a table that may leave, and its cells with evidence (13 §20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gongshu.gateway.engine.shapes import Cell, Measure, MeasureEvidence, ReleaseTable


def release_request(by: Sequence[str], measures: Sequence[Measure]) -> dict[str, Any]:
    return {
        "by": list(by),
        "measures": [{"name": m.name, "function": m.function, "column": m.column} for m in measures],
    }


def read_release_table(answer: Mapping[str, Any]) -> ReleaseTable:
    names = answer["columns"][answer["by_count"] :]
    return ReleaseTable(
        columns=tuple(answer["columns"]),
        types=tuple(answer["types"]),
        cells=tuple(_cell(cell, names) for cell in answer["cells"]),
        no_evidence=answer["no_evidence"],
        columns_read={dataset: tuple(names) for dataset, names in answer["columns_read"].items()},
        origins={name: tuple(c.replace("\0", ".") for c in columns) for name, columns in answer["origins"].items()},
        plan_text=answer["plan_text"],
    )


def _cell(cell: Mapping[str, Any], measures: Sequence[str]) -> Cell:
    return Cell(
        by=tuple(cell["by"]),
        values=tuple(cell["values"]),
        entities=dict(cell["entities"]),
        evidence={
            measures[int(index)]: {dataset: MeasureEvidence(**figures) for dataset, figures in datasets.items()}
            for index, datasets in cell["evidence"].items()
        },
        rows=cell["rows"],
    )
