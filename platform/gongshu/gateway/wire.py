"""Checks raw request bytes against the table, before anything decodes them.

It decides from the bytes alone whether every field at every depth is known and allowed. It walks
with a stack of its own: depth is a number here and never a crash. It must never interpret a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from pyspark.sql.connect.proto import base_pb2

from gongshu.errors import Invalid, TooLarge, Words
from gongshu.gateway.protocol import ENUMS, MESSAGES

PREFIX = "spark.connect."
MAX_DEPTH = 400
MAX_FIELDS = 200_000
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SCALAR_WIRE = {
    **dict.fromkeys(
        (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FIXED64, FieldDescriptor.TYPE_SFIXED64), _FIXED64
    ),
    **dict.fromkeys(
        (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_FIXED32, FieldDescriptor.TYPE_SFIXED32), _FIXED32
    ),
    **dict.fromkeys((FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_MESSAGE), _BYTES),
}


@dataclass
class Rule:
    """What may happen to one field."""

    name: str
    verdict: str
    wire: int
    packable: bool
    message: Shape | None = None
    enum: frozenset[int] | None = None


@dataclass
class Shape:
    """One message type, compiled from its descriptor and its row in the table."""

    name: str
    rules: dict[int, Rule] = field(default_factory=dict)


@dataclass(frozen=True)
class Walk:
    """What a request holds: how much of it, and which fields only the gateway itself may answer."""

    depth: int
    fields: int
    answered: tuple[str, ...]


def refuse(code: str, zh: str, en: str) -> Invalid:
    return Invalid(
        f"gateway.protocol.{code}",
        Words(zh, en),
        Words(
            "请只用沙箱内置的 PySpark 客户端和文档列出的用法",
            "Use the sandbox's own PySpark client and what the documentation lists",
        ),
    )


def short_name(full_name: str) -> str:
    return full_name.removeprefix(PREFIX)


@lru_cache(maxsize=1)
def shapes() -> Mapping[str, Shape]:
    """Every request message, compiled once."""
    compiled: dict[str, Shape] = {}
    for name, descriptor in base_pb2.DESCRIPTOR.message_types_by_name.items():
        if name.endswith("Request"):
            _compile(descriptor, compiled)
    for name in ("Relation", "Command"):
        _compile(
            base_pb2.Plan.DESCRIPTOR.fields_by_name["root" if name == "Relation" else "command"].message_type, compiled
        )
    return compiled


def _compile(descriptor: Descriptor, compiled: dict[str, Shape]) -> Shape:
    name = short_name(descriptor.full_name)
    if name in compiled:
        return compiled[name]
    shape = compiled[name] = Shape(name)
    row = MESSAGES.get(name)
    is_map_entry = descriptor.GetOptions().map_entry
    allowed = {"key", "value"} if is_map_entry else set(row.allow.split()) if row else set()
    verdicts = dict.fromkeys(allowed, "allow")
    if row:
        verdicts |= dict.fromkeys(row.answer.split(), "answer") | dict.fromkeys(row.zero.split(), "zero")
    for found in descriptor.fields:
        if found.name in verdicts:
            shape.rules[found.number] = _rule(found, verdicts[found.name], compiled)
        else:
            shape.rules[found.number] = Rule(found.name, "deny", -1, False)
    return shape


def _rule(found: FieldDescriptor, verdict: str, compiled: dict[str, Shape]) -> Rule:
    wire = _SCALAR_WIRE.get(found.type, _VARINT)
    rule = Rule(found.name, verdict, wire, found.is_repeated and wire != _BYTES)
    if found.message_type is not None:
        rule.message = _compile(found.message_type, compiled)
    if found.enum_type is not None:
        listed = ENUMS.get(short_name(found.enum_type.full_name), "")
        values = found.enum_type.values
        rule.enum = frozenset(v.number for v in values if listed == "*" or v.name in listed.split())
    return rule


def walk(data: bytes, message: str) -> Walk:
    """Check the bytes of one message. Raises Invalid for what is unknown or denied, TooLarge for what is too much."""
    stack: list[tuple[int, int, Shape]] = [(0, len(data), shapes()[message])]
    depth = count = 0
    answered: list[str] = []
    while stack:
        depth = max(depth, len(stack))
        position, end, shape = stack.pop()
        while position < end:
            count += 1
            if count > MAX_FIELDS or len(stack) > MAX_DEPTH:
                raise TooLarge(
                    "gateway.plan.too_complex",
                    Words(
                        "语句嵌套太深或太大,没有执行", "The statement is nested too deeply or too large; it did not run"
                    ),
                    Words(
                        "把它拆成几步,中间结果用临时视图命名",
                        "Split it into steps and name the parts as temporary views",
                    ),
                )
            key, position = _varint(data, position, end)
            rule = shape.rules.get(key >> 3)
            if rule is None:
                raise refuse(
                    "unknown",
                    f"请求里有不认识的字段({shape.name}.{key >> 3})",
                    f"Unknown field in the request ({shape.name}.{key >> 3})",
                )
            if rule.verdict == "deny":
                raise refuse("denied", *_denial(shape.name, rule.name))
            if rule.verdict == "answer":
                answered.append(f"{shape.name}.{rule.name}")
            start, stop, position = _value(data, position, end, key & 7, rule, shape.name)
            if rule.message is not None:
                stack.append((position, end, shape))
                position, end, shape = start, stop, rule.message
                depth = max(depth, len(stack) + 1)
    return Walk(depth, count, tuple(answered))


def _value(data: bytes, position: int, end: int, wire: int, rule: Rule, where: str) -> tuple[int, int, int]:
    """Return (start, stop) of a field's content and the position behind it."""
    if wire == _BYTES and (rule.wire == _BYTES or rule.packable):
        length, position = _varint(data, position, end)
        stop = position + length
        if stop > end:
            raise _truncated()
        if rule.enum is not None:
            _check_packed(data, position, stop, rule, where)
        return position, stop, stop
    if wire != rule.wire:
        raise refuse("wire", f"字段 {where}.{rule.name} 的编码不对", f"Field {where}.{rule.name} is encoded wrongly")
    if wire == _VARINT:
        number, stop = _varint(data, position, end)
        _check_enum(number, rule, where)
        if rule.verdict == "zero" and number:
            raise refuse("denied", *_denial(where, rule.name))
        return position, stop, stop
    stop = position + (8 if wire == _FIXED64 else 4)
    if stop > end:
        raise _truncated()
    return position, stop, stop


def _check_packed(data: bytes, position: int, stop: int, rule: Rule, where: str) -> None:
    while position < stop:
        number, position = _varint(data, position, stop)
        _check_enum(number, rule, where)


def _check_enum(number: int, rule: Rule, where: str) -> None:
    if rule.enum is not None and number not in rule.enum:
        raise refuse(
            "enum", f"字段 {where}.{rule.name} 的取值不允许", f"The value of {where}.{rule.name} is not allowed"
        )


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    result = shift = 0
    while position < end:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7
        if shift > 63:
            break
    raise _truncated()


def _truncated() -> Invalid:
    return refuse("malformed", "请求不完整或被改动过", "The request is incomplete or malformed")


def _denial(message: str, name: str) -> tuple[str, str]:
    """Words for what people really try; the rest is named by its protocol name."""
    known = _KNOWN.get(f"{message}.{name}") or _KNOWN.get(message)
    if known:
        return known
    return f"沙箱里不提供这一用法({message}.{name})", f"This is not available in the sandbox ({message}.{name})"


_CODE = (
    "不能把自己的代码送进计算引擎执行(UDF、mapInPandas 等);先取回结果,再用沙箱里的 pandas 处理",
    "Code of your own cannot run inside the engine (UDFs, mapInPandas and the like); fetch the result, use pandas",
)
_WRITES = (
    "沙箱不能写出数据;要带出成果,用 gongshu.release_table(...) 提出出域申请",
    "The sandbox cannot write data; to take a result out, ask for it with gongshu.release_table(...)",
)
_STREAMS = ("沙箱里不提供流式计算", "Streaming is not available in the sandbox")
_PATHS = (
    "不能按路径或外部数据源读取;请用 spark.table('库.表') 读取已授权的表",
    "Nothing can be read by path or external source; read granted tables with spark.table('db.table')",
)
_ML = (
    "计算引擎里不提供机器学习;取回汇总后用 scikit-learn",
    "Machine learning does not run in the engine; fetch and use scikit-learn",
)
_KNOWN: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        [
            "Relation.map_partitions",
            "Relation.group_map",
            "Relation.co_group_map",
            "Relation.apply_in_pandas_with_state",
            "Relation.common_inline_user_defined_table_function",
            "Relation.common_inline_user_defined_data_source",
            "Expression.common_inline_user_defined_function",
            "Command.register_function",
            "Command.register_table_function",
            "Command.register_data_source",
            "Expression.UnresolvedFunction.is_user_defined_function",
        ],
        _CODE,
    ),
    **dict.fromkeys(
        ["Command.write_operation", "Command.write_operation_v2", "Command.merge_into_table_command"], _WRITES
    ),
    **dict.fromkeys(
        [
            "Command.write_stream_operation_start",
            "Command.streaming_query_command",
            "Relation.with_watermark",
            "Read.is_streaming",
        ],
        _STREAMS,
    ),
    **dict.fromkeys(["Read.data_source", "Relation.parse", "Read.NamedTable.options"], _PATHS),
    **dict.fromkeys(["Command.ml_command", "Relation.ml_relation"], _ML),
}
