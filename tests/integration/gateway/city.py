"""The world of the gateway's tests: registered data with planted markers, signed agreements over part of it.

Every hidden row, column, value and table holds HIDDEN: it must never appear in any byte of any response.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from gongshu.authorization import NewScenario
from gongshu.catalogue import NewDataset, ingest, register_dataset, sign_off
from gongshu.database import Sessions
from gongshu.errors import Words
from gongshu.identity import NewOrganisation, NewPerson, Role, create_organisation, create_person
from tests.conftest import NewWork
from tests.integration.authorization.case_world import ORGANISATIONS, PEOPLE, actor, application, signed
from tests.parts.store import Store

HIDDEN = "HIDDENMARKER"
OPEN = ("440103", "440104")
BUCKET = "gongshu-data"


@dataclass(frozen=True)
class Table:
    name: str
    provider: str
    steward: str
    data: pa.Table
    entity: str | None = None
    partition_by: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()


def stays(rows: int = 400) -> pa.Table:
    """Half of the rows lie in hidden districts and hold the marker in every text."""
    open_row = [n % 2 == 0 for n in range(rows)]
    district = [OPEN[n // 2 % 2] if seen else f"{HIDDEN}{n % 3}" for n, seen in enumerate(open_row)]
    day = dt.date(2026, 1, 1)
    return pa.table(
        {
            "stay_id": [f"S{n}" if seen else f"{HIDDEN}-stay-{n}" for n, seen in enumerate(open_row)],
            "guest_id_no": [f"G{n % 40}" if seen else f"{HIDDEN}-guest-{n}" for n, seen in enumerate(open_row)],
            "district": district,
            "checkin": pa.array([day + dt.timedelta(days=n % 365) for n in range(rows)], pa.date32()),
            "nights": pa.array([n % 5 + 1 if seen else 0 for n, seen in enumerate(open_row)], pa.int32()),
            "spend_yuan": pa.array([n * 10 for n in range(rows)], pa.int64()),
            "note": [f"{HIDDEN}-note-{n}" for n in range(rows)],
        }
    )


def trips(rows: int = 300) -> pa.Table:
    return pa.table(
        {
            "trip_id": [f"T{n}" for n in range(rows)],
            "card_id": [f"{HIDDEN}-card-{n % 50}" for n in range(rows)],
            "district": [OPEN[n % 2] for n in range(rows)],
            "fare_fen": pa.array([200 + n for n in range(rows)], pa.int64()),
        }
    )


def secrets_table() -> pa.Table:
    return pa.table({"id": ["1", "2"], "word": [f"{HIDDEN}-a", f"{HIDDEN}-b"]})


TABLES = (
    Table("tourism.stays", "tourism", "luo", stays(), "guest_id_no", ("district",), ("district", "nights")),
    Table("transit.trips", "transport", "he", trips(), "card_id", (), ("district",)),
    Table("tourism.secrets", "tourism", "luo", secrets_table()),
)
FLOW = {
    "requests": [
        {
            "dataset": "tourism.stays",
            "columns": ["stay_id", "guest_id_no", "district", "checkin", "nights", "spend_yuan"],
            "row_filter": {"column": "district", "op": "in", "values": list(OPEN)},
            "masks": {"guest_id_no": {"kind": "sha-256-keyed"}, "checkin": {"kind": "truncate-to-month"}},
            "price": "tourism-flow.bytes",
            "reason": "客流统计",
        },
        {
            "dataset": "transit.trips",
            "columns": ["trip_id", "card_id", "district", "fare_fen"],
            "masks": {"card_id": {"kind": "sha-256-keyed"}},
            "price": "tourism-flow.bytes",
            "reason": "到达方式",
        },
    ]
}


def build(new_work: NewWork, sessions: Sessions, store: Store) -> None:
    """Organisations, people, data in the store, and two signed agreements (operator-a, operator-b)."""
    with new_work() as work:
        for code, (kind, duties) in ORGANISATIONS.items():
            create_organisation(work, "system:setup", NewOrganisation(code, Words(code, code), kind, duties=duties))
        work.session.flush()
        for name, (role, place) in PEOPLE.items():
            new = NewPerson(name, Words(name, name), place, "correct horse", ((role, place),))
            create_person(work, "system:setup", new)
        cdo = ((Role.CDO, "tourism"), (Role.CDO, "transport"))
        create_person(
            work, "system:setup", NewPerson("jiang", Words("jiang", "jiang"), "tourism", "correct horse", cdo)
        )
        work.commit()
    for table in TABLES:
        register(new_work, sessions, store, table)
    signed(new_work, sessions, application(**FLOW))
    other = {"code": "night-bus", "analysts": ["zhou"], "requests": FLOW["requests"][1:]}
    signed(new_work, sessions, application(**other), by="xie")


def register(new_work: NewWork, sessions: Sessions, store: Store, table: Table) -> None:
    file = io.BytesIO()
    pq.write_table(table.data, file)
    file.seek(0)
    new = NewDataset.model_validate(
        {
            "name": table.name,
            "title_zh": table.name,
            "title_en": table.name,
            "provider": table.provider,
            "entity_column": table.entity,
            "legal_grade": "一般数据",
            "sharing": "conditional",
            "opening": "conditional",
            "update_frequency": "daily",
            "registration_code": f"4401-{table.name}",
            "registration_valid_until": dt.date(2027, 12, 31),
            "partition_by": list(table.partition_by),
            "columns": [
                {"name": name, "category": "business", "level": "L2", "dimension": name in table.dimensions}
                for name in table.data.column_names
            ],
        }
    )
    with new_work() as work:
        delivery = ingest(store.client(), BUCKET, file, new.name, new.partition_by, {})
        register_dataset(work, actor(sessions, table.steward), new, delivery)
        work.commit()
    with new_work() as work:
        sign_off(work, actor(sessions, "jiang"), table.name, 1)
        work.commit()


__all__ = ["HIDDEN", "NewScenario", "build"]
