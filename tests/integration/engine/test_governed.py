# ruff: noqa: E501 - a statement is read best on one line
"""What a statement sees: the granted columns and rows, masked, through SQL and DataFrames alike."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import pytest
from pyspark.sql.connect import functions as sf

from gongshu.gateway.engine import EngineRefusal, Mask, StatementFailed, ViewPlan
from tests.integration.engine.world import KEY, Hands


def test_only_granted_rows_and_columns_are_seen(hands: Hands) -> None:
    rows = hands.rows("SELECT * FROM tourism.stays ORDER BY stay_id")
    assert [r["stay_id"] for r in rows] == [1, 2, 3, 4]
    assert list(rows[0]) == ["stay_id", "guest_id_no", "phone", "district", "checkin", "nights", "spend_yuan"]


def test_masks_do_what_the_agreement_says(hands: Hands) -> None:
    row = hands.rows("SELECT * FROM tourism.stays WHERE stay_id = 2")[0]
    assert row["guest_id_no"] == hmac.new(KEY, b"G1", hashlib.sha256).hexdigest()
    assert row["phone"] == "*******0001"
    assert row["checkin"].isoformat() == "2026-05-01"
    assert row["spend_yuan"] == 200


@pytest.mark.parametrize(
    ("mask", "column", "expected"),
    [
        (Mask("replace-with-null"), "nights", None),
        (Mask("truncate-to-year"), "checkin", "2026-01-01"),
        (Mask("mask-alphanum"), "guest_id_no", "xn"),
    ],
)
def test_each_other_mask(hands: Hands, mask: Mask, column: str, expected: object) -> None:
    masked = replace(hands.world.stays, allowed=(("stay_id", None), (column, mask)))
    value = hands.rows(f"SELECT {column} FROM tourism.stays WHERE stay_id = 1", [masked])[0][column]
    assert (str(value) if value is not None else None) == expected


def test_a_mask_that_does_not_fit_the_type_is_refused(hands: Hands) -> None:
    wrong = replace(hands.world.stays, allowed=(("nights", Mask("sha-256-keyed")),))
    with pytest.raises(EngineRefusal, match=r"engine\.mask\.type"):
        hands.secure("SELECT * FROM tourism.stays", [wrong])


@pytest.mark.parametrize(
    "row_filter",
    [
        {"column": "district", "op": "=", "value": "440103"},
        {"and": [{"column": "nights", "op": "<=", "value": 2}, {"column": "district", "op": "<>", "value": "440104"}]},
        {"not": {"or": [{"column": "stay_id", "op": ">=", "value": 3}, {"column": "note", "op": "is-null"}]}},
        {"column": "note", "op": "in", "values": ["10", "20"]},
    ],
)
def test_row_filters_may_use_hidden_columns(hands: Hands, row_filter: dict[str, object]) -> None:
    filtered = replace(hands.world.stays, row_filter=row_filter)
    rows = hands.rows("SELECT stay_id FROM tourism.stays ORDER BY 1", [filtered])
    assert [r["stay_id"] for r in rows] == [1, 2]


def test_a_row_filter_that_cannot_be_read_lets_nothing_through(hands: Hands) -> None:
    for broken in ({"column": "nights", "op": "=", "value": "many"}, {"column": "nope", "op": "is-null"}, {"and": []}):
        with pytest.raises(EngineRefusal):
            hands.secure("SELECT 1 FROM tourism.stays", [replace(hands.world.stays, row_filter=broken)])


def test_partitioned_dataset_reads_the_pinned_files_only(hands: Hands) -> None:
    rows = hands.rows("SELECT district, count(*) AS n FROM tourism.parts GROUP BY district ORDER BY district")
    assert rows == [{"district": "440103", "n": 2}, {"district": "440104", "n": 2}]


SQL_FORMS = [
    ("FROM tourism.stays |> WHERE nights = 1 |> AGGREGATE count(*) AS n", [{"n": 2}]),
    ("WITH s AS (SELECT * FROM tourism.stays) SELECT count(*) n FROM s JOIN s t USING (stay_id)", [{"n": 4}]),
    (
        "SELECT count(*) n FROM tourism.stays WHERE EXISTS (SELECT 1 FROM tourism.hotels h WHERE h.district = stays.district AND stars = 5)",
        [{"n": 2}],
    ),
    (
        "SELECT sum(nights) OVER (ORDER BY stay_id) n FROM tourism.stays QUALIFY row_number() OVER (ORDER BY stay_id) = 4",
        [{"n": 7}],
    ),
    (
        "SELECT * FROM (SELECT district, nights FROM tourism.stays) PIVOT (sum(nights) FOR district IN ('440103' a, '440104' b))",
        [{"a": 3, "b": 4}],
    ),
    ("SELECT max(x) n FROM tourism.stays LATERAL VIEW explode(array(nights, 7)) t AS x", [{"n": 7}]),
    (
        "SELECT n FROM tourism.hotels h, LATERAL (SELECT count(*) n FROM tourism.stays s WHERE s.district = h.district) ORDER BY 1 LIMIT 1",
        [{"n": 2}],
    ),
    ("SELECT stay_id FROM tourism.stays EXCEPT SELECT id FROM range(1, 4)", [{"stay_id": 4}]),
    ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT max(n) n FROM r", [{"n": 5}]),
    (
        "SELECT transform(collect_list(nights), x -> x + 1)[0] n FROM (SELECT * FROM tourism.stays ORDER BY stay_id LIMIT 1)",
        [{"n": 2}],
    ),
    ("SELECT from_json('{\"a\":1}', 'a INT').a n, date_format(DATE'2026-01-02', 'yyyy') y", [{"n": 1, "y": "2026"}]),
    ("VALUES (1), (2) ORDER BY 1 DESC LIMIT 1", [{"col1": 2}]),
    (
        "SELECT guest_id_no = (SELECT max(guest_id_no) FROM tourism.stays) ok FROM tourism.stays ORDER BY 1 DESC LIMIT 1",
        [{"ok": True}],
    ),
    (
        "SELECT hotel FROM tourism.hotels WHERE district IN (SELECT district FROM tourism.stays WHERE nights = 3)",
        [{"hotel": "乙"}],
    ),
    (
        "SELECT district, GROUPING(district) g, count(*) n FROM tourism.stays GROUP BY ROLLUP(district) ORDER BY g DESC LIMIT 1",
        [{"district": None, "g": 1, "n": 4}],
    ),
]


@pytest.mark.parametrize(("text", "expected"), SQL_FORMS)
def test_ordinary_sql_works(hands: Hands, text: str, expected: list[dict[str, object]]) -> None:
    assert hands.rows(text) == expected


def test_ordinary_dataframes_work(hands: Hands) -> None:
    stays, hotels = hands.table("tourism.stays"), hands.table("tourism.hotels")
    joined = stays.join(hotels, stays["district"] == hotels["district"]).where(hotels.stars > 3)
    assert hands.rows(joined.select(sf.sum(stays.nights).alias("n"))) == [{"n": 4}]
    assert hands.rows(
        stays.filter("nights > 1").drop("phone").withColumn("d", sf.col("nights") * 2).agg(sf.max("d").alias("m"))
    ) == [{"m": 6}]
    assert hands.rows(stays.groupBy("district").pivot("nights").count().orderBy("district"))[0] == {
        "district": "440103",
        "1": 1,
        "2": 1,
        "3": None,
    }
    assert hands.rows(
        stays.select("stay_id")
        .fillna(0)
        .dropna()
        .distinct()
        .withColumnRenamed("stay_id", "i")
        .agg(sf.sum("i").alias("s"))
    ) == [{"s": 10}]
    other = stays.alias("o")
    assert hands.rows(stays.join(other, sf.col("o.stay_id") == stays["stay_id"]).agg(sf.count("*").alias("n"))) == [
        {"n": 4}
    ]
    same = stays.select((stays.stay_id + 1).alias("stay_id"), "nights")
    assert hands.rows(stays.join(same, stays.stay_id == same.stay_id).agg(sf.count("*").alias("n"))) == [{"n": 3}]


def test_what_spark_computes_while_planning_is_governed_too(hands: Hands) -> None:
    stays = hands.table("tourism.stays")
    shown = stays._show_string if hasattr(stays, "_show_string") else None
    assert shown is not None
    from pyspark.sql.connect import proto

    plan = proto.Plan()
    plan.root.show_string.input.CopyFrom(proto.Plan.FromString(hands.plan(stays.orderBy("stay_id"))).root)
    plan.root.show_string.num_rows = 20
    text = hands.rows(plan.SerializeToString())[0]["show_string"]
    assert "440103" in text and "HIDDEN" not in text
    assert hands.rows(stays.crosstab("district", "nights").orderBy("district_nights"))[0]["district_nights"] == "440103"
    assert hands.rows(stays.describe("nights"))[0]["nights"] == "4"
    assert len(hands.rows(stays.freqItems(["district"], 0.4))) == 1
    assert hands.rows(stays.sampleBy("district", {"440103": 1.0}, 1).agg(sf.count("*").alias("n"))) == [{"n": 2}]


def test_subqueries_of_dataframes(hands: Hands) -> None:
    stays, hotels = hands.table("tourism.stays"), hands.table("tourism.hotels")
    some = hotels.where(sf.col("stars") == 5).where(sf.col("district") == sf.col("s.district").outer())
    assert hands.rows(stays.alias("s").where(some.exists()).agg(sf.count("*").alias("n"))) == [{"n": 2}]
    top = stays.agg(sf.max("nights"))
    assert hands.rows(stays.withColumn("top", top.scalar()).where("nights = top").select("stay_id")) == [{"stay_id": 3}]


def test_views_are_inlined_and_keep_what_they_knew(hands: Hands) -> None:
    inner = ViewPlan(("v",), hands.plan("SELECT stay_id, nights FROM tourism.stays"))
    outer = ViewPlan(("v",), hands.plan("SELECT nights + 1 AS more FROM v"), (inner,))
    assert hands.rows("SELECT max(more) m FROM v", views=[outer]) == [{"m": 4}]
    named = hands.table("tourism.stays").where("nights = 1")
    view = ViewPlan(("mine",), hands.plan(named))
    assert hands.rows(hands.table("mine").join(named, "stay_id").agg(sf.count("*").alias("n")), views=[view]) == [
        {"n": 2}
    ]


def test_columns_read_name_predicates_and_leave_out_the_rest(hands: Hands) -> None:
    secured = hands.secure("SELECT nights FROM (SELECT * FROM tourism.stays) WHERE phone LIKE '%1' ORDER BY stay_id")
    assert secured.columns_read == {"tourism.stays": ("nights", "phone", "stay_id")}
    assert secured.columns_governing == {"tourism.stays": ("district",)}
    assert secured.lineage_direct == {"nights": ("tourism.stays.nights",)}
    assert hands.secure("SELECT count(*) FROM tourism.stays").columns_read == {}
    both = hands.secure(
        "SELECT h.hotel FROM tourism.hotels h WHERE EXISTS (SELECT 1 FROM tourism.stays s WHERE s.district = h.district)"
    )
    assert both.columns_read == {"tourism.hotels": ("district", "hotel"), "tourism.stays": ("district",)}
    assert hands.secure(hands.table("tourism.stays").crosstab("district", "nights")).columns_read == {
        "tourism.stays": ("district", "nights")
    }


def test_what_was_described_is_what_runs(hands: Hands) -> None:
    plan = hands.plan("SELECT count(*) n FROM tourism.stays")
    assert hands.engine.describe(hands.session, plan).names == (("tourism", "stays"),)
    assert hands.rows(plan) == hands.rows(plan) == [{"n": 4}]
    hands.engine.describe(hands.session, hands.plan("SELECT 1 n FROM secret.people"))
    assert hands.rows("SELECT 2 n") == [{"n": 2}]


def test_schema_comes_without_running(hands: Hands) -> None:
    secured = hands.secure("SELECT stay_id, district FROM tourism.stays")
    assert secured.schema_ddl.startswith("stay_id BIGINT")
    assert "Governed tourism.stays" in secured.plan_text and "note" not in secured.plan_text


def test_a_fault_in_the_statement_is_named(hands: Hands) -> None:
    with pytest.raises(StatementFailed) as failed:
        hands.secure("SELECT nope FROM tourism.stays")
    assert failed.value.safe.condition == "UNRESOLVED_COLUMN.WITH_SUGGESTION"
    assert "note" not in str(failed.value.safe)
