"""Compares a table with every table released before it: what the difference of two releases would tell.

Two tables over the same groups and a common dataset can be subtracted; a group whose counts differ by
fewer entities than the threshold would show those few. Other operators' releases count as well, and
are named by number only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gongshu.release.checks import CheckResult, Finding, Limits, Verdict
from gongshu.release.table import Cell

Key = tuple[str, ...]


@dataclass(frozen=True)
class Counted:
    """A table as differencing sees it: entities per group and dataset."""

    release: str
    by: tuple[str, ...]
    entities: Mapping[tuple[str, Key], int]
    first_column: str
    position: Mapping[Key, int]


def counted(
    release: str, shape: Mapping[str, Any], evidence: Iterable[Mapping[str, Any]], rows: Sequence[Sequence[Cell]]
) -> Counted:
    """Read a stored table: rows without header, as text; groups in one order of their columns."""
    by = tuple(sorted(shape["by"]))
    order = [shape["by"].index(column) for column in by]
    keys = [tuple(str(row[place]) for place in order) for row in rows]
    entities: dict[tuple[str, Key], int] = {}
    for cell in evidence:
        if cell["entities"] is not None and cell["row"] < len(keys):
            entities[(cell["dataset"], keys[cell["row"]])] = cell["entities"]
    measures = shape["measures"]
    return Counted(
        release, by, entities, measures[0]["name"] if measures else "", {key: row for row, key in enumerate(keys)}
    )


def check_differencing(table: Counted, earlier: Iterable[Counted], limits: Limits) -> CheckResult:
    """The check `differencing`: review, never fail, because only a person sees what else is known."""
    return CheckResult("differencing", tuple(_differences(table, earlier, limits)))


def _differences(table: Counted, earlier: Iterable[Counted], limits: Limits) -> Iterator[Finding]:
    for other in earlier:
        if other.by != table.by:
            continue
        for (dataset, key), count in table.entities.items():
            before = other.entities.get((dataset, key))
            if before is not None and 0 < abs(count - before) < limits.threshold:
                yield Finding(
                    "differencing.small_group",
                    Verdict.REVIEW,
                    table.position[key],
                    table.first_column,
                    f"{other.release}: {abs(count - before)}<{limits.threshold}",
                )
