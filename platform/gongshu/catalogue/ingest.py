"""From an uploaded file to stored objects: checked, rewritten as Parquet, digested, kept with its original.

Every delivery gets a folder of its own in the bucket, so nothing is ever overwritten; without a row
in the database nobody sees it. It decides nothing about who may upload.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from minio import Minio
from minio.error import MinioException
from ulid import ULID

from gongshu.catalogue.columns import spark_type
from gongshu.catalogue.parquet_file import ParquetFile
from gongshu.catalogue.text_file import CsvFile
from gongshu.catalogue.writer import PartitionedWriter, Written, stored_bytes
from gongshu.errors import Invalid, TooLarge, Words
from gongshu.store import naming_the_store

MAX_UPLOAD_BYTES = 1 << 30
COPY_BYTES = 4 << 20
PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True)
class ObjectFile:
    """One stored Parquet object, as it was answered by the store."""

    key: str
    bytes: int
    rows: int
    sha256: str
    partition: Mapping[str, str]
    version_id: str
    etag: str


@dataclass(frozen=True)
class DeliveredColumn:
    name: str
    type: str
    stored_bytes: int


@dataclass(frozen=True)
class Delivery:
    """What an upload has become. digest: of the manifest (columns, files, original)."""

    digest: str
    rows: int
    columns: tuple[DeliveredColumn, ...]
    partition_columns: tuple[str, ...]
    files: tuple[ObjectFile, ...]
    base_key: str
    original_key: str
    original_sha256: str
    original_bytes: int
    original_format: str


def ingest(
    store: Minio, bucket: str, upload: IO[bytes], dataset: str, partition_by: Sequence[str], declared: Mapping[str, str]
) -> Delivery:
    """Take a CSV or Parquet file. declared: Spark SQL types that the steward names for CSV columns.

    Raises Invalid or TooLarge with the place of the fault, Unavailable('storage').
    """
    with tempfile.TemporaryDirectory(prefix="gongshu-ingest-") as folder:
        original = Path(folder) / "original"
        size, sha256 = _take(upload, original)
        source, kind = _open(original, size, declared)
        require_partition(partition_by, source.schema.names)
        files = PartitionedWriter(Path(folder) / "out", source.schema, partition_by).write(source.batches())
        rows = sum(file.rows for file in files)
        if rows == 0:
            raise Invalid(
                "catalogue.rows.none",
                Words("文件里没有一行数据。", "The file holds no row."),
                Words("请确认文件后重新上传", "Check the file and upload again"),
            )
        measured = stored_bytes(files)
        columns = tuple(
            DeliveredColumn(one.name, spark_type(one.type), measured.get(one.name, 0)) for one in source.schema
        )
        place = f"{dataset}/{ULID()}"
        stored, original_key = _store(store, bucket, place, files, original)
        digest = _digest(dataset, columns, files, rows, sha256)
    return Delivery(
        digest, rows, columns, tuple(partition_by), stored, f"datasets/{place}", original_key, sha256, size, kind
    )


def discard(store: Minio, bucket: str, delivery: Delivery) -> None:
    """Take away the objects of a delivery that was not registered after all. Best effort: nobody can see them."""
    with suppress(MinioException, OSError):
        for key in (*(file.key for file in delivery.files), delivery.original_key):
            store.remove_object(bucket, key)


def require_partition(partition_by: Sequence[str], names: Sequence[str]) -> None:
    """Raise Invalid for a partition column that is absent or repeated, or when no other column is left."""
    absent = [name for name in partition_by if name not in names]
    if absent or len(set(partition_by)) != len(partition_by) or (partition_by and len(partition_by) >= len(names)):
        raise Invalid(
            "catalogue.partition.column",
            Words("分区列不在文件里,或有重复。", "A partition column is not in the file, or is named twice."),
            Words("从文件的列中选择分区列", "Choose partition columns from those of the file"),
            absent=absent,
        )


def _take(upload: IO[bytes], path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        while block := upload.read(COPY_BYTES):
            size += len(block)
            if size > MAX_UPLOAD_BYTES:
                raise TooLarge(
                    "catalogue.file.too_large",
                    Words("文件超过 1 GiB。", "The file exceeds 1 GiB."),
                    Words("请拆分为较小的文件,或改用 Parquet 格式", "Split it into smaller files, or use Parquet"),
                    limit_bytes=MAX_UPLOAD_BYTES,
                )
            digest.update(block)
            file.write(block)
    return size, digest.hexdigest()


def _open(path: Path, size: int, declared: Mapping[str, str]) -> tuple[CsvFile | ParquetFile, str]:
    if size == 0:
        raise Invalid(
            "catalogue.file.empty",
            Words("文件是空的。", "The file is empty."),
            Words("请确认文件后重新上传", "Check the file and upload again"),
        )
    with path.open("rb") as file:
        head = file.read(4)
    if head == PARQUET_MAGIC:
        return ParquetFile(path), "parquet"
    if head[:2] == b"PK" or head in (b"\xd0\xcf\x11\xe0", b"\x1f\x8b\x08\x00") or head[:2] == b"\x1f\x8b":
        raise Invalid(
            "catalogue.file.format",
            Words(
                "文件是压缩包或 Excel 工作簿,不能登记。",
                "The file is an archive or an Excel workbook; it cannot be registered.",
            ),
            Words("请另存为 UTF-8 编码的 CSV,或改用 Parquet", "Save it as CSV in UTF-8, or use Parquet"),
        )
    return CsvFile(path, declared), "csv"


def _store(
    store: Minio, bucket: str, place: str, files: Sequence[Written], original: Path
) -> tuple[tuple[ObjectFile, ...], str]:
    done = []
    original_key = f"originals/{place}"
    with naming_the_store():
        store.fput_object(bucket, original_key, str(original))
        for file in files:
            key = f"datasets/{place}/{file.relative}"
            answer = store.fput_object(bucket, key, str(file.path), content_type="application/vnd.apache.parquet")
            facts = (answer.version_id or "", answer.etag or "")
            done.append(ObjectFile(key, file.bytes, file.rows, file.sha256, file.partition, *facts))
    shutil.rmtree(original.parent / "out", ignore_errors=True)
    return tuple(done), original_key


def _digest(
    dataset: str, columns: Sequence[DeliveredColumn], files: Sequence[Written], rows: int, original: str
) -> str:
    manifest = {
        "columns": [[one.name, one.type] for one in columns],
        "dataset": dataset,
        "files": [[file.relative, file.bytes, file.sha256] for file in files],
        "original": original,
        "rows": rows,
    }
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
