"""What of a decoded plan may go on: values checked, local data made harmless, references turned into views.

Runs after `wire` has passed the bytes. It decides by value (names of functions, schemas, sizes), never
by meaning: what a plan reads is decided later, from names that Spark itself found. Only what was decoded
here is ever encoded again and forwarded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from google.protobuf.message import Message
from pyspark.sql.connect import proto

from gongshu.errors import Invalid, NotFound, TooLarge, Words
from gongshu.gateway import wire
from gongshu.gateway.protocol import DENIED_FUNCTIONS, INTERNAL_FUNCTIONS

MAX_PLAN_BYTES = 48 << 20
MAX_LOCAL_BYTES = 32 << 20
MAX_TEXT_CHARS = 200_000
MAX_PARTITIONS = 2_000

FindArtifact = Callable[[str], bytes | None]


@dataclass
class Admitted:
    """A plan's root after admission. references: alias → relation, from `spark.sql(query, df=df)`."""

    root: proto.Relation
    references: dict[str, proto.Relation] = field(default_factory=dict)
    local_bytes: int = 0

    def plan(self) -> bytes:
        return encode(self.root)


def encode(root: proto.Relation) -> bytes:
    """The bytes of a plan with that root, as the engine takes them."""
    return bytes(proto.Plan(root=root).SerializeToString())


def admit(relation: proto.Relation, find_artifact: FindArtifact) -> Admitted:
    """Check and rewrite a relation. Raises Invalid, TooLarge or NotFound."""
    admitted = Admitted(proto.Relation())
    admitted.root.CopyFrom(relation)
    with_sql: list[proto.Relation] = []
    for message in messages_of(admitted.root):
        if isinstance(message, proto.Relation):
            _take_cached(message, find_artifact)
            if message.WhichOneof("rel_type") == "with_relations" and message.with_relations.root.HasField("sql"):
                with_sql.append(message)
        elif isinstance(message, proto.LocalRelation):
            admitted.local_bytes += _clean_local(message)
            if admitted.local_bytes > MAX_LOCAL_BYTES:
                raise too_much_local()
        else:
            _check(message)
    # Parents come before children, so from the back every reference is already rewritten when it is taken out.
    for relation_with_sql in reversed(with_sql):
        _take_references(relation_with_sql, admitted.references)
    return admitted


def messages_of(root: Message) -> Iterator[Message]:
    """Every message in a tree, parents first, without recursion; a parent may be changed while it is held."""
    stack = [root]
    while stack:
        message = stack.pop()
        yield message
        for found, value in message.ListFields():
            if found.message_type is None:
                continue
            if found.message_type.GetOptions().map_entry:
                if found.message_type.fields_by_name["value"].message_type is not None:
                    stack.extend(value.values())
            elif found.is_repeated:
                stack.extend(value)
            else:
                stack.append(value)


def _check(message: Message) -> None:
    check = _CHECKS.get(type(message).__name__) if message.DESCRIPTOR.full_name.startswith(wire.PREFIX) else None
    if check is not None:
        check(message)


def _check_function(message: Any) -> None:
    name = normal_name(message.function_name)
    if getattr(message, "is_internal", False):
        if name not in INTERNAL_FUNCTIONS:
            raise denied_function(name)
    elif name in DENIED_FUNCTIONS:
        raise denied_function(name)


def normal_name(written: str) -> str:
    """`system`.`builtin`.`Reflect` and REFLECT are one function."""
    bare = written.replace("`", "").strip().lower()
    for prefix in ("spark_catalog.", "system.builtin.", "builtin.", "system.session.", "session."):
        bare = bare.removeprefix(prefix)
    return bare


def denied_function(name: str) -> Invalid:
    return Invalid(
        "gateway.function.denied",
        Words(f"沙箱里不能用函数 {name}", f"The function {name} is not available in the sandbox"),
        Words(
            "换一个普通的 SQL 函数;说明见“哪些会被拒绝、为什么”",
            "Use an ordinary SQL function; see “what is refused and why”",
        ),
    )


def _check_text(text: str) -> None:
    if len(text) > MAX_TEXT_CHARS:
        raise TooLarge(
            "gateway.sql.too_long",
            Words(
                f"SQL 有 {len(text)} 个字符,上限 {MAX_TEXT_CHARS}",
                f"The SQL has {len(text)} characters; the limit is {MAX_TEXT_CHARS}",
            ),
            Words("把它拆成几步,中间结果用临时视图命名", "Split it into steps and name the parts as temporary views"),
        )


def _check_partitions(message: Any) -> None:
    if message.num_partitions > MAX_PARTITIONS:
        raise TooLarge(
            "gateway.partitions",
            Words(f"分区数上限是 {MAX_PARTITIONS}", f"At most {MAX_PARTITIONS} partitions"),
            Words("减少分区数", "Use fewer partitions"),
        )


def _check_metadata(message: Any) -> None:
    if message.metadata:
        found = _json(message.metadata)
        if not isinstance(found, dict) or any(str(key).startswith("__") for key in found):
            raise wire.refuse("metadata", "列的元数据里有保留的键", "Column metadata holds reserved keys")


def _clean_unparsed(message: Any) -> None:
    message.data_type_string = clean_schema(message.data_type_string)


_CHECKS: Mapping[str, Callable[[Any], None]] = {
    "UnresolvedFunction": _check_function,
    "CallFunction": _check_function,
    "UnresolvedTableValuedFunction": _check_function,
    "SQL": lambda message: _check_text(message.query),
    "ExpressionString": lambda message: _check_text(message.expression),
    "Alias": _check_metadata,
    "StructField": _check_metadata,
    "Unparsed": _clean_unparsed,
    "Range": _check_partitions,
    "Repartition": _check_partitions,
    "RepartitionByExpression": _check_partitions,
}


def clean_schema(text: str) -> str:
    """A schema as DDL stays as it is; as JSON it is read strictly and written anew, without user-defined types.

    Spark instantiates the class named in a JSON schema of type `udt`: any class of the driver.
    """
    if not text.lstrip().startswith("{"):
        return text
    found = _json(text)
    todo: list[object] = [found]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            if item.get("type") == "udt" or {"class", "pyClass", "serializedClass"} & set(item):
                raise wire.refuse("udt", "不能使用自定义数据类型", "User-defined types are not available")
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return json.dumps(found, ensure_ascii=False)


def _json(text: str) -> object:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key twice")
        return found

    try:
        return json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise wire.refuse("json", "请求里的 JSON 无法读取", "JSON in the request cannot be read") from error


def _clean_local(local: Any) -> int:
    """Read the Arrow stream with full validation and write it anew: the driver never maps bytes of a client."""
    if local.HasField("schema"):
        local.schema = clean_schema(local.schema)
    if not local.HasField("data"):
        return 0
    if len(local.data) > MAX_LOCAL_BYTES:
        raise too_much_local()
    table = read_arrow([local.data])
    local.data = write_arrow(table)
    return len(local.data)


def read_arrow(streams: list[bytes]) -> pa.Table:
    try:
        tables = [pa.ipc.open_stream(stream).read_all() for stream in streams]
        table = pa.concat_tables(tables)
        table.validate(full=True)
    except (pa.ArrowException, OSError, IndexError) as error:
        raise wire.refuse("arrow", "本地数据无法读取", "The local data cannot be read") from error
    return table


def write_arrow(table: pa.Table) -> bytes:
    """One Arrow stream with at least one batch: pyspark takes no batch for no result at all."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]:
            writer.write_batch(batch)
    return bytes(sink.getvalue())


def too_much_local() -> TooLarge:
    limit = MAX_LOCAL_BYTES >> 20
    return TooLarge(
        "gateway.local_data",
        Words(f"一条语句里的本地数据不能超过 {limit} MiB", f"A statement may carry at most {limit} MiB of local data"),
        Words(
            "先在 pandas 里汇总或筛选,再交给 spark.createDataFrame",
            "Aggregate or filter in pandas first, then call spark.createDataFrame",
        ),
    )


def _take_cached(relation: proto.Relation, find_artifact: FindArtifact) -> None:
    """Put the bytes of a cached local relation in its place; they are then checked like any others."""
    kind = relation.WhichOneof("rel_type")
    if kind == "cached_local_relation":
        data = _artifact(relation.cached_local_relation.hash, find_artifact)
        wire.walk(data, "LocalRelation")
        relation.local_relation.CopyFrom(proto.LocalRelation.FromString(data))
    elif kind == "chunked_cached_local_relation":
        cached = relation.chunked_cached_local_relation
        table = read_arrow([_artifact(digest, find_artifact) for digest in cached.dataHashes])
        local = proto.LocalRelation(data=write_arrow(table))
        if cached.schemaHash:
            local.schema = _artifact(cached.schemaHash, find_artifact).decode("utf-8", "strict")
        relation.local_relation.CopyFrom(local)


def _artifact(digest: str, find_artifact: FindArtifact) -> bytes:
    data = find_artifact(digest)
    if data is None:
        raise NotFound(
            "gateway.local_data.gone",
            Words("这份本地数据已不在会话里", "This local data is not in the session any more"),
            Words("重新执行 spark.createDataFrame(...)", "Run spark.createDataFrame(...) again"),
        )
    return data


def _take_references(relation: proto.Relation, references: dict[str, proto.Relation]) -> None:
    """`spark.sql(query, df=df)`: Spark would create temporary views while planning; here they are inlined."""
    for reference in relation.with_relations.references:
        if reference.WhichOneof("rel_type") != "subquery_alias" or reference.subquery_alias.qualifier:
            raise wire.refuse(
                "reference", "SQL 里引用的数据框形式不支持", "This way of naming a data frame in SQL is not supported"
            )
        alias = reference.subquery_alias.alias.lower()
        held = proto.Relation()
        held.CopyFrom(reference.subquery_alias.input)
        if alias in references and references[alias] != held:
            raise wire.refuse("reference", f"名称 {alias} 用了两次", f"The name {alias} is used twice")
        references[alias] = held
    root = proto.Relation()
    root.CopyFrom(relation.with_relations.root)
    relation.sql.CopyFrom(root.sql)
