"""spark.connect.SparkConnectService as analysts' kernels see it.

It decides which of the gateway's own answers a call gets: a statement is run, an analysis told, settings,
catalogue and views answered here. Nothing is forwarded that was not admitted, asked and secured.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pyarrow as pa
from pyspark.sql.connect import proto
from pyspark.sql.connect.types import pyspark_types_to_proto_types
from pyspark.sql.pandas.types import from_arrow_schema

from gongshu.database import reading
from gongshu.errors import Denied, GongshuError, Words
from gongshu.gateway import analysis, artifacts, config_answers, naming, sql_forms
from gongshu.gateway.admission import Admitted, admit, write_arrow
from gongshu.gateway.catalogue_answers import Scope, answer_catalog, answer_form, read_scope, require_database
from gongshu.gateway.edge import Call, Context, Edge, answering, streaming
from gongshu.gateway.operation import Operation
from gongshu.gateway.refusals import HandleError
from gongshu.gateway.running import Run, Runner
from gongshu.gateway.upstream import Upstream

NO_OPERATION = Words("没有这个操作", "There is no such operation")
EMPTY_SCHEMA = '{"type":"struct","fields":[]}'


class SparkConnect:
    """One method for each procedure of the table; those not here answer UNIMPLEMENTED."""

    def __init__(self, edge: Edge, runner: Runner, upstream: Upstream) -> None:
        self.edge = edge
        self._runner = runner
        self._upstream = upstream
        self._analysis = analysis.Analyses(runner, upstream)

    @streaming
    async def ExecutePlan(self, data: bytes, context: Context) -> AsyncIterator[proto.ExecutePlanResponse]:
        call = await self.edge.enter(context, data, proto.ExecutePlanRequest)
        request, answered = call.request, call.answered
        operation = _new_operation(call, request)
        plan = request.plan
        if plan.HasField("command"):
            for response in await self._command(call, operation, plan.command, answered):
                yield response
        elif plan.root.HasField("catalog"):
            if answered != ("Relation.catalog",):
                raise _misplaced()
            for response in await self._catalog(call, operation, plan.root.catalog):
                yield response
        elif answered:
            raise _misplaced()
        else:
            admitted = await asyncio.to_thread(admit, plan.root, call.session.find_artifact)
            call.session.operations[operation.client_id] = operation
            await self._runner.start(Run(call.principal, call.session, operation, admitted), _chunking(request))
            async for response in self._taken(operation, None, context):
                yield response
            if not operation.reattachable:
                call.session.operations.pop(operation.client_id, None)

    @streaming
    async def ReattachExecute(self, data: bytes, context: Context) -> AsyncIterator[proto.ExecutePlanResponse]:
        call = await self.edge.enter(context, data, proto.ReattachExecuteRequest)
        request = call.request
        operation = call.session.operations.get(request.operation_id)
        if operation is None:
            raise HandleError("INVALID_HANDLE.OPERATION_NOT_FOUND", NO_OPERATION)
        async for response in self._taken(operation, request.last_response_id or None, context):
            yield response

    @answering
    async def ReleaseExecute(self, data: bytes, context: Context) -> proto.ReleaseExecuteResponse:
        call = await self.edge.enter(context, data, proto.ReleaseExecuteRequest)
        request = call.request
        operation = call.session.operations.get(request.operation_id)
        if operation is not None:
            if request.HasField("release_until"):
                operation.release(request.release_until.response_id)
            else:
                await self._runner.cancel(operation, "client")
                call.session.operations.pop(request.operation_id, None)
        return proto.ReleaseExecuteResponse(operation_id=request.operation_id, **call.ids())

    @answering
    async def AnalyzePlan(self, data: bytes, context: Context) -> proto.AnalyzePlanResponse:
        call = await self.edge.enter(context, data, proto.AnalyzePlanRequest)
        request = call.request
        response = await self._analysis.answer(call, request)
        response.session_id, response.server_side_session_id = call.session.client_id, call.session.server_id
        return response

    @answering
    async def Config(self, data: bytes, context: Context) -> proto.ConfigResponse:
        call = await self.edge.enter(context, data, proto.ConfigRequest)
        request = call.request
        pinned = self._runner.engine.pinned_conf
        response = config_answers.answer(request.operation, call.session.chosen_conf, pinned)
        response.session_id, response.server_side_session_id = call.session.client_id, call.session.server_id
        return response

    @answering
    async def Interrupt(self, data: bytes, context: Context) -> proto.InterruptResponse:
        call = await self.edge.enter(context, data, proto.InterruptRequest)
        request = call.request
        kinds = proto.InterruptRequest.InterruptType
        stopped = []
        for operation in list(call.session.operations.values()):
            wanted = (
                request.interrupt_type == kinds.INTERRUPT_TYPE_ALL
                or (request.interrupt_type == kinds.INTERRUPT_TYPE_TAG and request.operation_tag in operation.tags)
                or (
                    request.interrupt_type == kinds.INTERRUPT_TYPE_OPERATION_ID
                    and request.operation_id == operation.client_id
                )
            )
            if wanted and operation.running:
                await self._runner.cancel(operation, "client")
                stopped.append(operation.client_id)
        return proto.InterruptResponse(interrupted_ids=stopped, **call.ids())

    @answering
    async def ReleaseSession(self, data: bytes, context: Context) -> proto.ReleaseSessionResponse:
        call = await self.edge.enter(context, data, proto.ReleaseSessionRequest)
        await self._runner.end_session(call.session)
        self.edge.registry.close(call.session)
        return proto.ReleaseSessionResponse(**call.ids())

    @answering
    async def FetchErrorDetails(self, data: bytes, context: Context) -> proto.FetchErrorDetailsResponse:
        """Errors are told whole at once and without stacks; there are no further details."""
        call = await self.edge.enter(context, data, proto.FetchErrorDetailsRequest)
        return proto.FetchErrorDetailsResponse(**call.ids())

    @answering
    async def GetStatus(self, data: bytes, context: Context) -> proto.GetStatusResponse:
        call = await self.edge.enter(context, data, proto.GetStatusRequest)
        request = call.request
        states = proto.GetStatusResponse.OperationStatus.OperationState
        response = proto.GetStatusResponse(**call.ids())
        wanted = list(request.operation_status.operation_ids) or list(call.session.operations)
        for client_id in wanted:
            operation = call.session.operations.get(client_id)
            state = states.OPERATION_STATE_UNKNOWN
            if operation is not None:
                state = states.OPERATION_STATE_RUNNING if operation.running else states.OPERATION_STATE_SUCCEEDED
                state = states.OPERATION_STATE_FAILED if operation.error is not None else state
            response.operation_statuses.add(operation_id=client_id, state=state)
        return response

    async def AddArtifacts(self, requests: AsyncIterator[bytes], context: Context) -> proto.AddArtifactsResponse:
        return await artifacts.add(self.edge, requests, context)

    @answering
    async def ArtifactStatus(self, data: bytes, context: Context) -> proto.ArtifactStatusesResponse:
        call = await self.edge.enter(context, data, proto.ArtifactStatusesRequest)
        request = call.request
        response = proto.ArtifactStatusesResponse(**call.ids())
        for name in request.names:
            response.statuses[name].exists = artifacts.digest_in(name) in call.session.artifacts
        return response

    async def _taken(
        self, operation: Operation, after: str | None, context: Context
    ) -> AsyncIterator[proto.ExecutePlanResponse]:
        ended = False
        try:
            async for response in operation.take(after):
                yield response
            ended = True
            context.set_trailing_metadata(tuple(operation.receipts))
        except GongshuError:
            ended = True
            raise
        finally:
            if not ended:
                operation.detach()

    async def _command(
        self, call: Call[Any], operation: Operation, command: proto.Command, answered: tuple[str, ...]
    ) -> list[proto.ExecutePlanResponse]:
        if len(answered) != 1:
            raise _misplaced()
        if command.HasField("create_dataframe_view"):
            asked = command.create_dataframe_view
            admitted = await asyncio.to_thread(admit, asked.input, call.session.find_artifact)
            await self._keep_view(call, asked.name, admitted, replace=asked.replace)
            return _answer(call, operation)
        relation = command.sql_command.input
        result = await self._sql_command(call, relation) if relation.HasField("sql") else None
        if result is None:
            # The first leg of spark.sql: the client gets its own relation back and runs it as a statement.
            admitted = await asyncio.to_thread(admit, relation, call.session.find_artifact)
            await self._runner.vet(call.session, admitted)
            result = relation
        response = _blank(call, operation)
        response.sql_command_result.relation.CopyFrom(result)
        return [response, *_answer(call, operation)]

    async def _sql_command(self, call: Call[Any], relation: proto.Relation) -> proto.Relation | None:
        """Answer the commands that the gateway knows; None for a query."""
        form = sql_forms.recognise(relation.sql.query)
        if form is None:
            return None
        session = call.session
        if form.kind in ("create-view", "explain"):
            query = proto.Relation()
            query.CopyFrom(relation)
            query.sql.query = form.query
            admitted = await asyncio.to_thread(admit, query, session.find_artifact)
            if form.kind == "explain":
                secured = await self._runner.analyse(call.principal, session, admitted)
                return _local(pa.table({"plan": [secured.plan_text]}))
            if not (form.quiet and form.names[0].lower() in session.views):
                await self._keep_view(call, form.names[0], admitted, replace=form.replace)
            return _local(None)
        if form.kind == "drop-view":
            if session.views.pop(form.names[0].lower(), None) is None and not form.quiet:
                raise _no_view(form.names[0])
            return _local(None)
        scope = await self._scope(call)
        if form.kind == "use":
            session.database = require_database(scope, form.names)
            return _local(None)
        return _local(None if form.kind == "nothing" else answer_form(scope, form))

    async def _catalog(
        self, call: Call[Any], operation: Operation, catalog: proto.Catalog
    ) -> list[proto.ExecutePlanResponse]:
        kind = catalog.WhichOneof("cat_type") or ""
        asked = getattr(catalog, kind)
        scope = await self._scope(call)
        if kind == "set_current_database":
            call.session.database = require_database(scope, (asked.db_name,))
        if kind == "drop_temp_view":
            existed = call.session.views.pop(asked.view_name.lower(), None) is not None
            return _answer(call, operation, pa.table({"value": [existed]}))
        return _answer(call, operation, answer_catalog(scope, kind, asked))

    async def _scope(self, call: Call[Any]) -> Scope:
        def read() -> Scope:
            asker = self._runner.asker
            with reading(asker.sessions) as session:
                return read_scope(session, call.principal, asker.clock, list(call.session.views), call.session.database)

        return await asyncio.to_thread(read)

    async def _keep_view(self, call: Call[Any], name: str, admitted: Admitted, *, replace: bool) -> None:
        """Vet the plan as an analysis, then keep it; it is decided anew at each use."""
        await self._runner.analyse(call.principal, call.session, admitted)
        view = await asyncio.to_thread(naming.make_view, self._runner.engine, call.session, name, admitted)
        call.session.keep_view(view, replace=replace)


def _new_operation(call: Call[Any], request: proto.ExecutePlanRequest) -> Operation:
    client_id = request.operation_id or str(uuid.uuid4())
    if client_id in call.session.operations:
        raise HandleError(
            "INVALID_HANDLE.OPERATION_ALREADY_EXISTS", Words("操作编号已用过", "The operation id is in use")
        )
    reattachable = any(
        option.HasField("reattach_options") and option.reattach_options.reattachable
        for option in request.request_options
    )
    return Operation(client_id, frozenset(request.tags), reattachable)


def _chunking(request: proto.ExecutePlanRequest) -> proto.ResultChunkingOptions | None:
    for option in request.request_options:
        if option.HasField("result_chunking_options"):
            return option.result_chunking_options
    return None


def _blank(call: Call[Any], operation: Operation) -> proto.ExecutePlanResponse:
    return proto.ExecutePlanResponse(operation_id=operation.client_id, response_id=str(uuid.uuid4()), **call.ids())


def _answer(call: Call[Any], operation: Operation, table: pa.Table | None = None) -> list[proto.ExecutePlanResponse]:
    """The gateway's own result as a client expects one: schema, batch, end."""
    responses = []
    if table is not None:
        schema = _blank(call, operation)
        schema.schema.CopyFrom(pyspark_types_to_proto_types(from_arrow_schema(table.schema)))
        batch = _blank(call, operation)
        batch.arrow_batch.row_count = table.num_rows
        batch.arrow_batch.data = write_arrow(table.combine_chunks())
        responses += [schema, batch]
    done = _blank(call, operation)
    done.result_complete.SetInParent()
    return [*responses, done]


def _local(table: pa.Table | None) -> proto.Relation:
    local = proto.LocalRelation(schema=EMPTY_SCHEMA) if table is None else proto.LocalRelation(data=write_arrow(table))
    return proto.Relation(local_relation=local)


def _misplaced() -> Denied:
    return Denied(
        "gateway.protocol.misplaced",
        Words("目录查询和命令不能放在语句里面", "Catalogue calls and commands cannot stand inside a statement"),
        Words("单独调用它们", "Call them by themselves"),
    )


def _no_view(name: str) -> Denied:
    return Denied(
        "gateway.view.absent",
        Words(f"没有临时视图 {name}", f"There is no temporary view {name}"),
        Words("用 spark.catalog.listTables() 查看", "See spark.catalog.listTables()"),
    )


def handlers(service: SparkConnect) -> grpc.GenericRpcHandler:
    """Raw bytes in (the walk comes before any decoding), messages out."""
    unary = [
        "ReleaseExecute",
        "AnalyzePlan",
        "Config",
        "Interrupt",
        "ReleaseSession",
        "FetchErrorDetails",
        "GetStatus",
        "ArtifactStatus",
    ]
    found = {
        name: grpc.unary_unary_rpc_method_handler(
            getattr(service, name), None, lambda message: message.SerializeToString()
        )
        for name in unary
    }
    for name in ("ExecutePlan", "ReattachExecute"):
        found[name] = grpc.unary_stream_rpc_method_handler(
            getattr(service, name), None, lambda message: message.SerializeToString()
        )
    found["AddArtifacts"] = grpc.stream_unary_rpc_method_handler(
        service.AddArtifacts, None, lambda message: message.SerializeToString()
    )
    return grpc.method_handlers_generic_handler("spark.connect.SparkConnectService", found)
