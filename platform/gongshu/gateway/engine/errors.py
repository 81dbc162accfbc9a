"""What the engine refuses, and what of a Spark error may be told.

A refusal is the engine's own decision; a failed statement is Spark's finding about a governed plan. Neither
message ever holds a stored value, a hidden name, a path or a plan text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gongshu.errors import GongshuError, Words
from gongshu.gateway.engine.shapes import SafeError

_WHY: dict[str, tuple[str, str]] = {
    "engine.plan.command": ("沙箱里只能查询,不能执行命令({what})", "Only queries run here, no commands ({what})"),
    "engine.plan.node": ("不支持的查询形式({what})", "This form of query is not supported ({what})"),
    "engine.plan.streaming": ("不支持流式读取", "Streaming is not supported"),
    "engine.plan.too_large": ("查询计划过大", "The plan is too large"),
    "engine.plan.too_deep": ("查询嵌套过深", "The plan is nested too deeply"),
    "engine.plan.unreadable": ("查询无法解读", "The plan cannot be read"),
    "engine.plan.unknown_part": ("不支持的查询形式({what})", "This form of query is not supported ({what})"),
    "engine.relation.options": ("表名后不能带读取选项", "A table takes no read options"),
    "engine.relation.unknown": ("没有这个数据集,或协议没有授权:{what}", "No such dataset, or not granted: {what}"),
    "engine.function.not_allowed": ("函数不可用:{what}", "This function is not available: {what}"),
    "engine.expression.class": ("表达式不可用:{what}", "This expression is not available: {what}"),
    "engine.expression.metadata": ("文件元数据列不可用", "File metadata columns are not available"),
    "engine.message.relation": ("不支持的操作:{what}", "This operation is not supported: {what}"),
    "engine.message.expression": ("不支持的表达式:{what}", "This expression is not supported: {what}"),
    "engine.message.argument": ("查询参数只能是值", "Arguments of a query must be values"),
    "engine.message.unknown_field": ("客户端版本不匹配({what})", "The client speaks another version ({what})"),
    "engine.release.function": ("发布表只支持 sum、count、mean,不支持 {what}", "Only sum, count and mean, not {what}"),
    "engine.release.column": ("没有这个字段:{what}", "No such column: {what}"),
    "engine.release.ambiguous": ("字段名不唯一:{what}", "The column name is ambiguous: {what}"),
    "engine.release.no_measure": ("发布表至少要有一个指标", "A table needs at least one measure"),
    "engine.release.not_a_number": ("字段 {what} 不是数值", "Column {what} is not a number"),
    "engine.release.too_many_cells": ("单元格超过 {what} 个", "More than {what} cells"),
    "engine.mask.type": (
        "脱敏方式 {mask} 不适用于字段 {what} 的类型",
        "Mask {mask} does not fit the type of column {what}",
    ),
}
_NEXT = {
    "engine.function.not_allowed": Words(
        "换用内置函数,或先取出结果再用 pandas 处理",
        "Use a built-in function, or collect the result and go on in pandas",
    ),
    "engine.plan.command": Words("请改写为 SELECT 查询或 DataFrame 操作", "Write it as a SELECT or a DataFrame query"),
}


class EngineRefusal(GongshuError):
    """The plan may not run. `code` is stable (``engine.function.not_allowed``); `details` names the offending part."""

    status = 403

    def __init__(self, code: str, details: Mapping[str, str]) -> None:
        zh, en = _WHY.get(code, ("查询没有通过安全检查", "The plan did not pass the engine's checks"))
        known = {"what": "", "mask": "", **details}
        super().__init__(code, Words(zh.format_map(known), en.format_map(known)), _NEXT.get(code), **details)


class StatementFailed(GongshuError):
    """Spark found a fault in the statement (unknown column, wrong type, parse error …). `safe` says which."""

    status = 422

    def __init__(self, safe: SafeError) -> None:
        super().__init__(safe.code, safe.message, condition=safe.condition, sql_state=safe.sql_state)
        self.safe = safe


# Conditions whose parameters are the analyst's own words or governed values; all others keep only their name.
_TELLING = re.compile(
    r"^(UNRESOLVED_|PARSE_|DATATYPE_MISMATCH|CAST_|DIVIDE_BY_ZERO|ARITHMETIC_OVERFLOW|BINARY_ARITHMETIC_OVERFLOW|NUMERIC_|"
    r"INVALID_|AMBIGUOUS_|COLUMN_|MISSING_AGGREGATION|MISSING_GROUP_BY|GROUP_BY|WRONG_NUM_ARGS|UNSUPPORTED_|USER_RAISED_EXCEPTION|"
    r"SCALAR_SUBQUERY_TOO_MANY_ROWS|CANNOT_PARSE|CONVERSION_|DATETIME_|NUM_COLUMNS_MISMATCH|INCOMPATIBLE_|UNBOUND_|"
    r"MAP_KEY|NULL_MAP_KEY|ELEMENT_AT_BY_INDEX_ZERO|DUPLICATE|NOT_A|NON_|ROW_SUBQUERY|SUM_OF|UNPIVOT|UNTYPED|WINDOW|LATERAL)"
)
_SECRET = re.compile(
    r"(s3a?|file|hdfs):/|/[\w.-]+/[\w.-]+/|\.(parquet|jar|scala|java)\b|Relation\b|#\d+|\bat org\.|gongshu", re.I
)
_STORAGE = re.compile(
    r"AWSClientIO|SdkClientException|AWSS3IO|AWSServiceIO|NoSuchKey|NoSuchBucket|ConnectException|UnknownHost|"
    r"SocketTimeout|fs\.s3a|software\.amazon|FAILED_READ_FILE|FileNotFoundException|connection refused",
    re.I,
)
_LONGEST = 300


def is_storage_failure(*texts: str) -> bool:
    """Whether an error of Spark tells of the data store rather than of the statement."""
    return any(_STORAGE.search(text) for text in texts)


def safe_error(
    condition: str, sql_state: str = "", parameters: Mapping[str, str] | None = None, message: str = ""
) -> SafeError:
    """Scrub a Spark error for the analyst. `message` may be Spark's own sentence; it is kept only if harmless."""
    telling = bool(_TELLING.match(condition))
    kept = {k: _harmless(v) for k, v in (parameters or {}).items()} if telling else {}
    english = message.strip() if telling and message and not _SECRET.search(message) else ""
    if not english:
        shown = "; ".join(f"{k}: {v}" for k, v in kept.items() if v)
        english = f"[{condition}] {shown}".strip()
    return SafeError(
        code="statement.failed",
        condition=condition,
        sql_state=sql_state,
        parameters=kept,
        message=Words(f"语句有误({condition})。", english[: 4 * _LONGEST]),
    )


def _harmless(value: str) -> str:
    return "…" if _SECRET.search(value) or "\n" in value else value[:_LONGEST]
