"""Registering, signing off and new versions, on the real database and the real store."""

from __future__ import annotations

import io
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gongshu.audit import UnitOfWork
from gongshu.catalogue import (
    NewDataset,
    VersionFacts,
    dataset_versions,
    deliver_version,
    ingest,
    register_dataset,
    return_version,
    sign_off,
)
from gongshu.errors import Conflict, Denied, Invalid, NotFound, Words
from gongshu.identity import (
    Actor,
    NewOrganisation,
    NewPerson,
    OrganisationKind,
    Role,
    create_organisation,
    create_person,
    find_actor,
)
from tests.conftest import NewWork
from tests.parts.store import Store

BUCKET = "gongshu-data"
COLUMNS = [
    {"name": "id", "category": "business", "level": "L1"},
    {"name": "guest", "category": "personal", "level": "L4", "comment_zh": "入住人"},
    {"name": "district", "category": "place", "level": "L1", "dimension": True},
]


def new_dataset(**changes: object) -> NewDataset:
    facts = {
        "name": "tourism.stays",
        "title_zh": "住宿登记",
        "title_en": "Stays",
        "provider": "tourism",
        "entity_column": "guest",
        "legal_grade": "一般数据",
        "sharing": "conditional",
        "opening": "conditional",
        "update_frequency": "daily",
        "registration_code": "4401-0001",
        "registration_valid_until": date(2027, 3, 1),
        "partition_by": ["district"],
        "columns": COLUMNS,
    }
    return NewDataset.model_validate({**facts, **changes})


def parquet(rows: int = 6) -> io.BytesIO:
    file = io.BytesIO()
    table = pa.table(
        {
            "id": list(range(rows)),
            "guest": [f"g{n}" for n in range(rows)],
            "district": ["440103" if n % 2 else "440104" for n in range(rows)],
        }
    )
    pq.write_table(table, file)
    file.seek(0)
    return file


@pytest.fixture
def people(new_work: NewWork) -> dict[str, Actor]:
    with new_work() as work:
        for code in ("tourism", "market"):
            create_organisation(
                work, "system:setup", NewOrganisation(code, Words(code, code), OrganisationKind.PROVIDER)
            )
        work.session.flush()
        for name, role, place in (
            ("luo", Role.STEWARD, "tourism"),
            ("deng", Role.STEWARD, "market"),
            ("jiang", Role.CDO, "tourism"),
        ):
            create_person(
                work, "system:setup", NewPerson(name, Words(name, name), place, "a long password", ((role, place),))
            )
        work.commit()
        return {name: find_actor(work.session, name) for name in ("luo", "deng", "jiang")}


def register(work: UnitOfWork, store: Store, actor: Actor, **changes: object) -> None:
    new = new_dataset(**changes)
    register_dataset(work, actor, new, ingest(store.client(), BUCKET, parquet(), new.name, new.partition_by, {}))
    work.commit()


def test_version_is_seen_by_others_only_after_another_person_signed_it_off(
    new_work: NewWork, store: Store, people: dict[str, Actor]
) -> None:
    with new_work() as work:
        register(work, store, people["luo"])
        assert dataset_versions(work.session, ["tourism.stays"]) == {}
        with pytest.raises(Denied):
            sign_off(work, people["luo"], "tourism.stays", 1)
        sign_off(work, people["jiang"], "tourism.stays", 1)
        receipts = work.commit()
        assert receipts
        version = dataset_versions(work.session, ["tourism.stays", "tourism.absent"])["tourism.stays"]
    assert (version.version, version.rows, version.entity_column) == (1, 6, "guest")
    assert [file.partition for file in version.files] == [{"district": "440103"}, {"district": "440104"}]
    assert version.column("guest").stored_bytes > 0 and version.column("district").stored_bytes == 0  # type: ignore[union-attr]
    stored = store.client().get_object(BUCKET, version.files[0].key, version_id=version.files[0].version_id)
    assert pq.read_table(io.BytesIO(stored.read())).num_rows == 3


def test_other_department_neither_registers_nor_signs(
    new_work: NewWork, store: Store, people: dict[str, Actor]
) -> None:
    with new_work() as work, pytest.raises(Denied):
        register(work, store, people["deng"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"legal_grade": "核心数据"}, "catalogue.grade.core"),
        ({"legal_grade": "important"}, "catalogue.grade.important"),
        ({"opening": "不予开放"}, "catalogue.opening.none"),
        ({"registration_valid_until": date(2026, 1, 1)}, "catalogue.registration.lapsed"),
        ({"entity_column": "nobody"}, "catalogue.entity.absent"),
        ({"columns": COLUMNS[:2]}, "catalogue.columns.differ"),
        ({"sharing": "maybe"}, "catalogue.sharing.unknown"),
    ],
)
def test_what_may_not_be_registered_names_its_rule(
    new_work: NewWork, store: Store, people: dict[str, Actor], changes: dict[str, object], code: str
) -> None:
    with new_work() as work, pytest.raises((Denied, Invalid)) as refused:
        register(work, store, people["luo"], **changes)
    assert refused.value.code == code


def test_returned_version_says_why_and_twice_the_same_file_is_refused(
    new_work: NewWork, store: Store, people: dict[str, Actor]
) -> None:
    with new_work() as work:
        register(work, store, people["luo"])
        with pytest.raises(Conflict):
            register(work, store, people["luo"])
        work.rollback()
        assert return_version(work, people["jiang"], "tourism.stays", 1, "级别过低").state == "draft"
        work.commit()
        with pytest.raises(Conflict):
            sign_off(work, people["jiang"], "tourism.stays", 1)
        work.rollback()
    with new_work() as work:
        again = ingest(store.client(), BUCKET, parquet(), "tourism.stays", [], {})
        with pytest.raises(Conflict) as same:
            deliver_version(work, people["luo"], "tourism.stays", VersionFacts(), again)
        assert same.value.code == "catalogue.version.same"


def test_new_version_keeps_the_description_and_the_old_files(
    new_work: NewWork, store: Store, people: dict[str, Actor]
) -> None:
    with new_work() as work:
        register(work, store, people["luo"])
        sign_off(work, people["jiang"], "tourism.stays", 1)
        work.commit()
        delivery = ingest(store.client(), BUCKET, parquet(8), "tourism.stays", ["district"], {})
        second = deliver_version(work, people["luo"], "tourism.stays", VersionFacts(), delivery)
        work.commit()
        assert (second.number, second.state, second.entity_column) == (2, "prepared", "guest")
        assert dataset_versions(work.session, ["tourism.stays"])["tourism.stays"].version == 1
        with pytest.raises(NotFound):
            sign_off(work, people["jiang"], "tourism.stays", 3)
