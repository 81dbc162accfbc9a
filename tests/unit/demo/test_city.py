"""The invented city: valid identifiers that belong to nobody, the same rows every time."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
from stdnum.cn import ric, uscc

from demo.city import datasets, identifiers
from demo.people import PEOPLE, first_accounts
from demo.registrations import REGISTRATIONS
from demo.scenarios import SCENARIOS
from gongshu.identity import Role
from gongshu.identity.roles import require_compatible


def test_identifiers_are_valid_and_different() -> None:
    rng = np.random.default_rng(1)
    persons = identifiers.persons(rng, 500).to_pylist()
    companies = identifiers.companies(rng, np.full(500, 440103)).to_pylist()
    assert len(set(persons)) == len(set(companies)) == 500
    assert all(ric.is_valid(number) for number in persons)
    assert all(uscc.is_valid(code) for code in companies)


def test_nobody_alive_has_such_a_number() -> None:
    numbers = identifiers.persons(np.random.default_rng(2), 500).to_pylist()
    assert {number[:6] for number in numbers} == {"440121"}
    assert all("1870" <= number[6:10] < "1900" for number in numbers)
    assert all(p.startswith("140") for p in identifiers.phones(np.random.default_rng(3), 50).to_pylist())


def test_the_same_seed_gives_the_same_rows() -> None:
    assert datasets.stays(2000).equals(datasets.stays(2000))
    assert datasets.companies(2000).equals(datasets.companies(2000))


def test_the_forms_name_the_columns_of_the_tables_in_order() -> None:
    tables = {
        "business.companies": datasets.companies(50),
        "hotline.tickets": datasets.tickets(50),
        "transit.trips": datasets.trips(50),
        "tourism.stays": datasets.stays(50),
    }
    forms = {one.name: [column["name"] for column in one.meta()["columns"]] for one in REGISTRATIONS}
    for name, table in tables.items():
        assert forms[name] == table.column_names
    asked = {(r["dataset"], column) for s in SCENARIOS.values() for r in s["requests"] for column in r["columns"]}
    assert all(column in forms[dataset] for dataset, column in asked)
    withheld = {"sched_dep_time", "sched_arr_time", "arr_time", "minute", "id_no", "caller_phone", "content"}
    assert not withheld & {column for _, column in asked}


def test_companies_in_business_have_staff_and_power_and_others_none() -> None:
    table = datasets.companies(5000)
    closed = table.filter(pc.not_equal(table["status"], "在营"))
    assert pc.sum(closed["insured_staff"]).as_py() == 0 == pc.sum(closed["electricity_kwh"]).as_py()


def test_nobody_of_the_demo_holds_two_excluding_duties() -> None:
    for _, _, _, role, places in PEOPLE:
        require_compatible(Role(role) for _ in places)
    passwords = [person["password"] for person in first_accounts()["people"]]
    assert len(set(passwords)) == len(PEOPLE) == 18
