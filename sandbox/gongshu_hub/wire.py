"""One JSON line asked, one JSON line answered, over a unix socket: how Hub, keeper and doors speak.

Who is on the other side is read from the kernel (SO_PEERCRED), never from the message. Lines have a size
limit and a deadline. It must stay this small: the keeper that runs as root reads with it.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

LINE_BYTES = 256 * 1024
SECONDS = 10.0

Answer = dict[str, Any]
Handler = Callable[[Answer, int], Awaitable[Answer]]


class WireError(Exception):
    """The other part is gone, slow or talking nonsense; `str()` names the socket, not its path."""


def peer_uid(writer: asyncio.BaseTransport | asyncio.StreamWriter) -> int:
    """The uid of the process on the other end of a unix socket, as the kernel says."""
    end = writer.get_extra_info("socket")
    raw = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", raw)[1])


async def ask(path: Path, question: Answer, seconds: float = SECONDS) -> Answer:
    """Ask one question. Raises WireError when there is no good answer in time."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=LINE_BYTES)
            try:
                writer.write(json.dumps(question).encode() + b"\n")
                await writer.drain()
                answer = json.loads(await reader.readline())
            finally:
                writer.close()
    except (OSError, ValueError, TimeoutError) as error:
        raise WireError(f"{path.parent.name}: {type(error).__name__}") from error
    if not isinstance(answer, dict):
        raise WireError(f"{path.parent.name}: not an object")
    return answer


async def serve(path: Path, allowed_uids: frozenset[int], handler: Handler) -> asyncio.Server:
    """Answer questions of the allowed users only. The socket file is made anew."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            uid = peer_uid(writer)
            if uid not in allowed_uids:
                return
            async with asyncio.timeout(SECONDS):
                question = json.loads(await reader.readline())
            answer = await handler(question, uid)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError, TimeoutError):
            return
        finally:
            writer.close()

    listening = listen(path)
    return await asyncio.start_unix_server(conversation, sock=listening, limit=LINE_BYTES)


def listen(path: Path, mode: int = 0o666) -> socket.socket:
    """Make a listening unix socket. Peers are checked by uid, so that the mode need not."""
    path.unlink(missing_ok=True)
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        end.bind(str(path))
    finally:
        os.umask(before)
    path.chmod(mode)
    end.listen(128)
    end.setblocking(False)
    return end
