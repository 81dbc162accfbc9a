"""A table that the gateway aggregated, with the evidence for each of its cells.

The gateway chooses order and rounding; here the table gets its one exact form as bytes. A row of a
person never comes this way: what is here are groups and their totals.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gongshu.audit import Value

Cell = str | int | None


@dataclass(frozen=True)
class Measure:
    """One measured column: ``Measure("visits", "count", "stay_id")``; kind is sum, count or mean."""

    name: str
    kind: str
    column: str


@dataclass(frozen=True)
class CellEvidence:
    """What the engine counted behind one cell, once for each dataset that has an entity column.

    row: position in `TableItem.rows`. column: name of the measure. entities: distinct entities of `dataset`;
    None when there is no evidence. total, first, second: the sum of absolute contributions, the largest and
    the second largest one of a single entity, as decimal text. A check looks at every dataset: the worst wins.
    """

    row: int
    column: str
    entities: int | None
    dataset: str = ""
    total: str | None = None
    first: str | None = None
    second: str | None = None

    @classmethod
    def from_value(cls, value: Mapping[str, Any]) -> CellEvidence:
        return cls(**value)

    def as_value(self) -> dict[str, Value]:
        return {
            "row": self.row,
            "column": self.column,
            "entities": self.entities,
            "dataset": self.dataset,
            "total": self.total,
            "first": self.first,
            "second": self.second,
        }


@dataclass(frozen=True)
class DatasetUse:
    """One dataset behind the table and the grant under which it was read."""

    dataset: str
    version: int
    grant: str
    price: str
    use: str

    def as_value(self) -> dict[str, Value]:
        return {
            "dataset": self.dataset,
            "version": self.version,
            "grant": self.grant,
            "price": self.price,
            "use": self.use,
        }


@dataclass(frozen=True)
class TableItem:
    """What the gateway hands over: a table by groups, its evidence and where both come from.

    columns: `by` first, then the measures in order. rows: cells as they shall read. statement: the
    statement's ULID; statement_entry: ULID of its intent entry. levels: the columns' levels (``L2``).
    plan_text: SQL or plan text for the reviewer. agreement: number of the agreement.
    """

    title: str
    note: str
    by: tuple[str, ...]
    measures: tuple[Measure, ...]
    rows: tuple[tuple[Cell, ...], ...]
    evidence: tuple[CellEvidence, ...]
    datasets: tuple[DatasetUse, ...]
    statement: str
    statement_entry: str
    agreement: str
    policy_revision: str
    levels: tuple[str, ...] = ()
    plan_text: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.by, *(measure.name for measure in self.measures))

    @property
    def cells(self) -> int:
        """Released cells: the measured ones (a price per cell never counts the labels)."""
        return len(self.rows) * len(self.measures)


@dataclass(frozen=True)
class Digests:
    """How an item is addressed: SHA-256 and SM3 (GB/T 32905) of its bytes, in hex."""

    sha256: str
    sm3: str
    size_bytes: int


def table_bytes(item: TableItem) -> bytes:
    """The item's exact bytes: CSV by RFC 4180, UTF-8 without mark, line feed, absent cells empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(item.columns)
    for row in item.rows:
        writer.writerow("" if cell is None else cell for cell in row)
    return text.getvalue().encode()


def read_table(data: bytes) -> Iterator[list[str]]:
    """Rows of an item's bytes, the header first."""
    yield from csv.reader(io.StringIO(data.decode(), newline=""))


def table_from(shape: Mapping[str, Any], evidence: Sequence[Mapping[str, Any]], data: bytes) -> TableItem:
    """Rebuild what the checks look at from a stored item's shape, evidence and bytes (cells as text)."""
    rows = list(read_table(data))
    return TableItem(
        title="",
        note="",
        by=tuple(shape["by"]),
        measures=tuple(Measure(**measure) for measure in shape["measures"]),
        rows=tuple(tuple(row) for row in rows[1:]),
        evidence=tuple(CellEvidence.from_value(cell) for cell in evidence),
        datasets=(),
        statement="",
        statement_entry="",
        agreement="",
        policy_revision="",
    )


def digests_of(data: bytes) -> Digests:
    """Address some bytes. Raises ValueError where the crypto library lacks SM3."""
    return Digests(hashlib.sha256(data).hexdigest(), hashlib.new("sm3", data).hexdigest(), len(data))
