"""Row filters and masks: what compiles, what does not, and how it reads."""

from __future__ import annotations

from typing import Any

import pytest

from gongshu.errors import Invalid
from gongshu.policy import clause_in_english, columns_of_filter, describe_filter, require_filter, require_mask

COLUMNS = {"district": "string", "nights": "int", "checkin": "date", "spend": "decimal(10,2)"}


@pytest.mark.parametrize(
    ("row_filter", "text"),
    [
        ({"column": "district", "op": "in", "values": ["440103", "440104"]}, "district IN ('440103', '440104')"),
        ({"column": "district", "op": "=", "value": "O'Hare"}, "district = 'O''Hare'"),
        ({"column": "checkin", "op": "is-not-null"}, "checkin IS NOT NULL"),
        (
            {
                "and": [
                    {"column": "nights", "op": ">", "value": 1},
                    {"or": [{"column": "district", "op": "<>", "value": "1"}]},
                ]
            },
            "nights > 1 AND (district <> '1')",
        ),
        ({"not": {"column": "nights", "op": "not-in", "values": [1]}}, "NOT nights NOT IN (1)"),
    ],
)
def test_filters_of_the_vocabulary_compile_and_read_as_one_line(row_filter: dict[str, Any], text: str) -> None:
    require_filter(row_filter, COLUMNS, "tourism.stays")
    assert describe_filter(row_filter) == text
    assert columns_of_filter(row_filter) <= set(COLUMNS)


@pytest.mark.parametrize(
    "row_filter",
    [
        "district = 1",
        {},
        [],
        {"column": "absent", "op": "=", "value": 1},
        {"column": "district", "op": "like", "value": "%"},
        {"column": "district", "op": "=", "values": ["1"]},
        {"column": "district", "op": "=", "value": {"sql": "1 or 1=1"}},
        {"column": "district", "op": "in", "values": []},
        {"column": "district", "op": "in", "values": ["1"] * 1001},
        {"column": "district", "op": "is-null", "value": 1},
        {"column": "district", "op": "=", "value": "1", "or": []},
        {"and": []},
        {"or": "district"},
        {"and": [{"column": "district", "op": "=", "value": "1"}] * 201},
    ],
)
def test_anything_else_does_not_compile(row_filter: Any) -> None:
    with pytest.raises(Invalid):
        require_filter(row_filter, COLUMNS, "tourism.stays")


@pytest.mark.parametrize(
    ("mask", "kind", "fits"),
    [
        ({"kind": "sha-256-keyed"}, "string", True),
        ({"kind": "sha-256-keyed"}, "int", False),
        ({"kind": "truncate-to-month"}, "timestamp", True),
        ({"kind": "truncate-to-month"}, "string", False),
        ({"kind": "bucket", "size": 1000}, "decimal(10,2)", True),
        ({"kind": "bucket", "size": 0}, "int", False),
        ({"kind": "bucket"}, "int", False),
        ({"kind": "bucket", "size": True}, "int", False),
        ({"kind": "bucket", "size": 10}, "interval day", False),
        ({"kind": "replace-with-null"}, "binary", True),
        ({"kind": "replace-with-null", "with": "x"}, "string", False),
        ({"kind": ["show-last-4"]}, "string", False),
        ("show-last-4", "string", False),
        ({}, "string", False),
    ],
)
def test_masks_fit_their_column_or_are_refused(mask: Any, kind: str, fits: bool) -> None:
    if fits:
        require_mask(mask, "c", kind)
    else:
        with pytest.raises(Invalid):
            require_mask(mask, "c", kind)


@pytest.mark.parametrize(
    ("clause", "english"),
    [
        ("第三条", "clause 3"),
        ("第十条", "clause 10"),
        ("第十八条", "clause 18"),
        ("第二十一条", "clause 21"),
        ("第三条第二款", "clause 3(2)"),
        ("附件", "clause 附件"),
    ],
)
def test_clauses_read_in_english(clause: str, english: str) -> None:
    assert clause_in_english(clause) == english
