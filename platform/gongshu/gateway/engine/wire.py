"""The JSON between the gateway and the helper, both directions."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from pyspark.sql.connect.proto import Relation

from gongshu.gateway.engine.shapes import Description, SecuredPlan, SecuredRelation, ViewPlan

HANDLE_TYPE_URL = "type.googleapis.com/gongshu.v1.Handle"


def statement_request(relations: Sequence[SecuredRelation], views: Sequence[ViewPlan]) -> dict[str, Any]:
    return {"relations": [_relation(r) for r in relations], "views": [_view(v) for v in views]}


def _relation(relation: SecuredRelation) -> dict[str, Any]:
    return {
        "name": list(relation.name_parts),
        "dataset": relation.dataset,
        "version": relation.version,
        "files": [[f.pinned_uri, f.size_bytes, dict(f.partition)] for f in relation.files],
        "columns": [[c.name, c.type, c.comment] for c in relation.columns],
        "partition_columns": list(relation.partition_columns),
        "allowed": [
            [name, None if mask is None else {"kind": mask.kind, "size": mask.size or 0}]
            for name, mask in relation.allowed
        ],
        "row_filter": relation.row_filter,
        "mask_key": base64.b64encode(relation.mask_key).decode(),
        "entity_column": relation.entity_column,
    }


def _view(view: ViewPlan) -> dict[str, Any]:
    return {
        "name": list(view.name_parts),
        "plan": base64.b64encode(view.plan).decode(),
        "views": [_view(v) for v in view.views],
    }


def read_description(answer: Mapping[str, Any]) -> Description:
    return Description(tuple(tuple(name) for name in answer["names"]), tuple(answer["functions"]))


def read_secured(answer: Mapping[str, Any]) -> SecuredPlan:
    return SecuredPlan(
        handle=answer["handle"],
        schema_json=answer["schema_json"],
        schema_ddl=answer["schema_ddl"],
        schema_proto=base64.b64decode(answer["schema_proto"]),
        tree_text=answer["tree_text"],
        plan_text=answer["plan_text"],
        semantic_hash=answer["semantic_hash"],
        is_local=answer["is_local"],
        columns_read=_columns(answer["columns_read"]),
        columns_governing=_columns(answer["columns_governing"]),
        lineage_direct={k: tuple(_dotted(c) for c in v) for k, v in answer["lineage_direct"].items()},
        lineage_indirect=tuple(_dotted(c) for c in answer["lineage_indirect"]),
        barrier=answer["barrier"],
    )


def _columns(columns: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {dataset: tuple(names) for dataset, names in columns.items()}


def _dotted(column: str) -> str:
    return column.replace("\0", ".")


def handle_relation(handle: str) -> bytes:
    message = Relation(extension=AnyMessage(type_url=HANDLE_TYPE_URL, value=handle.encode()))
    serialized: bytes = message.SerializeToString()
    return serialized
