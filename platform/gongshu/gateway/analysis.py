"""AnalyzePlan: what a plan's result would look like, told from the secured plan; never forwarded.

`explain` is the governed plan's own text, `persist` is accepted without effect: caches would outlive a grant.
"""

from __future__ import annotations

import asyncio

from pyspark.sql.connect import proto

from gongshu.gateway.admission import admit, clean_schema
from gongshu.gateway.edge import Call
from gongshu.gateway.engine import SecuredPlan
from gongshu.gateway.running import Runner
from gongshu.gateway.upstream import Upstream
from gongshu.gateway.wire import refuse

SPARK_VERSION = "4.3.0"


class Analyses:
    """Answers every analysis of the table."""

    def __init__(self, runner: Runner, upstream: Upstream) -> None:
        self._runner = runner
        self._upstream = upstream

    async def answer(
        self, call: Call[proto.AnalyzePlanRequest], request: proto.AnalyzePlanRequest
    ) -> proto.AnalyzePlanResponse:
        kind = request.WhichOneof("analyze") or ""
        response = proto.AnalyzePlanResponse()
        match kind:
            case "schema":
                secured = await self._secured(call, request.schema.plan)
                response.schema.schema.CopyFrom(proto.DataType.FromString(secured.schema_proto))
            case "tree_string":
                secured = await self._secured(call, request.tree_string.plan)
                level = request.tree_string.level if request.tree_string.HasField("level") else 0
                response.tree_string.tree_string = to_level(secured.tree_text, level)
            case "explain":
                secured = await self._secured(call, request.explain.plan)
                response.explain.explain_string = secured.plan_text
            case "is_local":
                response.is_local.is_local = (await self._secured(call, request.is_local.plan)).is_local
            case "semantic_hash":
                secured = await self._secured(call, request.semantic_hash.plan)
                response.semantic_hash.result = secured.semantic_hash
            case "same_semantics":
                target = await self._secured(call, request.same_semantics.target_plan)
                other = await self._secured(call, request.same_semantics.other_plan)
                response.same_semantics.result = target.semantic_hash == other.semantic_hash
            case "is_streaming":
                response.is_streaming.is_streaming = False
            case "spark_version":
                response.spark_version.version = SPARK_VERSION
            case "persist":
                response.persist.SetInParent()
            case "unpersist":
                response.unpersist.SetInParent()
            case "get_storage_level":
                response.get_storage_level.storage_level.replication = 1
            case "ddl_parse":
                clean_schema(request.ddl_parse.ddl_string)
                parsed = proto.AnalyzePlanRequest(ddl_parse=request.ddl_parse)
                response.CopyFrom(await self._upstream.parse(call.session.key, parsed))
            case "json_to_ddl":
                request.json_to_ddl.json_string = clean_schema(request.json_to_ddl.json_string)
                parsed = proto.AnalyzePlanRequest(json_to_ddl=request.json_to_ddl)
                response.CopyFrom(await self._upstream.parse(call.session.key, parsed))
            case _:
                raise refuse("analyze", "没有这种分析", "There is no such analysis")
        return response

    async def _secured(self, call: Call[proto.AnalyzePlanRequest], plan: proto.Plan) -> SecuredPlan:
        if not plan.HasField("root") or plan.root.HasField("catalog"):
            raise refuse("analyze", "只能分析查询", "Only a query can be analysed")
        admitted = await asyncio.to_thread(admit, plan.root, call.session.find_artifact)
        return await self._runner.analyse(call.principal, call.session, admitted)


def to_level(tree: str, level: int) -> str:
    """Cut a schema tree at a depth, as printSchema(level) does."""
    if level <= 0:
        return tree
    return "\n".join(line for line in tree.split("\n") if line.count(" |") < level + (line.startswith("root"))) or tree
