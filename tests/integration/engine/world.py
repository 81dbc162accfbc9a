"""A small world of local Parquet files, the grants over it, and hands to run what the engine secured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql.connect import proto
from pyspark.sql.connect.dataframe import DataFrame
from pyspark.sql.connect.proto import SparkConnectServiceStub
from pyspark.sql.connect.session import SparkSession

from gongshu.gateway.engine import Column, Engine, Mask, PinnedFile, SecuredPlan, SecuredRelation, SessionKey, ViewPlan

KEY = b"k" * 32
HIDDEN = "HIDDEN-MARKER"
OPEN_DISTRICTS = ("440103", "440104")

STAYS = [
    # stay, guest, phone, district, checkin, nights, spend, note
    (1, "G1", "13800000001", "440103", "2026-05-03", 1, 100, "10"),
    (2, "G1", "13800000001", "440103", "2026-05-20", 2, 250, "20"),
    (3, "G2", "13800000002", "440104", "2026-06-01", 3, 300, "30"),
    (4, "G3", "13800000003", "440104", "2026-07-09", 1, 50, "40"),
    (5, f"{HIDDEN}-5", "13900000005", f"{HIDDEN}-D", "2026-07-09", 9, 0, f"{HIDDEN}-note"),
    (6, f"{HIDDEN}-6", "13900000006", f"{HIDDEN}-E", "2026-07-10", 9, -7, f"{HIDDEN}-note2"),
]
STAY_COLUMNS = (
    Column("stay_id", "bigint", "入住编号"),
    Column("guest_id_no", "string"),
    Column("phone", "string"),
    Column("district", "string"),
    Column("checkin", "date"),
    Column("nights", "int"),
    Column("spend_yuan", "bigint"),
    Column("note", "string"),
)
FILTER = {"column": "district", "op": "in", "values": list(OPEN_DISTRICTS)}


@dataclass(frozen=True)
class World:
    stays: SecuredRelation
    """Not partitioned; filter on district; note is hidden."""
    parts: SecuredRelation
    """The same rows partitioned by district."""
    hotels: SecuredRelation

    @property
    def all(self) -> tuple[SecuredRelation, ...]:
        return self.stays, self.parts, self.hotels


def build_world(folder: Path) -> World:
    table = _stays_table()
    pq.write_table(table, folder / "stays.parquet")
    hotels = pa.table({"district": ["440103", "440104"], "hotel": ["甲", "乙"], "stars": pa.array([3, 5], pa.int32())})
    pq.write_table(hotels, folder / "hotels.parquet")
    stays = SecuredRelation(
        name_parts=("tourism", "stays"),
        dataset="tourism.stays",
        version=1,
        files=(_pinned(folder / "stays.parquet"),),
        columns=STAY_COLUMNS,
        partition_columns=(),
        allowed=(
            ("stay_id", None),
            ("guest_id_no", Mask("sha-256-keyed")),
            ("phone", Mask("show-last-4")),
            ("district", None),
            ("checkin", Mask("truncate-to-month")),
            ("nights", None),
            ("spend_yuan", Mask("bucket", 100)),
        ),
        row_filter=FILTER,
        mask_key=KEY,
        entity_column="guest_id_no",
    )
    return World(stays, _partitioned(folder, table, stays), _hotels(folder))


def _stays_table() -> pa.Table:
    columns = list(zip(*STAYS, strict=True))
    types = [pa.int64(), pa.string(), pa.string(), pa.string(), pa.string(), pa.int32(), pa.int64(), pa.string()]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)]
    table = pa.table(dict(zip([c.name for c in STAY_COLUMNS], arrays, strict=True)))
    return table.set_column(4, "checkin", table["checkin"].cast(pa.date32()))


def _partitioned(folder: Path, table: pa.Table, stays: SecuredRelation) -> SecuredRelation:
    files = []
    for district in sorted(set(table["district"].to_pylist())):
        rows = table.filter(pa.compute.equal(table["district"], district)).drop_columns(["district"])
        path = folder / f"district={district}" / "part.parquet"
        path.parent.mkdir()
        pq.write_table(rows, path)
        files.append(_pinned(path, {"district": district}))
    plain = tuple((name, None) for name, _ in stays.allowed)
    return replace(
        stays,
        name_parts=("tourism", "parts"),
        dataset="tourism.parts",
        files=tuple(files),
        partition_columns=("district",),
        allowed=plain,
    )


def _hotels(folder: Path) -> SecuredRelation:
    return SecuredRelation(
        name_parts=("tourism", "hotels"),
        dataset="tourism.hotels",
        version=3,
        files=(_pinned(folder / "hotels.parquet"),),
        columns=(Column("district", "string"), Column("hotel", "string"), Column("stars", "int")),
        partition_columns=(),
        allowed=(("district", None), ("hotel", None), ("stars", None)),
        row_filter=None,
    )


def _pinned(path: Path, partition: Mapping[str, str | None] | None = None) -> PinnedFile:
    return PinnedFile(f"file://{path}", path.stat().st_size, partition or {})


def sql(text: str) -> bytes:
    return proto.Plan(root=proto.Relation(sql=proto.SQL(query=text))).SerializeToString()


class Hands:
    """Secures plans in one session and runs their handles through Spark Connect, as the front does."""

    def __init__(self, engine: Engine, world: World, session: SessionKey) -> None:
        self.engine, self.world, self.session = engine, world, session
        host, port, self.token = engine.connect_endpoint
        self.channel = grpc.insecure_channel(f"{host}:{port}")
        self.stub = SparkConnectServiceStub(self.channel)
        # builds plans only; nothing listens there
        self.spark = SparkSession(connection="sc://localhost:1/")
        self.spark.client.set_retry_policies([])

    def close(self) -> None:
        self.channel.close()

    def table(self, name: str) -> DataFrame:
        return self.spark.table(name)

    def plan(self, statement: str | bytes | DataFrame) -> bytes:
        if isinstance(statement, str):
            return sql(statement)
        if isinstance(statement, bytes):
            return statement
        made: bytes = statement._plan.to_proto(self.spark.client).SerializeToString()
        return made

    def secure(
        self,
        statement: str | bytes | DataFrame,
        relations: Sequence[SecuredRelation] | None = None,
        views: Sequence[ViewPlan] = (),
    ) -> SecuredPlan:
        given = self.world.all if relations is None else relations
        return self.engine.secure(self.session, self.plan(statement), given, views)

    def rows(
        self,
        statement: str | bytes | DataFrame,
        relations: Sequence[SecuredRelation] | None = None,
        views: Sequence[ViewPlan] = (),
    ) -> list[dict[str, Any]]:
        return self.run(self.secure(statement, relations, views).handle)

    def run(self, handle: str, session: SessionKey | None = None) -> list[dict[str, Any]]:
        root = proto.Relation.FromString(self.engine.handle_relation(handle))
        return self.execute(proto.Plan(root=root), session)

    def execute(self, plan: Any, session: SessionKey | None = None, token: str | None = None) -> list[dict[str, Any]]:
        key = session or self.session
        request = proto.ExecutePlanRequest(session_id=key.session_id, plan=plan)
        request.user_context.user_id = key.user_id
        found: list[dict[str, Any]] = []
        metadata = [("authorization", f"Bearer {token or self.token}")]
        for response in self.stub.ExecutePlan(request, metadata=metadata, timeout=180):
            if response.HasField("arrow_batch"):
                with pa.ipc.open_stream(response.arrow_batch.data) as reader:
                    found.extend(reader.read_all().to_pylist())
        return found
