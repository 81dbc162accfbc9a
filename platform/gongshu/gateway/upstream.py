"""The gateway as the one client of the real Spark Connect: runs handles, stops them, nothing else.

Streams are reattachable and taken up again when the server ends one early. Errors of Spark are turned
into what the analyst may know before anyone else sees them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine

import grpc
import structlog
from google.rpc import error_details_pb2, status_pb2
from pyspark.sql.connect import proto
from pyspark.sql.connect.proto import base_pb2_grpc

from gongshu.errors import GongshuError, Unavailable
from gongshu.gateway.engine import SessionKey, is_storage_failure, safe_error
from gongshu.gateway.refusals import as_spark_error

log = structlog.get_logger()
MAX_MESSAGE = 128 << 20
CLIENT = "gongshu-gateway"
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.max_send_message_length", MAX_MESSAGE),
    ("grpc.max_metadata_size", 64 << 10),
)


class Upstream:
    """One channel to Spark Connect on loopback."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._channel = grpc.aio.insecure_channel(f"{host}:{port}", options=CHANNEL_OPTIONS)
        self._stub = base_pb2_grpc.SparkConnectServiceStub(self._channel)
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._background: set[asyncio.Task[None]] = set()

    async def execute(
        self,
        key: SessionKey,
        operation_id: str,
        relation: proto.Relation,
        options: proto.ResultChunkingOptions | None,
    ) -> AsyncIterator[proto.ExecutePlanResponse]:
        """Run a handle and give its responses until it is complete. Raises SparkError or Unavailable."""
        request = proto.ExecutePlanRequest(
            session_id=key.session_id, operation_id=operation_id, client_type=CLIENT, plan=proto.Plan(root=relation)
        )
        request.user_context.user_id = key.user_id
        request.request_options.add().reattach_options.reattachable = True
        if options is not None:
            request.request_options.add().result_chunking_options.CopyFrom(options)
        stream = self._stub.ExecutePlan(request, metadata=self._metadata)
        last = ""
        try:
            while True:
                async for response in stream:
                    last = response.response_id
                    if response.HasField("result_complete"):
                        self._soon(self._release(key, operation_id))
                        return
                    yield response
                stream = self._stub.ReattachExecute(
                    proto.ReattachExecuteRequest(
                        session_id=key.session_id,
                        user_context=proto.UserContext(user_id=key.user_id),
                        operation_id=operation_id,
                        client_type=CLIENT,
                        last_response_id=last or None,
                    ),
                    metadata=self._metadata,
                )
        except grpc.aio.AioRpcError as error:
            raise translate(error) from None
        finally:
            stream.cancel()

    async def parse(self, key: SessionKey, request: proto.AnalyzePlanRequest) -> proto.AnalyzePlanResponse:
        """Parse a type's text (ddl_parse, json_to_ddl): no plan is involved. Raises SparkError or Unavailable."""
        request.session_id, request.client_type = key.session_id, CLIENT
        request.user_context.user_id = key.user_id
        try:
            return await self._stub.AnalyzePlan(request, metadata=self._metadata, timeout=10)
        except grpc.aio.AioRpcError as error:
            raise translate(error) from None

    async def interrupt(self, key: SessionKey, operation_id: str) -> None:
        """Stop an operation, as far as Spark still answers."""
        request = proto.InterruptRequest(
            session_id=key.session_id,
            client_type=CLIENT,
            interrupt_type=proto.InterruptRequest.InterruptType.INTERRUPT_TYPE_OPERATION_ID,
            operation_id=operation_id,
        )
        request.user_context.user_id = key.user_id
        try:
            await self._stub.Interrupt(request, metadata=self._metadata, timeout=2)
            await self._release(key, operation_id)
        except grpc.aio.AioRpcError as error:
            log.info("gateway.interrupt.missed", status=error.code().name)

    async def release_session(self, key: SessionKey) -> None:
        request = proto.ReleaseSessionRequest(session_id=key.session_id, client_type=CLIENT)
        request.user_context.user_id = key.user_id
        try:
            await self._stub.ReleaseSession(request, metadata=self._metadata, timeout=2)
        except grpc.aio.AioRpcError as error:
            log.info("gateway.session.release_missed", status=error.code().name)

    async def _release(self, key: SessionKey, operation_id: str) -> None:
        request = proto.ReleaseExecuteRequest(session_id=key.session_id, operation_id=operation_id, client_type=CLIENT)
        request.user_context.user_id = key.user_id
        request.release_all.SetInParent()
        try:
            await self._stub.ReleaseExecute(request, metadata=self._metadata, timeout=2)
        except grpc.aio.AioRpcError as error:
            log.info("gateway.release.missed", status=error.code().name)

    def _soon(self, work: Coroutine[None, None, None]) -> None:
        """Nobody waits for the engine to forget what it has delivered."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def close(self) -> None:
        await self._channel.close()


def translate(error: grpc.aio.AioRpcError) -> GongshuError:
    """A Spark error as the analyst may know it: class, message id, harmless parameters; never values."""
    if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED):
        return Unavailable("engine")
    info = _info(error)
    said = error.details() or ""
    classes = json.loads(info.metadata.get("classes", "") or "[]")
    if is_storage_failure(said, info.reason, *classes):
        return Unavailable("storage")
    safe = safe_error(
        info.metadata.get("errorClass", "") or "INTERNAL",
        info.metadata.get("sqlState", ""),
        json.loads(info.metadata.get("messageParameters", "") or "{}"),
        said,
    )
    kinds = [name for name in classes if name.startswith(("org.apache.spark.", "java.lang.", "java.time."))]
    return as_spark_error(safe, *(kinds or ["org.apache.spark.SparkException"]))


def _info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
                    detail.Unpack(info)
    return info
