"""Column names and types: which are accepted, and how Arrow's types are called in Spark SQL.

A name that is a word of SQL (select, order) is accepted: everything that reads it quotes it. Names with
quotes, spaces, dots or control characters are refused, and so is the 257th column.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from gongshu.errors import Invalid, Words

MAX_COLUMNS = 256
MAX_NAME = 63
NAME = re.compile(r"[A-Za-z\u3400-\u9fff][A-Za-z0-9_\u3400-\u9fff]{0,62}")
RENAME = Words("请修改表头后重新上传", "Correct the header and upload again")

_SPARK = {
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.string(): "STRING",
    pa.timestamp("us", "UTC"): "TIMESTAMP",
    pa.timestamp("us"): "TIMESTAMP_NTZ",
}
_WIDER = {pa.uint8(): pa.int16(), pa.uint16(): pa.int32(), pa.uint32(): pa.int64(), pa.float16(): pa.float32()}
# What a steward may ask a CSV column to be.
DECLARED = {name: kind for kind, name in _SPARK.items()}


def require_names(names: Sequence[str]) -> None:
    """Raise Invalid for too many, empty, duplicate (letter case aside) or unacceptable column names."""
    if len(names) > MAX_COLUMNS:
        raise Invalid(
            "catalogue.columns.too_many",
            Words(
                f"共 {len(names)} 列,最多 {MAX_COLUMNS} 列。", f"{len(names)} columns; at most {MAX_COLUMNS} are taken."
            ),
            Words("请按用途拆成几个数据资源", "Split it into several datasets by purpose"),
            columns=len(names),
        )
    for position, name in enumerate(names, 1):
        if not NAME.fullmatch(name):
            shown = "".join(c if c.isprintable() else "?" for c in name[:40])
            raise Invalid(
                "catalogue.column.name",
                Words(
                    f"第 {position} 列的列名“{shown}”不可用:以字母或汉字开头,"
                    f"只含字母、汉字、数字和下划线,最多 {MAX_NAME} 个字。",
                    f'Column {position} is named "{shown}": a name begins with a letter, has letters, digits and '
                    f"underscores only, and at most {MAX_NAME} characters.",
                ),
                RENAME,
                position=position,
            )
    seen: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        first = seen.setdefault(name.lower(), position)
        if first != position:
            raise Invalid(
                "catalogue.column.duplicate",
                Words(
                    f"第 {first} 列和第 {position} 列同名“{name}”(不分大小写)。",
                    f'Columns {first} and {position} have the same name "{name}" (letter case aside).',
                ),
                RENAME,
                positions=[first, position],
            )


def stored_type(name: str, kind: pa.DataType) -> pa.DataType:
    """The type under which a column is stored. Raises Invalid for types that Spark's tables do not carry plainly."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if kind in _SPARK:
        return kind
    if kind in _WIDER:
        return _WIDER[kind]
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", "UTC") if kind.tz else pa.timestamp("us")
    if pa.types.is_date64(kind):
        return pa.date32()
    if pa.types.is_decimal128(kind) and kind.precision <= 38:
        return kind
    raise Invalid(
        "catalogue.column.type",
        Words(f"列 {name} 的类型 {kind} 不能登记。", f"Column {name} has type {kind}, which cannot be registered."),
        Words("请改为文字、数值、日期、时间或是否", "Use text, numbers, dates, times or booleans"),
        column=name,
    )


def spark_type(kind: pa.DataType) -> str:
    """Arrow's stored type in Spark SQL's words."""
    if pa.types.is_decimal128(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    return _SPARK[kind]
