"""Local data that pyspark sends ahead of a plan: `cache/<sha256>` and nothing else, kept in the gateway.

It never reaches Spark by itself: a plan that uses it is inlined and checked like any other.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from pyspark.sql.connect import proto

from gongshu.errors import Denied, Words
from gongshu.gateway.admission import MAX_LOCAL_BYTES, too_much_local
from gongshu.gateway.edge import Call, Context, Edge, decode

NAME = re.compile(r"^cache/([0-9a-f]{64})$")


@dataclass
class Incoming:
    name: str
    expected: int
    chunks: list[bytes] = field(default_factory=list)
    sound: bool = True


def digest_in(name: str) -> str:
    """The digest of a cache name. Raises Denied for any other artifact."""
    found = NAME.match(name)
    if found is None:
        raise Denied(
            "gateway.artifact",
            Words("不能向计算引擎上传文件、代码或程序包", "Files, code and packages cannot be sent to the engine"),
            Words("在沙箱的 Python 里直接使用它们", "Use them in the sandbox's own Python"),
        )
    return found[1]


async def add(edge: Edge, requests: AsyncIterator[bytes], context: Context) -> proto.AddArtifactsResponse:
    """Take a stream of artifacts."""
    try:
        return await _add(edge, requests, context)
    except Exception as error:  # the edge: everything becomes a refusal
        await edge.fail(context, error)
        raise


async def _add(edge: Edge, requests: AsyncIterator[bytes], context: Context) -> proto.AddArtifactsResponse:
    response = proto.AddArtifactsResponse()
    call: Call[proto.AddArtifactsRequest] | None = None
    incoming: Incoming | None = None
    async for data in requests:
        call = call or await edge.enter(context, data, proto.AddArtifactsRequest)
        request, _ = decode(data, proto.AddArtifactsRequest)
        if request.session_id != call.session.client_id:
            raise Denied("gateway.artifact.session", Words("会话不一致", "The session changed"))
        if request.HasField("batch"):
            for artifact in request.batch.artifacts:
                _keep(call, Incoming(artifact.name, 1, [artifact.data.data], _sound(artifact.data)), response)
        elif request.HasField("begin_chunk"):
            begin = request.begin_chunk
            digest_in(begin.name)
            if begin.total_bytes > MAX_LOCAL_BYTES:
                raise too_much_local()
            incoming = Incoming(begin.name, begin.num_chunks, [begin.initial_chunk.data], _sound(begin.initial_chunk))
        elif incoming is not None:
            incoming.chunks.append(request.chunk.data)
            incoming.sound &= _sound(request.chunk)
            if sum(map(len, incoming.chunks)) > MAX_LOCAL_BYTES:
                raise too_much_local()
        if incoming is not None and len(incoming.chunks) >= incoming.expected:
            _keep(call, incoming, response)
            incoming = None
    if call is not None:
        response.session_id, response.server_side_session_id = call.session.client_id, call.session.server_id
    return response


def _sound(chunk: proto.AddArtifactsRequest.ArtifactChunk) -> bool:
    return bool(zlib.crc32(chunk.data) == chunk.crc)


def _keep(call: Call[proto.AddArtifactsRequest], incoming: Incoming, response: proto.AddArtifactsResponse) -> None:
    digest = digest_in(incoming.name)
    if incoming.sound:
        call.session.keep_artifact(digest, b"".join(incoming.chunks))
    response.artifacts.add(name=incoming.name, is_crc_successful=incoming.sound)
