"""Answers the client's questions about settings; none ever reaches Spark.

It decides which keys may be read (those pyspark itself reads, with the values that hold here), which
may be set because only the client acts on them, and which are accepted without effect. All else is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql.connect import proto

from gongshu.errors import Denied, Words

# Read and acted on by the client alone: a session may set them for itself.
CLIENT_SIDE: Mapping[str, str] = {
    "spark.sql.repl.eagerEval.enabled": "false",
    "spark.sql.repl.eagerEval.maxNumRows": "20",
    "spark.sql.repl.eagerEval.truncate": "20",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.pyspark.fallback.enabled": "true",
    "spark.sql.execution.arrow.pyspark.selfDestruct.enabled": "false",
    "spark.sql.execution.pandas.structHandlingMode": "legacy",
    "spark.sql.execution.pandas.convertToArrowArraySafely": "false",
    "spark.sql.execution.pandas.inferPandasDictAsMap": "false",
    "spark.sql.execution.pyspark.binaryAsBytes": "true",
    "spark.sql.pyspark.inferNestedDictAsStruct.enabled": "false",
    "spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled": "false",
    "spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "10000",
}

# Fixed here: the engine pins them or the gateway's own limits stand in them.
FIXED: Mapping[str, str] = {
    "spark.sql.session.timeZone": "Asia/Shanghai",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.execution.arrow.useLargeVarTypes": "false",
    "spark.sql.session.localRelationCacheThreshold": str(1 << 20),
    "spark.sql.session.localRelationSizeLimit": str(32 << 20),
    "spark.sql.session.localRelationChunkSizeRows": "1000000",
    "spark.sql.session.localRelationChunkSizeBytes": str(4 << 20),
    "spark.sql.session.localRelationBatchOfChunksSizeBytes": str(8 << 20),
    "spark.connect.session.planCompression.threshold": "-1",
    "spark.connect.session.planCompression.defaultAlgorithm": "NONE",
    "spark.sql.connect.serverStacktrace.enabled": "false",
    "spark.sql.pyspark.jvmStacktrace.enabled": "false",
    "spark.sql.pyspark.plotting.max_rows": "1000",
    "spark.sql.execution.pythonUDF.arrow.enabled": "true",
    "spark.sql.execution.pythonUDTF.arrow.enabled": "true",
    "spark.sql.execution.topKSortFallbackThreshold": "2147483632",
    "spark.sql.sources.default": "parquet",
    "spark.sql.warehouse.dir": "",
    "spark.sql.shuffle.partitions": "200",
}

# Accepted and told to be without effect, so that ordinary notebooks run.
NO_EFFECT = frozenset(
    [
        "spark.app.name",
        "spark.sql.shuffle.partitions",
        "spark.sql.adaptive.enabled",
        "spark.sql.autoBroadcastJoinThreshold",
        "spark.sql.adaptive.coalescePartitions.enabled",
        "spark.sql.debug.maxToStringFields",
        "spark.sql.broadcastTimeout",
        "spark.sql.adaptive.skewJoin.enabled",
        "spark.sql.execution.arrow.enabled",
        "spark.sql.ansi.enabled",
    ]
)


def answer(
    operation: proto.ConfigRequest.Operation, chosen: dict[str, str], pinned: Mapping[str, str]
) -> proto.ConfigResponse:
    """Answer one operation; chosen: what this session has set for itself (changed here). Raises Denied."""
    kind = operation.WhichOneof("op_type")
    response = proto.ConfigResponse()
    if kind == "set":
        for pair in operation.set.pairs:
            _set(pair.key, pair.value, chosen, response)
    elif kind == "unset":
        for key in operation.unset.keys:
            chosen.pop(key, None)
    elif kind == "get":
        for key in operation.get.keys:
            response.pairs.add(key=key, value=_required(key, chosen, pinned))
    elif kind == "get_option":
        for key in operation.get_option.keys:
            _add(response, key, value_of(key, chosen, pinned))
    elif kind == "get_with_default":
        for pair in operation.get_with_default.pairs:
            found = value_of(pair.key, chosen, pinned)
            _add(response, pair.key, found if found is not None else pair.value if pair.HasField("value") else None)
    elif kind == "is_modifiable":
        for key in operation.is_modifiable.keys:
            response.pairs.add(key=key, value=str(key in CLIENT_SIDE).lower())
    return response


def value_of(key: str, chosen: Mapping[str, str], pinned: Mapping[str, str]) -> str | None:
    if key in CLIENT_SIDE:
        return chosen.get(key, CLIENT_SIDE[key])
    if key in FIXED:
        return pinned.get(key, FIXED[key])
    return None


def _required(key: str, chosen: Mapping[str, str], pinned: Mapping[str, str]) -> str:
    found = value_of(key, chosen, pinned)
    if found is None:
        raise Denied(
            "gateway.config.unreadable",
            Words(f"沙箱里读不到设置 {key[:80]}", f"The setting {key[:80]} cannot be read in the sandbox"),
            Words("给出默认值:spark.conf.get(名称, 默认值)", "Give a default: spark.conf.get(name, default)"),
        )
    return found


def _set(key: str, value: str, chosen: dict[str, str], response: proto.ConfigResponse) -> None:
    if key in CLIENT_SIDE:
        chosen[key] = value[:200]
    elif key in NO_EFFECT:
        response.warnings.append(f"设置 {key} 在沙箱里不起作用 / {key} has no effect in the sandbox")
    elif FIXED.get(key) != value:
        raise Denied(
            "gateway.config.fixed",
            Words(f"设置 {key[:80]} 由平台统一规定,不能更改", f"The setting {key[:80]} is fixed by the platform"),
            Words("去掉这一行再运行", "Remove this line and run again"),
        )


def _add(response: proto.ConfigResponse, key: str, value: str | None) -> None:
    if value is None:
        response.pairs.add(key=key)
    else:
        response.pairs.add(key=key, value=value)
