"""Masks and row filters as form fields: `mask-<column>`, `size-<column>`, `filter-…`; read into the vocabulary."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData

from gongshu.errors import Invalid
from gongshu.policy import FILTER_OPERATORS, MASK_KINDS, require_mask

OPERATORS = sorted(FILTER_OPERATORS)
DEFAULT_BUCKET = 1000


def fitting_masks(spark_type: str) -> list[str]:
    """The kinds of mask that this type takes."""
    found = []
    for kind in MASK_KINDS:
        mask: dict[str, Any] = {"kind": kind, "size": 1} if kind == "bucket" else {"kind": kind}
        try:
            require_mask(mask, "", spark_type)
        except Invalid:
            continue
        found.append(kind)
    return found


def read_mask(form: FormData, key: str) -> dict[str, Any] | None:
    """The mask chosen for a column; None for the plain value."""
    kind = str(form.get(f"mask-{key}", ""))
    if not kind:
        return None
    if kind != "bucket":
        return {"kind": kind}
    size = str(form.get(f"size-{key}", ""))
    return {"kind": kind, "size": int(size) if size.isdigit() and len(size) < 12 else DEFAULT_BUCKET}


def read_filter(form: FormData, key: str, spark_types: dict[str, str]) -> dict[str, Any] | None:
    """One condition of a dataset's form; None when no column is chosen."""
    column, operator = str(form.get(f"filter-column-{key}", "")), str(form.get(f"filter-op-{key}", "="))
    if not column:
        return None
    if operator in ("is-null", "is-not-null"):
        return {"column": column, "op": operator}
    texts = [text.strip() for text in str(form.get(f"filter-values-{key}", "")).replace("\uff0c", ",").split(",")]
    values = [_literal(text, spark_types.get(column, "string")) for text in texts if text]
    if operator in ("in", "not-in"):
        return {"column": column, "op": operator, "values": values}
    return {"column": column, "op": operator, "value": values[0] if values else ""}


def _literal(text: str, spark_type: str) -> str | int | bool:
    """A value by the column's type; what does not read as a number stays text."""
    if spark_type in ("tinyint", "smallint", "int", "bigint") and text.lstrip("-").isdigit():
        return int(text)
    if spark_type == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text
