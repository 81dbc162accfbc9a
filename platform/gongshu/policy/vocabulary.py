"""Row filters and masks: the closed vocabulary that an agreement may use (document 3, Vocabulary).

It decides what a filter and a mask can say at all; whatever is not named here does not compile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gongshu.errors import Invalid, Words

ONE_VALUE = {"=", "<>", "<", "<=", ">", ">="}
MANY_VALUES = {"in", "not-in"}
NO_VALUE = {"is-null", "is-not-null"}
FILTER_OPERATORS = ONE_VALUE | MANY_VALUES | NO_VALUE
MAX_FILTER_NODES = 200
MAX_VALUES = 1000

STRINGS = ("string", "char", "varchar")
INTEGERS = ("tinyint", "smallint", "int", "integer", "bigint", "long", "short", "byte")
NUMBERS = (*INTEGERS, "float", "double", "decimal", "real")
MOMENTS = ("date", "timestamp", "timestamp_ntz", "timestamp_ltz")
MASK_KINDS: Mapping[str, tuple[str, ...] | None] = {
    "show-last-4": STRINGS,
    "replace-with-null": None,
    "truncate-to-year": MOMENTS,
    "truncate-to-month": MOMENTS,
    "sha-256-keyed": STRINGS,
    "mask-alphanum": STRINGS,
    "bucket": NUMBERS,
}
MASK_WORDS = {
    "show-last-4": Words("只给后四位", "last four characters only"),
    "replace-with-null": Words("置空", "replaced with null"),
    "truncate-to-year": Words("只到年", "year only"),
    "truncate-to-month": Words("只到月", "month only"),
    "sha-256-keyed": Words("带密钥散列(同一值同一散列,不可还原)", "keyed hash (same value, same hash; irreversible)"),
    "mask-alphanum": Words("字母和数字遮盖", "letters and digits masked"),
    "bucket": Words("归入区间", "rounded down to a bucket"),
}


def require_filter(row_filter: object, columns: Mapping[str, str], where: str) -> None:
    """Raise Invalid unless the filter is None or built from the vocabulary on `columns` (name → Spark type)."""
    if row_filter is None:
        return
    for count, node in enumerate(_nodes(row_filter, where)):
        if count >= MAX_FILTER_NODES:
            raise _bad_filter(where, "条件过多", "too many conditions")
        _require_condition(node, columns, where)


def _nodes(node: object, where: str) -> Iterator[Mapping[str, Any]]:
    """The leaf conditions of a filter."""
    if not isinstance(node, dict):
        raise _bad_filter(where, "条件须为对象", "a condition must be an object")
    keys = set(node)
    if keys == {"and"} or keys == {"or"}:
        parts = node.get("and", node.get("or"))
        if not isinstance(parts, list) or len(parts) < 1:
            raise _bad_filter(where, "and、or 须为非空列表", "and, or need a non-empty list")
        for part in parts:
            yield from _nodes(part, where)
    elif keys == {"not"}:
        yield from _nodes(node["not"], where)
    else:
        yield node


def _require_condition(node: Mapping[str, Any], columns: Mapping[str, str], where: str) -> None:
    column, operator = node.get("column"), node.get("op")
    if column not in columns:
        raise _bad_filter(where, f"没有列 {column}", f"there is no column {column}")
    if operator in ONE_VALUE and set(node) == {"column", "op", "value"} and _is_value(node["value"]):
        return
    if operator in MANY_VALUES and set(node) == {"column", "op", "values"}:
        values = node["values"]
        if isinstance(values, list) and 0 < len(values) <= MAX_VALUES and all(_is_value(value) for value in values):
            return
    if operator in NO_VALUE and set(node) == {"column", "op"}:
        return
    raise _bad_filter(where, f"列 {column} 的条件不在词汇内", f"the condition on {column} is outside the vocabulary")


def _is_value(value: object) -> bool:
    return isinstance(value, str | int | bool)


def _bad_filter(where: str, zh: str, en: str) -> Invalid:
    return Invalid(
        "policy.row_filter.unknown",
        Words(f"{where} 的行范围无法编译:{zh}。", f"The row filter of {where} does not compile: {en}."),
        Words(
            "只用「列 操作符 值」、in、is-null 以及 and、or、not",
            "Use column-operator-value, in, is-null and and, or, not only",
        ),
    )


def require_mask(mask: object, column: str, spark_type: str) -> None:
    """Raise Invalid unless the mask is of the vocabulary and fits the column's type."""
    kind = mask.get("kind") if isinstance(mask, dict) else None
    if not isinstance(mask, dict) or not isinstance(kind, str) or kind not in MASK_KINDS:
        raise _bad_mask(column, f"没有遮盖方式 {kind}", f"there is no mask {kind}")
    fitting = MASK_KINDS[kind]
    base = spark_type.lower().split("(")[0].strip()
    if fitting is not None and base not in fitting:
        raise _bad_mask(column, f"{kind} 不适用于 {spark_type} 类型", f"{kind} does not fit the type {spark_type}")
    if kind == "bucket":
        size = mask.get("size")
        if set(mask) != {"kind", "size"} or isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise _bad_mask(column, "bucket 要给正整数 size", "bucket needs a positive integer size")
    elif set(mask) != {"kind"}:
        raise _bad_mask(column, f"{kind} 没有参数", f"{kind} takes no parameters")


def _bad_mask(column: str, zh: str, en: str) -> Invalid:
    return Invalid(
        "policy.mask.unknown",
        Words(f"列 {column} 的遮盖无法编译:{zh}。", f"The mask of column {column} does not compile: {en}."),
        Words(f"可用:{'、'.join(MASK_KINDS)}", f"Available: {', '.join(MASK_KINDS)}"),
    )


def columns_of_filter(row_filter: Mapping[str, Any] | None) -> set[str]:
    """The columns a filter reads (the analyst need not see them)."""
    if row_filter is None:
        return set()
    return {str(node["column"]) for node in _nodes(row_filter, "")}


def describe_mask(mask: Mapping[str, Any] | None) -> Words:
    """How a mask reads; None reads as given plainly."""
    if mask is None:
        return Words("直接给", "as it is")
    words = MASK_WORDS[str(mask["kind"])]
    if mask["kind"] == "bucket":
        return Words(f"{words.zh}(每 {mask['size']})", f"{words.en} (of {mask['size']})")
    return words


def describe_filter(row_filter: Mapping[str, Any] | None) -> str:
    """A filter as one line, the same in both languages: ``district IN ('440103', '440104')``."""
    if row_filter is None:
        return ""
    for word in ("and", "or"):
        if word in row_filter:
            return f" {word.upper()} ".join(_bracketed(part) for part in row_filter[word])
    if "not" in row_filter:
        return f"NOT {_bracketed(row_filter['not'])}"
    column, operator = row_filter["column"], str(row_filter["op"])
    if operator in NO_VALUE:
        return f"{column} {operator.replace('-', ' ').upper()}"
    if operator in MANY_VALUES:
        values = ", ".join(_literal(value) for value in row_filter["values"])
        return f"{column} {operator.replace('-', ' ').upper()} ({values})"
    return f"{column} {operator} {_literal(row_filter['value'])}"


def _bracketed(part: Mapping[str, Any]) -> str:
    text = describe_filter(part)
    return f"({text})" if {"and", "or"} & set(part) else text


def _literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).upper() if isinstance(value, bool) else str(value)
