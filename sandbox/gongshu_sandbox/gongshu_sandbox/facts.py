"""The scenario in words: granted tables, their columns with level, mask and clause, quota, prices, welcome.

Everything comes from the portal at the moment of asking; nothing is kept that a revocation would make wrong.
"""

from __future__ import annotations

from typing import Any

from gongshu_sandbox.place import said, words
from gongshu_sandbox.portal import ask
from gongshu_sandbox.refusals import Refused
from gongshu_sandbox.sheet import Sheet

MIB = 1024 * 1024


def _facts() -> dict[str, Any]:
    facts: dict[str, Any] = ask("GET", "")
    return facts


def tables() -> Sheet:
    """The tables that this scenario's grants name."""
    found = _facts().get("tables", [])
    rows = [
        [
            table["dataset"],
            said(table.get("title")),
            _rows(table),
            str(len(table["columns"])),
            max((str(column.get("level") or "") for column in table["columns"]), default=""),
            said(table.get("row_filter_text")) or words("全部行", "all rows"),
        ]
        for table in found
    ]
    headings = [
        words("表", "table"), words("名称", "title"), words("行数", "rows"), words("列数", "columns"),
        words("最高级别", "highest level"), words("行范围", "rows granted"),
    ]  # fmt: skip
    hint = words('列的说明:gongshu.describe("表名")', 'Columns: gongshu.describe("table")')
    return Sheet(headings, rows, notes=[hint])


def _rows(table: dict[str, Any]) -> str:
    return f"{table['rows']:,}" if isinstance(table.get("rows"), int) else "–"


def describe(dataset: str) -> Sheet:
    """The granted columns of one table: type, meaning, level, mask, clause. Raises Refused for any other table."""
    found = next((table for table in _facts().get("tables", []) if table["dataset"] == dataset), None)
    if found is None:
        raise Refused(
            "table.not_granted",
            f"授权范围内没有表 {dataset}。下一步:gongshu.tables() 列出可用的表。",
            f"The table {dataset} is not granted. Next: gongshu.tables() lists what is.",
        )
    rows = [
        [
            column["name"],
            str(column["type"]).lower(),
            said(column.get("comment")),
            str(column.get("level") or ""),
            said(column["mask"]) if column.get("mask") else "",
            str(column.get("clause") or ""),
        ]
        for column in found["columns"]
    ]
    headings = [
        words("列", "column"), words("类型", "type"), words("含义", "meaning"), words("级别", "level"),
        words("脱敏", "mask"), words("条款", "clause"),
    ]  # fmt: skip
    notes = []
    if filtered := said(found.get("row_filter_text")):
        clause = found.get("row_filter_clause") or ""
        notes.append(words(f"行范围:{filtered}({clause})", f"Rows granted: {filtered} ({clause})"))
    if found.get("entity_column"):
        notes.append(words(f"主体标识列:{found['entity_column']}", f"Entity column: {found['entity_column']}"))
    return Sheet(headings, rows, title=f"{dataset} · {said(found.get('title'))}", notes=notes)


def quota() -> Sheet:
    """What may be used in a day, and what has been used where the portal tells it."""
    limits = _facts().get("quota", {})
    names = {
        "billable_bytes_per_day": words("计费数据量/日", "billable data a day"),
        "statements_per_day": words("语句数/日", "statements a day"),
        "billable_bytes_today": words("今日计费数据量", "billable data today"),
        "statements_today": words("今日语句数", "statements today"),
    }
    rows = [[names.get(key, key), _amount(key, value)] for key, value in limits.items()]
    return Sheet([words("额度", "quota"), words("数量", "amount")], rows)


def _amount(key: str, value: object) -> str:
    if isinstance(value, int):
        return f"{value / MIB:,.1f} MiB" if "bytes" in key else f"{value:,}"
    return str(value)


def price() -> Sheet:
    """By which price each table is charged."""
    rows = [[str(one["dataset"]), str(one["price"]), str(one["use"])] for one in _facts().get("prices", [])]
    return Sheet([words("表", "table"), words("收费标准", "price"), words("用途", "use")], rows)


def welcome() -> Sheet:
    """One screen: the scenario, its purpose and term, the tables, and what to type next."""
    facts = _facts()
    scenario = facts.get("scenario", {})
    rows = [[table["dataset"], said(table.get("title")), _rows(table)] for table in facts.get("tables", [])]
    notes = [
        words("用途:", "Purpose: ") + str(scenario.get("purpose") or ""),
        words("期限:", "Term: ") + str(scenario.get("ends_at") or "")[:10],
        words(
            'spark 已就绪;%%sql 可直接写 SQL;gongshu.describe("表名") 看列;gongshu.release_table(…) 申请出域。',
            'spark is ready; %%sql takes SQL; gongshu.describe("table") shows columns; '
            "gongshu.release_table(…) asks for a release.",
        ),
    ]
    title = f"{said(scenario.get('title'))} · {scenario.get('code', '')} · {scenario.get('agreement') or ''}"
    return Sheet([words("表", "table"), words("名称", "title"), words("行数", "rows")], rows, title, notes)
