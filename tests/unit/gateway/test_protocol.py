"""The table names everything a client can send, and nothing that does not exist."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor import Descriptor
from pyspark.sql.connect import proto
from pyspark.sql.connect.proto import base_pb2

from gongshu.errors import GongshuError
from gongshu.gateway import protocol, wire


def _reachable() -> dict[str, Descriptor]:
    service = base_pb2.DESCRIPTOR.services_by_name["SparkConnectService"]
    todo = [method.input_type for method in service.methods if protocol.PROCEDURES[method.name] != "deny"]
    found: dict[str, Descriptor] = {}
    while todo:
        descriptor = todo.pop()
        name = wire.short_name(descriptor.full_name)
        if name in found:
            continue
        found[name] = descriptor
        row = protocol.MESSAGES.get(name)
        passed = None if row is None or descriptor.GetOptions().map_entry else {*row.allow.split(), *row.answer.split()}
        todo += [f.message_type for f in descriptor.fields if f.message_type and (passed is None or f.name in passed)]
    return found


def test_every_procedure_is_classified() -> None:
    service = base_pb2.DESCRIPTOR.services_by_name["SparkConnectService"]
    assert {method.name for method in service.methods} == set(protocol.PROCEDURES)


def test_every_reachable_field_is_classified_exactly_once() -> None:
    for name, descriptor in _reachable().items():
        if descriptor.GetOptions().map_entry:
            continue
        row = protocol.MESSAGES[name]
        named = f"{row.allow} {row.answer} {row.zero} {row.deny}".split()
        assert sorted(named) == sorted(f.name for f in descriptor.fields), name


def test_the_table_names_nothing_unreachable() -> None:
    assert set(protocol.MESSAGES) == {n for n, d in _reachable().items() if not d.GetOptions().map_entry}


def test_every_enum_that_passes_is_listed() -> None:
    enums = {
        wire.short_name(f.enum_type.full_name)
        for name, d in _reachable().items()
        for f in d.fields
        if f.enum_type is not None
        and f.name in f"{protocol.MESSAGES[name].allow} {protocol.MESSAGES[name].answer}".split()
    }
    assert enums == set(protocol.ENUMS)


def _plan(relation: proto.Relation) -> bytes:
    return proto.ExecutePlanRequest(session_id="s", plan=proto.Plan(root=relation)).SerializeToString()


def _table(name: str = "tourism.stays") -> proto.Relation:
    return proto.Relation(read=proto.Read(named_table=proto.Read.NamedTable(unparsed_identifier=name)))


def test_an_ordinary_plan_passes() -> None:
    seen = wire.walk(_plan(proto.Relation(limit=proto.Limit(input=_table(), limit=3))), "ExecutePlanRequest")
    assert seen.answered == ()
    assert seen.depth == 7


@pytest.mark.parametrize(
    ("relation", "code"),
    [
        (
            proto.Relation(read=proto.Read(data_source=proto.Read.DataSource(format="csv", paths=["/etc/passwd"]))),
            "denied",
        ),
        (proto.Relation(read=proto.Read(named_table=_table().read.named_table, is_streaming=True)), "denied"),
        (proto.Relation(cached_remote_relation=proto.CachedRemoteRelation(relation_id="x")), "denied"),
        (proto.Relation(map_partitions=proto.MapPartitions(input=_table())), "denied"),
    ],
)
def test_a_denied_relation_is_refused_at_any_depth(relation: proto.Relation, code: str) -> None:
    for wrapped in (relation, proto.Relation(limit=proto.Limit(input=relation, limit=1))):
        with pytest.raises(GongshuError) as caught:
            wire.walk(_plan(wrapped), "ExecutePlanRequest")
        assert caught.value.code == f"gateway.protocol.{code}"


def test_an_unknown_field_is_refused_at_any_depth() -> None:
    inner = _table().SerializeToString() + b"\xf2\x3f\x01x"  # field 1022, length-delimited
    assert proto.Relation.FromString(inner).read.named_table.unparsed_identifier  # protobuf itself keeps it
    limit = b"\x0a" + bytes([len(inner)]) + inner
    relation = b"\x3a" + bytes([len(limit)]) + limit
    with pytest.raises(GongshuError, match="unknown"):
        wire.walk(relation, "Relation")


def test_an_enum_number_nobody_knows_is_refused() -> None:
    join = proto.Relation(join=proto.Join(left=_table(), right=_table(), join_type=proto.Join.JoinType.JOIN_TYPE_INNER))
    data = join.SerializeToString().replace(b"\x20\x01", b"\x20\x63")
    with pytest.raises(GongshuError, match="enum"):
        wire.walk(data, "Relation")


def test_deep_nesting_is_refused_and_does_not_crash() -> None:
    data = _table().SerializeToString()
    for _ in range(30_000):
        inner = b"\x0a" + _length(data) + data
        data = b"\x3a" + _length(inner) + inner
        if len(data) > 400_000:
            break
    with pytest.raises(GongshuError, match="too_complex"):
        wire.walk(data, "Relation")


def _length(data: bytes) -> bytes:
    number, out = len(data), b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


@pytest.mark.parametrize("data", [b"\x0a\xff", b"\x0b", b"\xff" * 12, b"\x0a\x05abc"])
def test_malformed_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(GongshuError):
        wire.walk(data, "ExecutePlanRequest")
