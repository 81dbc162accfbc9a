"""How a statement reads in the log: its SQL, or its plan as text, with local data only as a digest.

The text is for people who are entitled to it (a private part of the entry); nothing is decided from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from google.protobuf import text_format
from pyspark.sql.connect import proto

from gongshu.gateway.admission import Admitted, messages_of

MAX_CHARS = 1 << 20


def statement_text(admitted: Admitted) -> Mapping[str, str]:
    """{"sql": …} for a plain SQL text, {"plan": …} otherwise (with the SQL texts found in it)."""
    root = admitted.root
    if root.WhichOneof("rel_type") == "sql" and not root.sql.named_arguments and not root.sql.pos_arguments:
        text = {"sql": root.sql.query}
    else:
        text = {"plan": _plan(root)}
    for alias, relation in sorted(admitted.references.items()):
        text[f"reference {alias}"] = _plan(relation)
    return text


def _plan(root: proto.Relation) -> str:
    shown = proto.Relation()
    shown.CopyFrom(root)
    for message in messages_of(shown):
        if isinstance(message, proto.LocalRelation) and message.HasField("data"):
            message.data = f"sha256 {hashlib.sha256(message.data).hexdigest()}".encode()
        elif isinstance(message, proto.Relation) and message.HasField("common"):
            message.common.ClearField("origin")
        elif isinstance(message, proto.Expression) and message.HasField("common"):
            message.ClearField("common")
    text: str = text_format.MessageToString(shown, as_utf8=True, indent=0)
    if len(text) > MAX_CHARS:
        return f"sha256 {hashlib.sha256(text.encode()).hexdigest()} ({len(text)} characters)"
    return text
