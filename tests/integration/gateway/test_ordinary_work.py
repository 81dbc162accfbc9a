"""What an analyst does all day just works, on the granted rows and columns only."""

from __future__ import annotations

import pandas as pd
import pytest
from pyspark.sql.connect import functions as F
from pyspark.sql.connect.session import SparkSession

from tests.integration.gateway.city import HIDDEN


def test_trivial_statement(spark: SparkSession) -> None:
    assert spark.sql("SELECT 1 AS one").collect()[0].one == 1


def test_granted_rows_and_masked_columns(spark: SparkSession) -> None:
    df = spark.table("tourism.stays")
    assert df.columns == ["stay_id", "guest_id_no", "district", "checkin", "nights", "spend_yuan"]
    assert df.count() == 200
    found = df.toPandas()
    assert set(found["district"]) == {"440103", "440104"}
    assert {day.day for day in found["checkin"]} == {1}
    assert found["guest_id_no"].str.len().eq(64).all() and found["guest_id_no"].nunique() == 20
    assert HIDDEN not in found.to_csv()


def test_sql_and_data_frames_agree(spark: SparkSession) -> None:
    by_sql = spark.sql(
        "SELECT district, sum(nights) AS n FROM tourism.stays GROUP BY district ORDER BY district"
    ).collect()
    df = spark.table("tourism.stays").groupBy("district").agg(F.sum("nights").alias("n")).orderBy("district")
    assert by_sql == df.collect()


@pytest.mark.parametrize(
    "query",
    [
        "WITH s AS (SELECT * FROM tourism.stays) SELECT count(*) FROM s",
        "SELECT district, rank() OVER (PARTITION BY district ORDER BY spend_yuan) FROM tourism.stays LIMIT 3",
        "SELECT count(*) FROM tourism.stays WHERE district IN (SELECT district FROM transit.trips)",
        "SELECT (SELECT max(fare_fen) FROM transit.trips) - min(spend_yuan) FROM tourism.stays",
        "SELECT * FROM tourism.stays s WHERE EXISTS (SELECT 1 FROM transit.trips t WHERE t.district = s.district)",
        "SELECT * FROM (SELECT district, nights FROM tourism.stays) PIVOT (sum(nights) FOR district IN ('440103'))",
        "SELECT district FROM tourism.stays UNION SELECT district FROM transit.trips",
        "SELECT transform(array(1, 2), x -> x + 1), from_json('{\"a\":1}', 'a INT'), trunc(DATE'2026-05-09', 'MM')",
        "SELECT s.district, l.n FROM tourism.stays s, LATERAL (SELECT s.nights * 2 AS n) l LIMIT 3",
        "FROM tourism.stays |> WHERE nights > 2 |> AGGREGATE count(*) AS n GROUP BY district",
        "SELECT explode(sequence(1, 3))",
        "VALUES (1, 'a'), (2, 'b')",
        "TABLE transit.trips",
    ],
)
def test_sql_forms(spark: SparkSession, query: str) -> None:
    assert spark.sql(query).collect()


def test_arguments_and_data_frames_in_sql(spark: SparkSession) -> None:
    assert spark.sql("SELECT :a + 1 AS x", {"a": 1}).collect()[0].x == 2
    assert spark.sql("SELECT ? AS x", [5]).collect()[0].x == 5
    df = spark.table("tourism.stays").where("nights > 3")
    assert spark.sql("SELECT count(*) AS n FROM {df}", df=df).collect()[0].n == df.count()


def test_show_describe_and_statistics(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> None:
    df = spark.table("transit.trips")
    df.show(2)
    df.printSchema()
    df.explain()
    said = capsys.readouterr().out
    assert "trip_id" in said and "root" in said and HIDDEN not in said
    assert df.describe("fare_fen").count() == 5
    assert df.summary("min", "max").collect()[0].fare_fen == "200"
    assert df.approxQuantile("fare_fen", [0.5], 0.0)
    assert df.crosstab("district", "fare_fen").count() == 2
    assert df.freqItems(["district"]).collect()
    assert df.stat.corr("fare_fen", "fare_fen") == pytest.approx(1.0)
    assert df.sample(0.5, seed=1).count() > 0
    assert df.tail(1)[0].trip_id == "T299"
    assert df.isEmpty() is False and df.first() is not None


def test_created_frames_small_and_large(spark: SparkSession) -> None:
    small = spark.createDataFrame(pd.DataFrame({"district": ["440103"], "name": ["甲"]}))
    joined = spark.table("tourism.stays").join(small, "district").groupBy("name").count().collect()
    assert joined[0]["count"] == 100
    assert spark.createDataFrame([(1, "a")], "x INT, y STRING").collect()[0].y == "a"
    large = pd.DataFrame({"n": range(400_000), "text": ["x" * 10] * 400_000})
    assert spark.createDataFrame(large).agg(F.sum("n")).collect()[0][0] == sum(range(400_000))


def test_temporary_views(spark: SparkSession) -> None:
    spark.table("tourism.stays").where("nights > 2").createOrReplaceTempView("long_stays")
    n = spark.sql("SELECT count(*) AS n FROM long_stays").collect()[0].n
    assert n == spark.table("tourism.stays").where("nights > 2").count()
    spark.sql("CREATE OR REPLACE TEMP VIEW twice AS SELECT nights * 2 AS m FROM long_stays")
    assert spark.table("twice").count() == n
    assert {t.name for t in spark.catalog.listTables() if t.isTemporary} == {"long_stays", "twice"}
    assert spark.catalog.dropTempView("twice") is True
    with pytest.raises(Exception, match="twice"):
        spark.table("twice").count()


def test_catalogue_shows_the_grant_only(spark: SparkSession) -> None:
    catalog = spark.catalog
    assert {(t.namespace[0], t.name) for t in catalog.listTables()} == {("tourism", "stays"), ("transit", "trips")}
    assert {d.name for d in catalog.listDatabases()} == {"default", "tourism", "transit"}
    assert catalog.currentDatabase() == "default"
    assert [c.name for c in catalog.listColumns("tourism.stays")][-1] == "spend_yuan"
    assert catalog.tableExists("tourism.stays") and not catalog.tableExists("tourism.secrets")
    assert spark.sql("SHOW TABLES IN tourism").collect()[0].tableName == "stays"
    assert spark.sql("DESCRIBE transit.trips").collect()[0].col_name == "trip_id"
    catalog.setCurrentDatabase("tourism")
    assert spark.table("stays").count() == 200
    catalog.setCurrentDatabase("default")


def test_cache_and_settings_are_answered(spark: SparkSession) -> None:
    df = spark.table("transit.trips").cache()
    assert df.count() == 300
    df.unpersist()
    assert spark.conf.get("spark.sql.session.timeZone") == "Asia/Shanghai"
    spark.conf.set("spark.sql.repl.eagerEval.enabled", "true")
    assert spark.conf.get("spark.sql.repl.eagerEval.enabled") == "true"
    with pytest.raises(Exception, match="fixed by the platform"):
        spark.conf.set("spark.sql.ansi.doubleQuotedIdentifiers", "true")


def test_observed_metrics_come_back(spark: SparkSession) -> None:
    from pyspark.sql.connect.observation import Observation

    seen = Observation("seen")
    spark.table("transit.trips").observe(seen, F.count(F.lit(1)).alias("n")).collect()
    assert seen.get == {"n": 300}


def test_long_chains_of_operations(spark: SparkSession) -> None:
    df = spark.range(3)
    for number in range(90):
        df = df.withColumn(f"c{number}", F.lit(number))
    assert len(df.columns) == 91 and df.count() == 3


def test_errors_of_the_analyst_are_sparks_own(spark: SparkSession) -> None:
    from pyspark.errors import AnalysisException, ArithmeticException, ParseException

    with pytest.raises(ParseException):
        spark.sql("SELEC 1").collect()
    with pytest.raises(AnalysisException, match="UNRESOLVED_COLUMN"):
        spark.sql("SELECT nothing FROM VALUES (1) AS t(something)").collect()
    with pytest.raises(ArithmeticException):
        spark.sql("SELECT 1 / 0").collect()
