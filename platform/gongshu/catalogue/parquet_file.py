"""Reading a Parquet file that somebody uploaded: only flat columns of plain types, within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gongshu.catalogue.columns import require_names, stored_type
from gongshu.errors import Invalid, TooLarge, Words

BATCH_ROWS = 262_144
MAX_UNPACKED_BYTES = 16 << 30  # a small file may unpack to very much


class ParquetFile:
    """An uploaded Parquet file, checked by its footer; values are checked while they are read."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = pq.ParquetFile(path)
            schema = self._file.schema_arrow
        except (pa.ArrowException, OSError):
            raise unreadable() from None
        require_names(schema.names)
        unpacked = sum(
            self._file.metadata.row_group(i).total_byte_size for i in range(self._file.metadata.num_row_groups)
        )
        if unpacked > MAX_UNPACKED_BYTES:
            raise TooLarge(
                "catalogue.parquet.unpacked",
                Words("文件解压后超过 16 GiB。", "Unpacked, the file exceeds 16 GiB."),
                Words("请拆分为较小的文件", "Split it into smaller files"),
            )
        self.schema = pa.schema([(one.name, stored_type(one.name, one.type)) for one in schema])

    def batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS):
                yield batch.cast(self.schema)
        except (pa.ArrowException, OSError):
            raise unreadable() from None


def unreadable() -> Invalid:
    return Invalid(
        "catalogue.parquet.unreadable",
        Words("Parquet 文件损坏或不完整。", "The Parquet file is damaged or incomplete."),
        Words("请重新生成这个文件后再上传", "Write the file again and upload it"),
    )
