"""Writes a delivery as our own Parquet files, one folder per partition value, and reads their footers.

Row groups are filled up before they are written, within a bound of memory. Nothing is written twice
under one name.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gongshu.errors import Invalid, Words

GROUP_ROWS = 500_000
BUFFER_BYTES = 256 << 20
MAX_PARTITIONS = 200
VALUE = re.compile(r"[A-Za-z0-9\u3400-\u9fff][A-Za-z0-9\u3400-\u9fff_.-]{0,63}")
SEPARATOR = "\x1f"


@dataclass
class Written:
    """One finished local file. relative: path below the version's folder."""

    relative: str
    path: Path
    partition: dict[str, str]
    rows: int
    bytes: int
    sha256: str


@dataclass
class _Open:
    """A partition that is still being written."""

    writer: pq.ParquetWriter
    path: Path
    partition: dict[str, str]
    waiting: list[pa.RecordBatch] = field(default_factory=list)
    waiting_bytes: int = 0
    waiting_rows: int = 0
    rows: int = 0


class PartitionedWriter:
    """Splits batches by the partition columns (none: one file) and writes Parquet below `folder`."""

    def __init__(self, folder: Path, schema: pa.Schema, partition_by: Sequence[str]) -> None:
        self._folder = folder
        self._by = tuple(partition_by)
        self._stored = pa.schema([one for one in schema if one.name not in self._by])
        self._open: dict[str, _Open] = {}

    def write(self, batches: Iterable[pa.RecordBatch]) -> list[Written]:
        """Write everything and return the files, in order of their names."""
        for batch in batches:
            for key, part in self._split(batch):
                self._add(key, part)
        return [self._finish(one) for _key, one in sorted(self._open.items())]

    def _split(self, batch: pa.RecordBatch) -> Iterable[tuple[str, pa.RecordBatch]]:
        if not self._by:
            yield "", batch
            return
        columns = [pc.cast(batch.column(name), pa.string()) for name in self._by]
        if any(column.null_count for column in columns):
            raise _bad_partition(self._by)
        keys = pc.binary_join_element_wise(*columns, SEPARATOR).dictionary_encode()
        for code, key in enumerate(keys.dictionary.to_pylist()):
            yield key, batch.filter(pc.equal(keys.indices, code)).select(self._stored.names)

    def _add(self, key: str, part: pa.RecordBatch) -> None:
        one = self._open.get(key) or self._begin(key)
        one.waiting.append(part)
        one.waiting_rows += part.num_rows
        one.waiting_bytes += part.nbytes
        if one.waiting_rows >= GROUP_ROWS:
            _flush(one)
        if sum(other.waiting_bytes for other in self._open.values()) > BUFFER_BYTES:
            _flush(max(self._open.values(), key=lambda other: other.waiting_bytes))

    def _begin(self, key: str) -> _Open:
        values = key.split(SEPARATOR) if self._by else []
        if not all(VALUE.fullmatch(value) for value in values):
            raise _bad_partition(self._by)
        if len(self._open) >= MAX_PARTITIONS:
            raise Invalid(
                "catalogue.partition.too_many",
                Words(
                    f"分区列的取值超过 {MAX_PARTITIONS} 个。",
                    f"The partition columns have more than {MAX_PARTITIONS} values.",
                ),
                Words("请改用取值较少的列,或不分区", "Choose columns with fewer values, or none"),
            )
        partition = dict(zip(self._by, values, strict=True))
        folder = self._folder.joinpath(*(f"{name}={value}" for name, value in partition.items()))
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "part-00000.parquet"
        writer = pq.ParquetWriter(path, self._stored, compression="zstd", version="2.6", store_schema=False)
        self._open[key] = _Open(writer, path, partition)
        return self._open[key]

    def _finish(self, one: _Open) -> Written:
        _flush(one)
        one.writer.close()
        with one.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        relative = one.path.relative_to(self._folder).as_posix()
        return Written(relative, one.path, one.partition, one.rows, one.path.stat().st_size, sha256)


def _flush(one: _Open) -> None:
    if one.waiting:
        table = pa.Table.from_batches(one.waiting).combine_chunks()
        one.writer.write_table(table, row_group_size=GROUP_ROWS)
        one.rows += one.waiting_rows
        one.waiting, one.waiting_bytes, one.waiting_rows = [], 0, 0


def stored_bytes(files: Iterable[Written]) -> dict[str, int]:
    """Compressed bytes of each column over all files, from the footers (document 13 §15)."""
    sums: dict[str, int] = defaultdict(int)
    for file in files:
        footer = pq.read_metadata(file.path)
        for group in range(footer.num_row_groups):
            for position in range(footer.num_columns):
                chunk = footer.row_group(group).column(position)
                sums[chunk.path_in_schema] += chunk.total_compressed_size
    return dict(sums)


def _bad_partition(by: Sequence[str]) -> Invalid:
    names = "、".join(by)
    return Invalid(
        "catalogue.partition.value",
        Words(
            f"分区列 {names} 有空值,或取值含有不能做文件夹名的字符。",
            f"The partition columns ({', '.join(by)}) hold an empty value, or one that cannot name a folder.",
        ),
        Words("请改用另一列分区,或不分区", "Partition by another column, or by none"),
    )
