"""Hand-made protobuf: what no honest client sends is refused, whoever's name it carries."""

from __future__ import annotations

import uuid

import pytest
from google.protobuf import any_pb2
from pyspark.sql.connect import proto
from pyspark.sql.connect.session import SparkSession

from tests.integration.gateway.city import HIDDEN
from tests.parts.rig import World
from tests.security.gateway.conftest import RawClient


def table(name: str) -> proto.Relation:
    return proto.Relation(read=proto.Read(named_table=proto.Read.NamedTable(unparsed_identifier=name)))


def call(name: str, *arguments: proto.Expression) -> proto.Relation:
    function = proto.Expression.UnresolvedFunction(function_name=name, arguments=arguments)
    return proto.Relation(
        project=proto.Project(
            input=table("tourism.stays"), expressions=[proto.Expression(unresolved_function=function)]
        )
    )


def expression(text: str) -> proto.Relation:
    held = proto.Expression(expression_string=proto.Expression.ExpressionString(expression=text))
    return proto.Relation(filter=proto.Filter(input=table("tourism.stays"), condition=held))


def literal(text: str) -> proto.Expression:
    return proto.Expression(literal=proto.Expression.Literal(string=text))


def any_of(text: str) -> any_pb2.Any:
    return any_pb2.Any(type_url=f"type.googleapis.com/{text}", value=b"\x0a\x01x")


UDF = proto.CommonInlineUserDefinedFunction(
    function_name="f", python_udf=proto.PythonUDF(command=b"x", python_ver="3.11", eval_type=100)
)
RELATIONS = {
    "ungranted table": table("tourism.secrets"),
    "quoted name": table("`tourism`.`secrets`"),
    "three parts": table("spark_catalog.tourism.secrets"),
    "path as name": table("csv.`/etc/passwd`"),
    "data source": proto.Relation(
        read=proto.Read(data_source=proto.Read.DataSource(format="text", paths=["/etc/passwd"]))
    ),
    "jdbc": proto.Relation(
        read=proto.Read(data_source=proto.Read.DataSource(format="jdbc", options={"url": "jdbc:x"}))
    ),
    "options": proto.Relation(
        read=proto.Read(
            named_table=proto.Read.NamedTable(unparsed_identifier="tourism.stays", options={"path": "/etc"})
        )
    ),
    "streaming": proto.Relation(
        read=proto.Read(named_table=table("tourism.stays").read.named_table, is_streaming=True)
    ),
    "reflect": call("reflect", literal("java.lang.System"), literal("getenv")),
    "reflect quoted": call("`Reflect`", literal("java.lang.System"), literal("getenv")),
    "reflect qualified": call("system.builtin.reflect", literal("java.lang.System"), literal("getenv")),
    "expression with a query": expression("stay_id IN (SELECT word FROM tourism.secrets)"),
    "expression with code": expression("reflect('java.lang.System','getenv') IS NULL"),
    "hidden column": expression("note IS NOT NULL"),
    "metadata column": proto.Relation(
        project=proto.Project(
            input=table("tourism.stays"),
            expressions=[
                proto.Expression(
                    unresolved_attribute=proto.Expression.UnresolvedAttribute(
                        unparsed_identifier="_metadata", is_metadata_column=True
                    )
                )
            ],
        )
    ),
    "udf": proto.Relation(
        project=proto.Project(
            input=table("tourism.stays"), expressions=[proto.Expression(common_inline_user_defined_function=UDF)]
        )
    ),
    "map partitions": proto.Relation(map_partitions=proto.MapPartitions(input=table("tourism.stays"), func=UDF)),
    "extension": proto.Relation(extension=any_of("cn.gongshu.Handle")),
    "cached remote": proto.Relation(cached_remote_relation=proto.CachedRemoteRelation(relation_id="1")),
    "catalog inside": proto.Relation(
        limit=proto.Limit(limit=1, input=proto.Relation(catalog=proto.Catalog(list_databases=proto.ListDatabases())))
    ),
    "internal function": proto.Relation(
        project=proto.Project(
            input=table("tourism.stays"),
            expressions=[
                proto.Expression(
                    unresolved_function=proto.Expression.UnresolvedFunction(
                        function_name="unwrap_udt", is_internal=True
                    )
                )
            ],
        )
    ),
    "schema with a class": proto.Relation(
        local_relation=proto.LocalRelation(
            schema='{"type":"struct","fields":[{"name":"a","nullable":true,"metadata":{},'
            '"type":{"type":"udt","class":"java.lang.ProcessBuilder","sqlType":"string"}}]}'
        )
    ),
    "broken arrow": proto.Relation(local_relation=proto.LocalRelation(data=b"\xff\xff\xff\xff" * 40)),
    "stolen cache": proto.Relation(cached_local_relation=proto.CachedLocalRelation(hash="0" * 64)),
    "deprecated arguments": proto.Relation(sql=proto.SQL(query="SELECT 1", pos_args=[literal("x").literal])),
    "sql over references": proto.Relation(
        with_relations=proto.WithRelations(
            root=proto.Relation(sql=proto.SQL(query="SELECT * FROM v")),
            references=[proto.Relation(subquery_alias=proto.SubqueryAlias(alias="v", input=table("tourism.secrets")))],
        )
    ),
    "watermark": proto.Relation(with_watermark=proto.WithWatermark(input=table("tourism.stays"), event_time="checkin")),
    "ml": proto.Relation(ml_relation=proto.MlRelation()),
}
COMMANDS = {
    "write": proto.Command(write_operation=proto.WriteOperation(input=table("tourism.stays"), path="/tmp/x")),
    "write v2": proto.Command(write_operation_v2=proto.WriteOperationV2(input=table("tourism.stays"), table_name="t")),
    "register": proto.Command(register_function=UDF),
    "deprecated sql": proto.Command(sql_command=proto.SqlCommand(sql="SELECT 1")),
    "global view": proto.Command(
        create_dataframe_view=proto.CreateDataFrameViewCommand(input=table("tourism.stays"), name="g", is_global=True)
    ),
    "view of a secret": proto.Command(
        create_dataframe_view=proto.CreateDataFrameViewCommand(input=table("tourism.secrets"), name="g")
    ),
    "resources": proto.Command(get_resources_command=proto.GetResourcesCommand()),
    "checkpoint": proto.Command(checkpoint_command=proto.CheckpointCommand(relation=table("tourism.stays"))),
    "extension": proto.Command(extension=any_of("x")),
}


@pytest.mark.parametrize("name", RELATIONS)
def test_relation_is_refused(raw: RawClient, name: str) -> None:
    received, status = raw.run(RELATIONS[name])
    assert status not in ("OK", "FAILED_PRECONDITION") and HIDDEN.encode() not in received


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_refused(raw: RawClient, name: str) -> None:
    received, status = raw.execute(proto.Plan(command=COMMANDS[name]))
    assert status not in ("OK", "FAILED_PRECONDITION") and HIDDEN.encode() not in received


def test_extensions_of_the_user_context_are_refused(raw: RawClient) -> None:
    context = proto.UserContext(user_id="x", extensions=[any_of("x")])
    _, status = raw.execute(proto.Plan(root=table("transit.trips")), user_context=context)
    assert status == "INVALID_ARGUMENT"


def test_compressed_plans_are_refused(raw: RawClient) -> None:
    packed = proto.Plan.CompressedOperation(data=b"(\xb5/\xfd" * 10, op_type=1, compression_codec=1)
    _, status = raw.execute(proto.Plan(compressed_operation=packed))
    assert status == "INVALID_ARGUMENT"


@pytest.mark.parametrize("metadata", [[], [("authorization", "Bearer wrong-token-wrong-token")], [("x", "y")]])
def test_without_a_good_token_nothing_is_answered(raw: RawClient, metadata: list[tuple[str, str]]) -> None:
    request = proto.ConfigRequest(session_id=raw.session_id)
    received, status = raw.call("Config", request.SerializeToString(), metadata)
    assert status == "UNAUTHENTICATED" and b"spark" not in received


def test_a_forged_user_is_still_oneself(city: World, raw: RawClient) -> None:
    """zhou says to be chen: the token decides, and zhou's grant has no stays."""
    zhou = RawClient(city, "zhou--night-bus")
    context = proto.UserContext(user_id="chen--tourism-flow", user_name="chen")
    _, status = zhou.execute(proto.Plan(root=table("tourism.stays")), user_context=context)
    assert status == "PERMISSION_DENIED"


def test_another_persons_session_view_and_operation_are_out_of_reach(
    city: World, spark: SparkSession, raw: RawClient
) -> None:
    spark.table("tourism.stays").createOrReplaceTempView("mine")
    theirs = RawClient(city, "zhou--night-bus", session_id=spark.client._session_id)
    received, status = theirs.run(table("mine"))
    assert status == "PERMISSION_DENIED" and HIDDEN.encode() not in received
    operation = str(uuid.uuid4())
    raw.execute(proto.Plan(root=table("tourism.stays")), operation_id=operation)
    forged = proto.ReattachExecuteRequest(session_id=raw.session_id, operation_id=operation)
    _, status = RawClient(city, "zhou--night-bus").call("ReattachExecute", forged.SerializeToString())
    assert status == "NOT_FOUND"
    stop = proto.InterruptRequest(session_id=raw.session_id, operation_id=operation, interrupt_type=3)
    received, status = RawClient(city, "zhou--night-bus").call("Interrupt", stop.SerializeToString())
    assert status == "OK" and not proto.InterruptResponse.FromString(received).interrupted_ids


def test_clone_is_not_there_and_artifacts_are_data_only(raw: RawClient) -> None:
    clone = proto.CloneSessionRequest(session_id=raw.session_id)
    assert raw.call("CloneSession", clone.SerializeToString())[1] == "UNIMPLEMENTED"
    for name in ("jars/x.jar", "files/x", "pyfiles/x.py", "classes/X.class", "cache/../../x", "forward_to_fs/x"):
        artifact = proto.AddArtifactsRequest.SingleChunkArtifact(
            name=name, data=proto.AddArtifactsRequest.ArtifactChunk(data=b"x", crc=0)
        )
        request = proto.AddArtifactsRequest(
            session_id=raw.session_id, batch=proto.AddArtifactsRequest.Batch(artifacts=[artifact])
        )
        assert raw.call("AddArtifacts", request.SerializeToString())[1] == "PERMISSION_DENIED"


@pytest.mark.parametrize("key", ["spark.master", "spark.hadoop.fs.s3a.secret.key", "spark.driver.extraJavaOptions"])
def test_driver_settings_cannot_be_read_or_set(raw: RawClient, key: str) -> None:
    operation = proto.ConfigRequest.Operation(get=proto.ConfigRequest.Get(keys=[key]))
    request = proto.ConfigRequest(session_id=raw.session_id, operation=operation)
    assert raw.call("Config", request.SerializeToString())[1] == "PERMISSION_DENIED"
    every = proto.ConfigRequest.Operation(get_all=proto.ConfigRequest.GetAll())
    request = proto.ConfigRequest(session_id=raw.session_id, operation=every)
    assert raw.call("Config", request.SerializeToString())[1] == "INVALID_ARGUMENT"


def test_absent_and_denied_read_the_same(raw: RawClient) -> None:
    denied = raw.run(table("tourism.secrets"))[0]
    absent = raw.run(table("tourism.nothing"))[0]
    plain = [text.split("判定".encode())[0].replace(b"secrets", b"nothing") for text in (denied, absent)]
    assert plain[0] == plain[1]


def test_no_metrics_and_no_bytes_read_come_back(raw: RawClient) -> None:
    request = proto.ExecutePlanRequest(session_id=raw.session_id, plan=proto.Plan(root=table("tourism.stays")))
    path = "/spark.connect.SparkConnectService/ExecutePlan"
    stream = raw.channel.unary_stream(path, response_deserializer=proto.ExecutePlanResponse.FromString)
    responses = list(stream(request.SerializeToString(), metadata=raw.metadata))
    assert responses[-1].HasField("result_complete")
    for response in responses:
        assert not response.HasField("metrics")
        assert all(
            stage.input_bytes_read == 0 and stage.num_tasks <= 100 for stage in response.execution_progress.stages
        )
