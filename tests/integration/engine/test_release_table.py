# ruff: noqa: E501 - a statement is read best on one line
"""Evidence comes from the query: who stands behind each cell, and how much of it is one entity's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gongshu.gateway.engine import EngineRefusal, Measure, MeasureEvidence, ReleaseTable
from tests.integration.engine.world import Hands

SUM = Measure("spent", "sum", "spend_yuan")
COUNT = Measure("stays", "count", None)


def release(hands: Hands, text: str, by: tuple[str, ...] = ("district",), *measures: Measure) -> ReleaseTable:
    plain = replace(hands.world.stays, allowed=tuple((c, None) for c, _ in hands.world.stays.allowed))
    relations = (plain, replace(hands.world.hotels, entity_column="hotel"))
    return hands.engine.release_table(hands.session, hands.plan(text), by, measures or (SUM, COUNT), relations)


def test_cells_carry_distinct_entities_and_shares(hands: Hands) -> None:
    table = release(hands, "SELECT * FROM tourism.stays")
    assert table.columns == ("district", "spent", "stays")
    assert table.no_evidence is None
    first, second = table.cells
    assert (first.by, first.values, first.rows, first.entities) == (("440103",), (350, 2), 2, {"tourism.stays": 1})
    assert first.evidence["spent"]["tourism.stays"] == MeasureEvidence("350", "0", "350")
    assert second.entities == {"tourism.stays": 2}
    assert second.evidence["spent"]["tourism.stays"] == MeasureEvidence("300", "50", "350")
    assert second.evidence["stays"]["tourism.stays"] == MeasureEvidence("1", "1", "2")
    assert table.origins == {"district": ("tourism.stays.district",), "spend_yuan": ("tourism.stays.spend_yuan",)}


def test_the_entity_is_counted_though_the_analyst_cannot_see_it(hands: Hands) -> None:
    masked = tuple((c, m) for c, m in hands.world.stays.allowed if c != "guest_id_no")
    hidden = replace(hands.world.stays, allowed=masked)
    table = hands.engine.release_table(
        hands.session, hands.plan("SELECT nights FROM tourism.stays"), (), (COUNT,), [hidden]
    )
    assert table.cells[0].entities == {"tourism.stays": 3}
    assert "guest_id_no" not in str(table)


def test_joins_count_each_dataset_and_ctes_are_seen_through(hands: Hands) -> None:
    table = release(
        hands,
        "WITH s AS (SELECT * FROM tourism.stays) SELECT s.district, spend_yuan FROM s JOIN tourism.hotels h ON s.district = h.district",
    )
    assert table.no_evidence is None
    assert table.cells[1].entities == {"tourism.stays": 2, "tourism.hotels": 1}


def test_local_rows_are_nobody(hands: Hands) -> None:
    assert release(hands, "SELECT * FROM VALUES ('a', 1L) AS t(district, spend_yuan)").no_evidence == "no-dataset"
    mixed = release(
        hands,
        "SELECT t.district, spend_yuan FROM VALUES ('440103'), ('x') AS t(district) LEFT JOIN tourism.stays s ON s.district = t.district",
    )
    assert [c.entities["tourism.stays"] for c in mixed.cells] == [1, 0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SELECT district, sum(spend_yuan) spend_yuan FROM tourism.stays GROUP BY district", "operator:Aggregate"),
        ("SELECT DISTINCT district, spend_yuan FROM tourism.stays", "operator:Distinct"),
        ("SELECT * FROM tourism.stays LEFT SEMI JOIN tourism.hotels USING (district)", "join:LEFT SEMI"),
        ("SELECT * FROM tourism.stays WHERE district IN (SELECT district FROM tourism.hotels)", "subquery"),
        ("SELECT district, sum(spend_yuan) OVER () spend_yuan FROM tourism.stays", "operator:Window"),
    ],
)
def test_where_entities_do_not_reach_there_is_no_evidence(hands: Hands, text: str, why: str) -> None:
    table = release(hands, text)
    assert table.no_evidence == why
    assert all(not cell.entities for cell in table.cells)


def test_a_dataset_without_entities_gives_none(hands: Hands) -> None:
    plan = hands.plan("SELECT * FROM tourism.hotels")
    table = hands.engine.release_table(hands.session, plan, ("district",), (COUNT,), hands.world.all)
    assert table.no_evidence == "no-entity-column:tourism.hotels"


@pytest.mark.parametrize(
    ("by", "measure", "code"),
    [
        (("nope",), COUNT, "engine.release.column"),
        (("district",), Measure("x", "max", "nights"), "engine.release.function"),
        (("district",), Measure("x", "sum", "phone"), "engine.release.not_a_number"),
        (("note",), COUNT, "engine.release.column"),
    ],
)
def test_what_is_no_table_to_release_is_refused(hands: Hands, by: tuple[str, ...], measure: Measure, code: str) -> None:
    with pytest.raises(EngineRefusal) as refused:
        release(hands, "SELECT * FROM tourism.stays", by, measure)
    assert refused.value.code == code
