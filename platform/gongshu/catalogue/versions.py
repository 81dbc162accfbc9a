"""What other rooms may know of a dataset: its signed-off versions, as frozen values.

A version that is not signed off does not exist for anyone outside its department.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Row, select
from sqlalchemy.orm import Session, selectinload

from gongshu.catalogue.models import Dataset, Version
from gongshu.catalogue.service import SIGNED_OFF, absent
from gongshu.errors import Words

DATA_BUCKET = "gongshu-data"


@dataclass(frozen=True)
class ColumnSpec:
    """name, Spark SQL type, comments, level and stored bytes of one column."""

    name: str
    type: str
    comment: str
    category: str
    level: str
    dimension: bool
    stored_bytes: int
    comment_en: str = ""


@dataclass(frozen=True)
class DataFile:
    """One Parquet object of the version, pinned by digest and object version."""

    key: str
    bytes: int
    sha256: str
    partition: Mapping[str, str]
    version_id: str
    etag: str = ""


@dataclass(frozen=True)
class DatasetVersion:
    """One signed-off version. base_key: the folder below which the partition folders lie."""

    dataset: str
    version: int
    provider: str
    title: Words
    rows: int
    columns: tuple[ColumnSpec, ...]
    entity_column: str | None
    partition_columns: tuple[str, ...]
    files: tuple[DataFile, ...]
    bucket: str
    base_key: str
    digest: str
    registration_valid_until: date
    state: str

    def column(self, name: str) -> ColumnSpec | None:
        return next((one for one in self.columns if one.name == name), None)


def dataset_versions(session: Session, names: Iterable[str]) -> dict[str, DatasetVersion]:
    """The newest signed-off version of each named dataset; absent names are left out."""
    wanted = sorted(set(names))
    query = (
        select(Version)
        .where(Version.dataset.in_(wanted), Version.state == SIGNED_OFF)
        .order_by(Version.number)
        .options(selectinload(Version.columns), selectinload(Version.files), selectinload(Version.of))
    )
    return {row.dataset: _freeze(row) for row in session.scalars(query)}


class KnownVersions:
    """Signed-off versions that were read before: they never change, only which is the newest does, and its terms."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], DatasetVersion] = {}

    def newest(self, session: Session, names: Iterable[str]) -> dict[str, DatasetVersion]:
        """As `dataset_versions`, with one small query where every version is known."""
        wanted = sorted(set(names))
        if not wanted:
            return {}
        query = (
            select(Version.dataset, Version.number, Dataset.registration_valid_until)
            .join(Dataset, Dataset.name == Version.dataset)
            .where(Version.dataset.in_(wanted), Version.state == SIGNED_OFF)
            .order_by(Version.number)
        )
        newest = {row.dataset: row for row in session.execute(query)}
        return {name: self._with_term(session, row) for name, row in newest.items()}

    def _with_term(self, session: Session, row: Row[str, int, date]) -> DatasetVersion:
        name, number, until = row
        known = self._known.get((name, number)) or dataset_version(session, name, number)
        self._known[name, number] = known
        return known if known.registration_valid_until == until else replace(known, registration_valid_until=until)


def dataset_version(session: Session, name: str, number: int) -> DatasetVersion:
    """One signed-off version. Raises NotFound."""
    row = session.get(Version, (name, number))
    if row is None or row.state != SIGNED_OFF:
        raise absent(f"{name} v{number}")
    return _freeze(row)


def signed_off_names(session: Session, provider: str | None = None) -> list[str]:
    """Names of all datasets with a signed-off version (of one department)."""
    query = select(Version.dataset).where(Version.state == SIGNED_OFF).distinct().order_by(Version.dataset)
    if provider is not None:
        query = query.join(Dataset).where(Dataset.provider == provider)
    return list(session.scalars(query))


def _freeze(row: Version) -> DatasetVersion:
    dataset = row.of
    columns = tuple(
        ColumnSpec(c.name, c.type, c.comment_zh, c.category, c.level, c.dimension, c.stored_bytes, c.comment_en)
        for c in row.columns
    )
    files = tuple(DataFile(f.key, f.bytes, f.sha256, f.partition, f.version_id, f.etag) for f in row.files)
    return DatasetVersion(
        dataset=row.dataset,
        version=row.number,
        provider=dataset.provider,
        title=Words(dataset.title_zh, dataset.title_en),
        rows=row.rows,
        columns=columns,
        entity_column=row.entity_column,
        partition_columns=tuple(row.partition_columns),
        files=files,
        bucket=DATA_BUCKET,
        base_key=row.base_key,
        digest=row.digest,
        registration_valid_until=dataset.registration_valid_until,
        state=row.state,
    )
