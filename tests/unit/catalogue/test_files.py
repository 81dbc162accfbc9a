"""What a steward's file may look like, and how each fault is named."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gongshu.catalogue.columns import require_names, spark_type, stored_type
from gongshu.catalogue.parquet_file import ParquetFile
from gongshu.catalogue.text_file import CsvFile
from gongshu.catalogue.writer import PartitionedWriter, stored_bytes
from gongshu.errors import Invalid


def csv_file(tmp_path: Path, data: bytes | str, declared: dict[str, str] | None = None) -> CsvFile:
    path = tmp_path / "upload.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return CsvFile(path, declared or {})


def types_of(file: CsvFile) -> dict[str, str]:
    return {one.name: spark_type(one.type) for one in file.schema}


def test_types_follow_every_value_not_a_sample(tmp_path: Path) -> None:
    rows = "\n".join(f"{n},{n}.5,2026-01-02,0{n},2026-01-02 03:04:05,true," for n in range(1, 200))
    file = csv_file(tmp_path, f"a,b,c,d,e,f,g\n{rows}\nx,1,2026-13-45,7,2026-01-02 03:04:05,maybe,\n")
    assert types_of(file) == {
        "a": "STRING",
        "b": "DOUBLE",
        "c": "STRING",
        "d": "STRING",
        "e": "TIMESTAMP_NTZ",
        "f": "STRING",
        "g": "STRING",
    }


def test_leading_zeros_and_long_numbers_stay_text(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "code,id,n\n007,440103199001011234567,7\n")
    assert types_of(file) == {"code": "STRING", "id": "STRING", "n": "BIGINT"}
    assert next(file.batches()).to_pylist() == [{"code": "007", "id": "440103199001011234567", "n": 7}]


def test_declared_type_wins_and_names_the_first_row_that_breaks_it(tmp_path: Path) -> None:
    assert types_of(csv_file(tmp_path, "district\n440103\n", {"district": "string"})) == {"district": "STRING"}
    with pytest.raises(Invalid) as refused:
        csv_file(tmp_path, "n\n1\n2\nsecret\n4\n", {"n": "BIGINT"})
    assert refused.value.details == {"row": 3, "column": "n"}
    assert "secret" not in str(refused.value.envelope("r"))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("a,b\n1,2\n3,4,5\n", "catalogue.csv.ragged"),
        ('a,b\n1,"2\n', "catalogue.csv.malformed"),
        ("名称\n广州\n".encode("gb18030"), "catalogue.csv.encoding"),
        ("a,b\n1,2\n".encode("utf-16"), "catalogue.csv.encoding"),
        ("a,A\n1,2\n", "catalogue.column.duplicate"),
        ("a,\n1,2\n", "catalogue.column.name"),
        ('a,"x; DROP TABLE y"\n1,2\n', "catalogue.column.name"),
        ("a,../../etc/passwd\n1,2\n", "catalogue.column.name"),
        (",".join(f"c{n}" for n in range(300)) + "\n", "catalogue.columns.too_many"),
        ("\n\n", "catalogue.csv.header"),
    ],
)
def test_faults_are_named_without_quoting_values(tmp_path: Path, data: bytes | str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        list(csv_file(tmp_path, data).batches())
    assert refused.value.code == code
    assert refused.value.next_step is not None


def test_ragged_row_is_numbered(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        csv_file(tmp_path, "a,b\n1,2\n3\n")
    assert refused.value.details["row"] == 3


def test_words_of_sql_are_ordinary_column_names() -> None:
    require_names(["select", "order", "table", "列名"])


def test_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert csv_file(tmp_path, "\ufeffa,b\n1,2\n").schema.names == ["a", "b"]


def test_nested_parquet_is_refused_and_a_torn_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as nested:
        stored_type("a", pa.list_(pa.int32()))
    assert nested.value.code == "catalogue.column.type"
    path = tmp_path / "torn.parquet"
    pq.write_table(pa.table({"a": [1, 2, 3]}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Invalid) as torn:
        ParquetFile(path)
    assert torn.value.code == "catalogue.parquet.unreadable"


def test_partitions_become_folders_and_every_stored_byte_has_a_column(tmp_path: Path) -> None:
    table = pa.table({"id": list(range(10)), "district": ["440103", "440104"] * 5, "name": ["x"] * 10})
    files = PartitionedWriter(tmp_path, table.schema, ["district"]).write(table.to_batches(max_chunksize=3))
    assert [file.relative for file in files] == [
        "district=440103/part-00000.parquet",
        "district=440104/part-00000.parquet",
    ]
    assert [file.rows for file in files] == [5, 5]
    assert set(stored_bytes(files)) == {"id", "name"}
    assert pq.read_table(files[0].path, partitioning=None).column_names == ["id", "name"]


@pytest.mark.parametrize("value", ["../up", "", None, "a/b", "a=b", ".hidden"])
def test_partition_value_never_becomes_a_path(tmp_path: Path, value: str | None) -> None:
    table = pa.table({"id": [1], "district": pa.array([value], pa.string())})
    with pytest.raises(Invalid) as refused:
        PartitionedWriter(tmp_path, table.schema, ["district"]).write(table.to_batches())
    assert refused.value.code == "catalogue.partition.value"
