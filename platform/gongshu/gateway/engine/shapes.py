"""What the front hands to the engine and what comes back.

Plain frozen values: they decide nothing. A plan is the bytes of a `spark.connect.Plan` with a root
relation; names are lists of parts, never joined strings (``a.b`` may be one part).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gongshu.errors import Words


@dataclass(frozen=True)
class EngineSettings:
    """How the driver is started. Secrets are files or live in memory only, never in SparkConf or the environment."""

    run_dir: Path
    jars_dir: Path
    helper_jar: Path
    memory_mib: int = 3072
    cores: int = 2
    connect_port: int = 0
    store_endpoint: str | None = None
    store_secure: bool = False
    data_bucket: str = "gongshu-data"
    aws_credentials_file: Path | None = None
    time_zone: str = "Asia/Shanghai"
    start_seconds: int = 180
    call_seconds: int = 60
    handle_seconds: int = 60
    allow_local_files: bool = False
    """file:// scans; only the tests of the engine set it."""


@dataclass(frozen=True)
class SessionKey:
    """Spark's own session key: both parts are the gateway's, never what a client sent."""

    user_id: str
    session_id: str


@dataclass(frozen=True)
class PinnedFile:
    """One object of a dataset version. `partition` holds the text of each partition column's value (None = null).

    version_id and etag pin the object in the store: no other version of it is ever read. Only tests go without.
    """

    uri: str
    size_bytes: int
    partition: Mapping[str, str | None] = field(default_factory=dict)
    version_id: str = ""
    etag: str = ""

    @property
    def pinned_uri(self) -> str:
        """The address as the driver's store takes it (`PinnedStore`)."""
        pin = f";s={self.size_bytes};v={self.version_id};e={self.etag}"
        return self.uri + pin if self.version_id else self.uri


@dataclass(frozen=True)
class Column:
    """A stored column: Spark SQL type text (``decimal(10,2)``), comment shown to the analyst."""

    name: str
    type: str
    comment: str = ""


@dataclass(frozen=True)
class Mask:
    """show-last-4, replace-with-null, truncate-to-year, truncate-to-month, sha-256-keyed, mask-alphanum, bucket."""

    kind: str
    size: int | None = None


@dataclass(frozen=True)
class SecuredRelation:
    """A dataset version as one grant lets it be seen.

    columns: the whole stored schema, partition columns included. allowed: the columns that may be seen,
    in order, each with its mask. row_filter: the structure of the contract, on stored columns (hidden ones
    too), None = all rows. mask_key: 32 bytes of the scenario, used by sha-256-keyed only.
    """

    name_parts: tuple[str, ...]
    dataset: str
    version: int
    files: tuple[PinnedFile, ...]
    columns: tuple[Column, ...]
    partition_columns: tuple[str, ...]
    allowed: tuple[tuple[str, Mask | None], ...]
    row_filter: Mapping[str, Any] | None
    mask_key: bytes = field(default=b"", repr=False)
    entity_column: str | None = None


@dataclass(frozen=True)
class ViewPlan:
    """A temporary view emulated by the front: its plan at the time of creation, and the views *that* plan used.

    `relations` of a statement must hold every dataset that a view reaches, under the names the view uses.
    """

    name_parts: tuple[str, ...]
    plan: bytes = field(repr=False)
    views: tuple[ViewPlan, ...] = ()


@dataclass(frozen=True)
class Description:
    """What a plan asks for, before anything is resolved.

    names: every relation named anywhere (subqueries and expression strings included), each once, in order
    of appearance; CTE names are already gone. functions: lower-case names of functions called.
    """

    names: tuple[tuple[str, ...], ...]
    functions: tuple[str, ...]


@dataclass(frozen=True)
class SecuredPlan:
    """An analysed, governed plan kept in the driver under a single-use handle.

    columns_read: dataset → stored columns that the analyst's plan needs, predicates included (billable,
    static). columns_governing: dataset → columns that only the row filter reads. direct / indirect lineage of
    each output column: output name → ("dataset.column", …). schema_proto: bytes of `spark.connect.DataType`.
    """

    handle: str
    schema_json: str
    schema_ddl: str
    schema_proto: bytes = field(repr=False)
    tree_text: str = field(repr=False)
    plan_text: str = field(repr=False)
    semantic_hash: int
    is_local: bool
    columns_read: Mapping[str, tuple[str, ...]]
    columns_governing: Mapping[str, tuple[str, ...]]
    lineage_direct: Mapping[str, tuple[str, ...]]
    lineage_indirect: tuple[str, ...]
    barrier: bool


@dataclass(frozen=True)
class Measure:
    """function: sum, count or mean. count may have column None (rows)."""

    name: str
    function: str
    column: str | None


@dataclass(frozen=True)
class MeasureEvidence:
    """Of one measure in one cell: the largest and second largest contribution of one entity to the sum of
    absolute contributions `total` (decimal text; for a count the contributions are rows)."""

    top1: str
    top2: str
    total: str


@dataclass(frozen=True)
class Cell:
    """One row of a released table.

    entities: distinct entities per dataset; the smallest is the cell's figure.
    evidence: per measure and dataset, ``evidence[measure][dataset]``.
    """

    by: tuple[Any, ...]
    values: tuple[Any, ...]
    entities: Mapping[str, int]
    evidence: Mapping[str, Mapping[str, MeasureEvidence]]
    rows: int


@dataclass(frozen=True)
class ReleaseTable:
    """by columns then measures, cells sorted by the `by` values; decimals and dates are text.

    no_evidence: why evidence is impossible (``operator:Aggregate``, ``no-entity-column:<dataset>``, ``subquery``,
    ``join:…``, ``no-dataset``), or None. origins: by or measured column → stored "dataset.column" it is made of; the
    front checks with it that `by` stands on declared dimensions only.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    cells: tuple[Cell, ...]
    no_evidence: str | None
    columns_read: Mapping[str, tuple[str, ...]]
    origins: Mapping[str, tuple[str, ...]]
    plan_text: str = field(repr=False)


@dataclass(frozen=True)
class SafeError:
    """What may be told of a Spark exception: class, message id, and parameters that hold no data."""

    code: str
    condition: str
    sql_state: str
    parameters: Mapping[str, str]
    message: Words
