# ruff: noqa: E501 - a statement is read best on one line
"""Ways around (document 3), decided inside the engine. Pass = refused, or harmless; never a marker of what is hidden."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import grpc
import pytest
from pyspark.sql.connect import functions as sf
from pyspark.sql.connect import proto

from gongshu.errors import GongshuError
from gongshu.gateway.engine import EngineRefusal, SessionKey, StatementFailed, ViewPlan
from tests.integration.engine.world import HIDDEN, Hands, sql

REFUSED = {
    "settings": [
        "SET spark.sql.variable.substitute=true",
        "RESET",
        "SET TIME ZONE 'UTC'",
        "SET spark.sql.catalog.x=org.apache.spark.sql.connector.InMemoryTableCatalog",
        "SET VARIABLE v = 1",
        "SELECT * FROM tourism.stays WITH (`fs.s3a.access.key` = 'x')",
    ],
    "paths": [
        "SELECT * FROM parquet.`/etc/passwd`",
        "SELECT * FROM text.`/etc/passwd`",
        "SELECT * FROM csv.`file:///etc/passwd`",
        "SELECT * FROM `org.apache.spark.sql.execution.datasources.text.TextFileFormat`.`/etc/passwd`",
        "SELECT * FROM binaryFile.`/etc`",
        "CREATE TEMPORARY VIEW v USING text OPTIONS (path '/etc/passwd')",
        "CREATE TABLE t USING parquet LOCATION '/tmp'",
        "REFRESH '/tmp'",
        "LOAD DATA INPATH '/etc/passwd' INTO TABLE x",
        "INSERT OVERWRITE DIRECTORY '/tmp/x' USING csv SELECT 1",
        "SELECT * FROM jdbc.`x`",
    ],
    "names": [
        "SELECT * FROM IDENTIFIER('secret.' || 'people')",
        "SELECT * FROM IDENTIFIER('tourism' || '.nothing')",
        "EXECUTE IMMEDIATE 'SELECT * FROM secret.people'",
        "BEGIN SELECT * FROM secret.people; END",
        "DECLARE VARIABLE q STRING DEFAULT 'x'",
        "SELECT * FROM secret.people",
        "SELECT (SELECT max(id) FROM secret.people)",
        "SELECT 1 FROM tourism.stays WHERE EXISTS (SELECT 1 FROM secret.people)",
        "SELECT 1 FROM tourism.stays WHERE stay_id IN (TABLE secret.people)",
        "FROM secret.people |> SELECT *",
        "FROM secret.people SELECT 1",
        "WITH tourism AS (SELECT 1) SELECT * FROM tourism.people",
        "WITH a AS (SELECT 1), b AS (SELECT * FROM (WITH a AS (SELECT * FROM secret.people) SELECT * FROM a)) SELECT * FROM b",
        "SELECT * FROM tourism.stays TABLESAMPLE (1 ROWS), secret.people",
        "SELECT * FROM STREAM tourism.stays",
        "SELECT * FROM tourism.stays VERSION AS OF 1",
        "SELECT * FROM tourism.stays TIMESTAMP AS OF '2020-01-01'",
        "SELECT * FROM `tourism.stays`",
        "SELECT * FROM global_temp.v",
        "SELECT * FROM spark_catalog.tourism.stays",
        "SELECT sum(nights) OVER w FROM tourism.stays WINDOW w AS (PARTITION BY (SELECT max(id) FROM secret.people))",
        "FROM tourism.stays INSERT INTO x SELECT 1 INSERT INTO y SELECT 2",
        "CREATE FUNCTION f() RETURNS INT RETURN (SELECT max(id) FROM secret.people)",
    ],
    "code": [
        "SELECT reflect('java.lang.System', 'getenv', 'PATH')",
        "SELECT java_method('java.lang.Runtime', 'getRuntime')",
        "SELECT try_reflect('java.lang.System', 'getProperty', 'user.dir')",
        "SELECT system.builtin.reflect('java.lang.System', 'getenv', 'PATH')",
        "SELECT `ReFlEcT`('java.lang.System', 'getenv', 'PATH')",
        "SELECT TRANSFORM(stay_id) USING 'cat' FROM tourism.stays",
        "ADD JAR '/tmp/x.jar'",
        "CREATE TEMPORARY FUNCTION f AS 'java.lang.Runtime'",
        "SELECT xpath_string('<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>', 'a')",
        "SELECT from_xml('<a/>', 'a STRING', map('rowValidationXSDPath', '/etc/passwd'))",
        "SELECT from_avro(x, '{}', map('avroSchemaUrl', 'file:///etc/passwd')) FROM VALUES (X'00') AS t(x)",
        "SELECT from_protobuf(x, 'a', '/etc/passwd') FROM VALUES (X'00') AS t(x)",
        "SELECT my_udf(1)",
        "SELECT * FROM python_worker_logs()",
        "SELECT * FROM my_udtf(TABLE(tourism.stays))",
    ],
    "commands": [
        "SHOW TABLES",
        "DESCRIBE tourism.stays",
        "EXPLAIN EXTENDED SELECT * FROM tourism.stays",
        "CACHE TABLE x AS SELECT * FROM tourism.stays",
        "CREATE OR REPLACE GLOBAL TEMP VIEW v AS SELECT 1",
        "DROP TABLE tourism.stays",
        "UPDATE tourism.stays SET nights = 1",
        "DELETE FROM tourism.stays",
        "MERGE INTO tourism.stays USING tourism.hotels ON true WHEN MATCHED THEN DELETE",
        "INSERT INTO tourism.stays SELECT * FROM tourism.stays",
        "USE default",
        "CALL x.y()",
        "ANALYZE TABLE tourism.stays COMPUTE STATISTICS",
    ],
    "hidden columns": [
        "SELECT note FROM tourism.stays",
        "SELECT 1 FROM tourism.stays WHERE note = '10'",
        "SELECT count(*) FROM tourism.stays GROUP BY note",
        "SELECT stay_id FROM tourism.stays ORDER BY note",
        "SELECT 1 FROM tourism.hotels h WHERE EXISTS (SELECT 1 FROM tourism.stays s WHERE s.note = h.hotel)",
        "SELECT * FROM tourism.stays s JOIN tourism.stays t ON s.note = t.note",
        "SELECT * FROM tourism.stays JOIN tourism.stays t USING (note)",
        "SELECT _metadata FROM tourism.stays",
        "SELECT _metadata.file_path FROM tourism.stays",
        "SELECT stays._metadata.file_name FROM tourism.stays",
        "SELECT input_file_name() FROM tourism.stays",
        "SELECT input_file_block_start() FROM tourism.stays",
        "SELECT spark_partition_id() FROM tourism.stays",
        "SELECT monotonically_increasing_id() FROM tourism.stays",
        "SELECT current_user()",
        "SELECT session_user()",
        "SELECT tourism.stays.note FROM tourism.stays",
        "SELECT stays.* EXCEPT (note) FROM tourism.stays",
        "SELECT * FROM tourism.stays |> DROP note",
        "SELECT struct(stays.*).note FROM tourism.stays",
    ],
    "identity": ["SELECT * FROM global_temp.other", "SET ROLE admin", "SELECT user()"],
    "resources": ["SELECT " + " + ".join(["1"] * 30_000)],
}
ROWS = [(kind, text) for kind, texts in REFUSED.items() for text in texts]


@pytest.mark.parametrize(("kind", "text"), ROWS, ids=lambda v: v[:60])
def test_refused_without_a_trace_of_what_is_hidden(hands: Hands, kind: str, text: str) -> None:
    with pytest.raises((EngineRefusal, StatementFailed)) as refused:
        hands.rows(text)
    said = f"{refused.value.message.zh} {refused.value.message.en} {refused.value.details}"
    assert HIDDEN not in said and "/tmp/pytest" not in said and ".parquet" not in said
    if kind == "hidden columns" and "note" in text:
        assert "note`, `" not in said


def test_absent_and_denied_read_the_same(hands: Hands) -> None:
    def said(name: str) -> str:
        with pytest.raises(EngineRefusal) as refused:
            hands.secure(f"SELECT * FROM {name}", [hands.world.hotels])
        return f"{refused.value.code} {refused.value.message.en}".replace(name, "X")

    assert said("tourism.stays") == said("tourism.absent")


HARMLESS = [
    ("SELECT '${env:HOME}' a, '${spark.app.name}' b", {"a": "${env:HOME}", "b": "${spark.app.name}"}),
    ("WITH stays AS (SELECT 7 AS n) SELECT n FROM stays", {"n": 7}),
    ("SELECT current_database() d", {"d": "default"}),
    ("SELECT count(*) n FROM tourism.stays", {"n": 4}),
    ("SELECT max(stay_id) n FROM tourism.stays", {"n": 4}),
    ("SELECT count(*) n FROM tourism.hotels h LEFT JOIN tourism.stays s ON true", {"n": 8}),
    ("SELECT count(DISTINCT guest_id_no) n FROM tourism.stays", {"n": 3}),
]


@pytest.mark.parametrize(("text", "expected"), HARMLESS)
def test_harmless(hands: Hands, text: str, expected: dict[str, object]) -> None:
    assert hands.rows(text) == [expected]


# Each would fail, and print the value, if Spark evaluated it on a hidden row or partition.
PROBES = [
    "SELECT count(*) n FROM {t} WHERE cast(district AS INT) > 0",
    "SELECT count(*) n FROM {t} WHERE 1 / (nights - 9) < 5",
    "SELECT count(*) n FROM (SELECT cast(district AS INT) d FROM {t}) WHERE d > 0",
    "SELECT count(*) n FROM {t} s JOIN tourism.hotels h ON cast(s.district AS INT) = cast(h.district AS INT)",
    "SELECT count(*) n FROM {t} WHERE cast(district AS INT) IN (SELECT cast(district AS INT) FROM tourism.hotels)",
    "SELECT count(*) n FROM {t} s WHERE EXISTS (SELECT 1 FROM tourism.hotels h WHERE h.district = s.district AND cast(s.district AS INT) > 0)",
    "SELECT count(*) n FROM {t} WHERE if(district LIKE 'HIDDEN%', raise_error(district), true)",
    "SELECT count(*) n FROM {t} WHERE assert_true(nights < 9, district) IS NULL",
    "SELECT sum(c) n FROM (SELECT cast(district AS INT) d, count(*) c FROM {t} GROUP BY 1) WHERE d > 0",
    "SELECT count(*) n FROM {t} WHERE sequence(1, nights, IF(nights = 9, -1, 1)) IS NOT NULL",
]


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("table", ["tourism.stays", "tourism.parts"])
def test_no_predicate_fails_on_a_hidden_row_or_partition(hands: Hands, probe: str, table: str) -> None:
    plain = replace(hands.world.stays, allowed=tuple((c, None) for c, _ in hands.world.stays.allowed))
    relations = (plain, hands.world.parts, hands.world.hotels)
    assert hands.rows(probe.format(t=table), relations) == [{"n": 4}]


def test_the_barrier_stands_only_where_it_must(hands: Hands) -> None:
    def barrier(text: str) -> bool:
        return hands.secure(text).barrier

    assert barrier("SELECT 1 FROM tourism.parts WHERE cast(district AS INT) > 0")
    assert not barrier("SELECT 1 FROM tourism.parts WHERE district = '440103' AND nights > 1")
    assert not barrier("SELECT cast(district AS INT) FROM tourism.parts")
    assert not barrier("SELECT 1 FROM tourism.stays WHERE cast(district AS INT) > 0")


DATAFRAME_ATTACKS = {
    "expression string with a subquery": lambda h: h.table("tourism.stays").select(
        sf.expr("(SELECT max(id) FROM secret.people)")
    ),
    "filter string": lambda h: h.table("tourism.stays").where("note = '10'"),
    "reflect in withColumn": lambda h: h.table("tourism.stays").withColumn(
        "x", sf.expr("reflect('java.lang.System','getenv','PATH')")
    ),
    "reflect in pivot": lambda h: _pivot(),
    "reflect in sampleBy": lambda h: h.table("tourism.stays").sampleBy(
        sf.expr("reflect('java.lang.System','getenv','PATH')"), {1: 1.0}
    ),
    "call_function": lambda h: h.table("tourism.stays").select(sf.call_function("reflect", sf.lit("a"))),
    "quoted function": lambda h: h.table("tourism.stays").select(
        sf.call_function("`system`.`builtin`.`reflect`", sf.lit("a"))
    ),
    "metadata column": lambda h: h.table("tourism.stays").select(h.table("tourism.stays").metadataColumn("_metadata")),
    "file reader": lambda h: h.spark.read.text("/etc/passwd"),
    "format reader": lambda h: h.spark.read.format("binaryFile").load("/etc"),
    "table option": lambda h: h.spark.read.option("x", "y").table("tourism.stays"),
    "stream": lambda h: h.spark.readStream.table("tourism.stays"),
    "udf": lambda h: h.table("tourism.stays").select(sf.udf(lambda x: x)("stay_id")),
    "mapInPandas": lambda h: _relation(proto.Relation(map_partitions=proto.MapPartitions(input=_ONE))),
    "hidden column by name": lambda h: h.table("tourism.stays").drop("phone").select("note"),
    "regex": lambda h: h.table("tourism.stays").select(sf.col("`note`")),
    "sql command": lambda h: sql("DROP TABLE x"),
    "sql command under show": lambda h: _under_show("CREATE DATABASE marker_db"),
    "sql command as reference": lambda h: _with_reference("SELECT * FROM q", "DROP TABLE x"),
    "command with reference": lambda h: _with_reference("CREATE TABLE x AS SELECT * FROM q", "SELECT 1"),
    "catalog": lambda h: _relation(proto.Relation(catalog=proto.Catalog(list_tables=proto.ListTables()))),
    "extension": lambda h: (
        h.engine.handle_relation("0" * 48) and _relation(proto.Relation.FromString(h.engine.handle_relation("0" * 48)))
    ),
    "sql argument with subquery": lambda h: _argument(),
    "remote relation": lambda h: _relation(
        proto.Relation(cached_remote_relation=proto.CachedRemoteRelation(relation_id="x"))
    ),
}


@pytest.mark.parametrize("name", DATAFRAME_ATTACKS)
def test_dataframe_and_protobuf_forms_are_refused(hands: Hands, name: str) -> None:
    with pytest.raises((EngineRefusal, StatementFailed)) as refused:
        hands.rows(DATAFRAME_ATTACKS[name](hands))
    assert HIDDEN not in str(refused.value.message.en)


_ONE = proto.Relation(sql=proto.SQL(query="SELECT 1 AS a"))


def _pivot() -> bytes:
    reflect = proto.Expression.ExpressionString(expression="reflect('java.lang.System','getenv','PATH')")
    pivot = proto.Aggregate.Pivot(col=proto.Expression(expression_string=reflect))
    kind = proto.Aggregate.GROUP_TYPE_PIVOT
    return _relation(proto.Relation(aggregate=proto.Aggregate(input=_ONE, group_type=kind, pivot=pivot)))


def _relation(relation: proto.Relation) -> bytes:
    return proto.Plan(root=relation).SerializeToString()


def _under_show(text: str) -> bytes:
    inner = proto.Relation(sql=proto.SQL(query=text))
    return _relation(proto.Relation(show_string=proto.ShowString(input=inner, num_rows=1)))


def _with_reference(text: str, reference: str) -> bytes:
    alias = proto.SubqueryAlias(alias="q", input=proto.Relation(sql=proto.SQL(query=reference)))
    both = proto.WithRelations(
        root=proto.Relation(sql=proto.SQL(query=text)), references=[proto.Relation(subquery_alias=alias)]
    )
    return _relation(proto.Relation(with_relations=both))


def _argument() -> bytes:
    expression = proto.Expression(
        expression_string=proto.Expression.ExpressionString(expression="(SELECT max(id) FROM secret.people)")
    )
    return _relation(proto.Relation(sql=proto.SQL(query="SELECT ?", pos_arguments=[expression])))


def test_unknown_fields_are_refused(hands: Hands) -> None:
    plan = hands.plan("SELECT 1")
    relation = proto.Plan.FromString(plan).root.SerializeToString() + b"\xfa\x7f\x01x"
    wrapped = b"\x0a" + bytes([len(relation)]) + relation
    with pytest.raises(EngineRefusal, match=r"engine\.message\.unknown_field"):
        hands.secure(wrapped)


def test_a_handle_works_once_in_its_own_session_only(hands: Hands, other: Hands) -> None:
    secured = hands.secure("SELECT count(*) n FROM tourism.stays")
    for thief in (
        other.session,
        SessionKey(hands.session.user_id, str(uuid.uuid4())),
        SessionKey("x", hands.session.session_id),
    ):
        with pytest.raises(grpc.RpcError):
            hands.run(secured.handle, thief)
    assert hands.run(secured.handle) == [{"n": 4}]
    with pytest.raises(grpc.RpcError):
        hands.run(secured.handle)


def test_forgotten_handles_are_gone(hands: Hands) -> None:
    secured = hands.secure("SELECT 1")
    hands.engine.forget_handle(secured.handle)
    with pytest.raises(grpc.RpcError):
        hands.run(secured.handle)


def test_spark_refuses_every_plan_that_is_no_handle(hands: Hands) -> None:
    relation = proto.Relation(sql=proto.SQL(query="SELECT 1"))
    wrapped = proto.Relation(
        limit=proto.Limit(input=proto.Relation.FromString(hands.engine.handle_relation("0" * 48)), limit=1)
    )
    command = proto.Plan(command=proto.Command(sql_command=proto.SqlCommand(input=relation)))
    for plan in (proto.Plan(root=relation), proto.Plan(root=wrapped), command):
        with pytest.raises(grpc.RpcError) as refused:
            hands.execute(plan)
        assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(grpc.RpcError) as refused:
        hands.execute(proto.Plan(root=relation), token="wrong")
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED


def test_settings_cannot_be_changed_in_spark_either(hands: Hands) -> None:
    pair = proto.KeyValue(key="spark.sql.variable.substitute", value="true")
    operation = proto.ConfigRequest.Operation(set=proto.ConfigRequest.Set(pairs=[pair]))
    request = proto.ConfigRequest(session_id=hands.session.session_id, operation=operation)
    request.user_context.user_id = hands.session.user_id
    with pytest.raises(grpc.RpcError) as refused:
        hands.stub.Config(request, metadata=[("authorization", f"Bearer {hands.token}")])
    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED


def test_only_local_rows_come_in_as_artifacts(hands: Hands) -> None:
    data = proto.AddArtifactsRequest.ArtifactChunk(data=b"x", crc=0)
    for name in ("jars/evil.jar", "files/x", "pyfiles/x.py", "cache/../x", "classes/X.class"):
        one = proto.AddArtifactsRequest.SingleChunkArtifact(name=name, data=data)
        request = proto.AddArtifactsRequest(session_id=hands.session.session_id)
        request.batch.artifacts.append(one)
        with pytest.raises(grpc.RpcError) as refused:
            hands.stub.AddArtifacts(iter([request]), metadata=[("authorization", f"Bearer {hands.token}")])
        assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED


def test_the_mask_key_is_in_no_text(hands: Hands) -> None:
    secured = hands.secure("SELECT guest_id_no, sha2(guest_id_no, 256) FROM tourism.stays WHERE guest_id_no LIKE 'x%'")
    key = hands.world.stays.mask_key
    for text in (str(secured), secured.plan_text, secured.tree_text, repr(hands.world.stays)):
        assert key.decode() not in text and key.hex() not in text


def test_views_cannot_smuggle(hands: Hands) -> None:
    for text in ("SELECT * FROM secret.people", "DROP TABLE x", "SELECT reflect('a', 'b')"):
        with pytest.raises(EngineRefusal):
            hands.secure("SELECT * FROM v", views=[ViewPlan(("v",), sql(text))])


def test_a_raising_statement_tells_only_governed_values(hands: Hands) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        hands.rows("SELECT raise_error(concat_ws(',', collect_list(district))) FROM tourism.parts")
    assert HIDDEN not in str(failed.value.details())


def test_a_slow_plan_is_stopped(hands: Hands) -> None:
    started = time.monotonic()
    hands.engine.interrupt(hands.session)
    with pytest.raises(GongshuError):
        hands.rows("SELECT * FROM range(10) WHERE id IN (SELECT nope FROM range(2))")
    assert time.monotonic() - started < 20
