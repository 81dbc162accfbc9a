"""TPC-H (and one very wide table) as registered datasets, and its 22 queries as text."""

from __future__ import annotations

import datetime as dt
import importlib.util
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gongshu.authorization import NewScenario
from gongshu.catalogue import NewDataset, dataset_versions, ingest, register_dataset, sign_off
from gongshu.database import reading
from gongshu.errors import Words
from gongshu.identity import NewOrganisation, NewPerson, Role, create_organisation, create_person
from tests.integration.authorization import case_world
from tests.parts.rig import World
from tests.parts.store import Store

BUCKET = "gongshu-data"
WIDE_COLUMNS, WIDE_ROWS = 250, 20_000
TABLES = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")


def queries() -> dict[int, str]:
    """The 22 queries, from duckdb's extension."""
    spec = importlib.util.find_spec("duckdb_extension_tpch")
    assert spec is not None and spec.origin is not None
    extension = next(Path(spec.origin).parent.rglob("tpch.duckdb_extension"))
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute(f"LOAD '{extension}'")
    return dict(connection.execute("SELECT query_nr, query FROM tpch_queries()").fetchall())


def generate(folder: Path, scale: str) -> dict[str, Path]:
    """Parquet files of all tables; kept, so that a second run does not make them again."""
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        tool = Path(sys.executable).parent / "tpchgen-cli"
        subprocess.run([str(tool), "parquet", "-s", scale, f"--output-dir={folder}"], check=True)
        (folder / "done").touch()
    return {name: folder / f"{name}.parquet" for name in TABLES} | {"wide": _wide(folder)}


def _wide(folder: Path) -> Path:
    """A table of 250 columns, as departments have them."""
    path = folder / "wide.parquet"
    if not path.exists():
        numbers = pa.array(range(WIDE_ROWS), pa.int64())
        columns = {f"c{n}": pc.bit_wise_and(pc.add(numbers, n), 1023) for n in range(WIDE_COLUMNS)}
        pq.write_table(pa.table(columns), path)
    return path


def register(world: World, store: Store, files: dict[str, Path]) -> dict[str, list[str]]:
    """Register every table; sign one agreement over all rows and columns, and one with a row filter and masks.

    Returns the stored files of each table.
    """
    _people(world)
    for name, path in files.items():
        _register(world, store, name, path)
    _agree(world, "tpch-whole", [_request(name, path) for name, path in files.items()])
    governed = {
        "lineitem": {
            "row_filter": {"column": "l_shipmode", "op": "in", "values": ["AIR", "RAIL", "SHIP", "TRUCK"]},
            "masks": {"l_shipdate": {"kind": "truncate-to-month"}, "l_comment": {"kind": "replace-with-null"}},
        },
        "customer": {"masks": {"c_phone": {"kind": "show-last-4"}}},
    }
    _agree(world, "tpch-governed", [_request(name, path) | governed.get(name, {}) for name, path in files.items()])
    with reading(world.sessions) as session:
        found = dataset_versions(session, [f"tpch.{name}" for name in files])
    return {
        name.partition(".")[2]: [f"s3a://{version.bucket}/{file.key}" for file in version.files]
        for name, version in found.items()
    }


def _request(name: str, path: Path) -> dict[str, object]:
    columns = pq.read_schema(path).names
    return {"dataset": f"tpch.{name}", "columns": columns, "price": "tourism-flow.bytes", "reason": "bench"}


def _agree(world: World, code: str, asked: list[dict[str, object]]) -> None:
    quota = {"billable_bytes_per_day": 1 << 50, "statements_per_day": 1_000_000}
    new: NewScenario = case_world.application(code, purpose=f"bench {code}", title_zh=code, requests=asked, quota=quota)
    ids = case_world.apply(world.new_work, world.sessions, new)
    for one, number in zip(new.requests, ids, strict=True):
        with world.new_work() as work:
            verdicts = case_world.all_agreed(one.columns)
            case_world.decide_request(work, case_world.actor(world.sessions, "luo"), number, verdicts)
            work.commit()
    agreement = case_world.draft(world.new_work, world.sessions, new.code)
    for name in ("liang", "feng"):
        with world.new_work() as work:
            case_world.sign_agreement(work, case_world.actor(world.sessions, name), agreement)
            work.commit()


def _people(world: World) -> None:
    with world.new_work() as work:
        for code, (kind, duties) in case_world.ORGANISATIONS.items():
            create_organisation(work, "system:setup", NewOrganisation(code, Words(code, code), kind, duties=duties))
        work.session.flush()
        for name, (role, place) in case_world.PEOPLE.items():
            new = NewPerson(name, Words(name, name), place, "correct horse", ((role, place),))
            create_person(work, "system:setup", new)
        cdo = NewPerson("jiang", Words("jiang", "jiang"), "tourism", "correct horse", ((Role.CDO, "tourism"),))
        create_person(work, "system:setup", cdo)
        work.commit()


def _register(world: World, store: Store, name: str, path: Path) -> None:
    new = NewDataset.model_validate(
        {
            "name": f"tpch.{name}",
            "title_zh": name,
            "title_en": name,
            "provider": "tourism",
            "legal_grade": "一般数据",
            "sharing": "conditional",
            "opening": "conditional",
            "update_frequency": "daily",
            "registration_code": f"4401-{name}",
            "registration_valid_until": dt.date(2027, 12, 31),
            "partition_by": [],
            "columns": [
                {"name": column, "category": "business", "level": "L1"} for column in pq.read_schema(path).names
            ],
        }
    )
    with world.new_work() as work, path.open("rb") as file:
        delivery = ingest(store.client(), BUCKET, file, new.name, new.partition_by, {})
        register_dataset(work, case_world.actor(world.sessions, "luo"), new, delivery)
        work.commit()
    with world.new_work() as work:
        sign_off(work, case_world.actor(world.sessions, "jiang"), new.name, 1)
        work.commit()
