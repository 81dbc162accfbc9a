"""The exact bytes of an entry, which are stored once and hashed as stored.

Canonical JSON: UTF-8, sorted keys, no spaces, integers and strings only (on this profile equal to
RFC 8785). A private part enters as ``sha256(salt ‖ payload)``; erasing its key later leaves every
proof valid. At most 65,535 bytes (the limit of a C2SP entry bundle); long texts go to blobs.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from ulid import ULID

from gongshu.audit.event import Event, Value
from gongshu.clock import to_text
from gongshu.errors import Invalid, Words

SCHEMA = 1
MAX_ENTRY_BYTES = 65_535
SALT_BYTES = 32
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes it; PostgreSQL cannot hold it


@dataclass(frozen=True)
class SealedPart:
    """A private part with the salt that commits it; `text` is its canonical JSON."""

    name: str
    salt: bytes
    text: bytes
    audience: tuple[str, ...]

    @property
    def commitment(self) -> str:
        return hashlib.sha256(self.salt + self.text).hexdigest()


@dataclass(frozen=True)
class Entry:
    """An event in its final bytes, still without an index."""

    entry_id: str
    event: str
    actor: str
    organisation: str
    scenario: str
    time: datetime
    writer: str
    data: bytes
    parts: tuple[SealedPart, ...]

    @property
    def leaf_hash(self) -> bytes:
        """RFC 6962 leaf hash: SHA-256(0x00 ‖ entry)."""
        return hashlib.sha256(b"\x00" + self.data).digest()


def canonical(value: Mapping[str, Value]) -> bytes:
    """Encode by the profile above. Raises ValueError on floats and other foreign values."""
    _require_profile(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:  # integers past 64 bits, lone surrogates
        raise ValueError(f"an entry cannot hold this: {error}") from error


def _require_profile(value: object) -> None:
    if value is None or isinstance(value, bool | int | str):
        return
    if isinstance(value, list | tuple):
        for item in value:
            _require_profile(item)
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"a key of an entry must be text, not {type(key).__name__}")
            _require_profile(item)
        return
    raise ValueError(f"an entry holds strings and integers, not {type(value).__name__}")


def seal(event: Event, *, writer: str, time: datetime) -> Entry:
    """Fix an event's bytes. Raises Invalid when they exceed `MAX_ENTRY_BYTES`."""
    entry_id = str(ULID())
    parts = tuple(
        SealedPart(name, secrets.token_bytes(SALT_BYTES), canonical(part.payload), part.audience)
        for name, part in sorted(event.private.items())
    )
    data = canonical(
        {
            "actor": event.actor,
            "event": event.type.value,
            "id": entry_id,
            "organisation": event.organisation,
            "private": {part.name: part.commitment for part in parts},
            "public": dict(event.public),
            "scenario": event.scenario,
            "schema": SCHEMA,
            "time": to_text(time),
            "writer": writer,
        }
    )
    if NUL.search(data):
        raise Invalid(
            "log.entry.null_character",
            Words("内容里有空字符,操作没有执行。", "The content holds a null character; nothing was done."),
            Words("删去空字符后重试", "Remove the null character and try again"),
        )
    if len(data) > MAX_ENTRY_BYTES:
        raise Invalid(
            "log.entry.too_long",
            Words(
                f"日志条目超过 {MAX_ENTRY_BYTES} 字节,操作没有执行。",
                f"The log entry exceeds {MAX_ENTRY_BYTES} bytes; nothing was done.",
            ),
            Words("请缩短内容后重试", "Shorten the content and try again"),
        )
    return Entry(entry_id, event.type.value, event.actor, event.organisation, event.scenario, time, writer, data, parts)
