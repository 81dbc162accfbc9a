"""A small city for the tests of authorization: seven organisations, eleven people, two registered datasets."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from gongshu.authorization import (
    Attachment,
    NewScenario,
    Verdicts,
    attach_text,
    authorise_scenario,
    decide_request,
    draft_agreement,
    draft_scenario,
    sign_agreement,
    submit_scenario,
)
from gongshu.authorization.models import Agreement
from gongshu.catalogue import Column, Dataset, Version
from gongshu.database import Sessions
from gongshu.errors import Words
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

ORGANISATIONS = {
    "operator-a": (OrganisationKind.OPERATOR, ()),
    "operator-b": (OrganisationKind.OPERATOR, ()),
    "tourism": (OrganisationKind.PROVIDER, ()),
    "transport": (OrganisationKind.PROVIDER, ()),
    "principal": (OrganisationKind.AUTHORITY, ("principal",)),
    "agency": (OrganisationKind.AUTHORITY, ("agency",)),
    "county": (OrganisationKind.AUTHORITY, ("principal", "agency")),
}
PEOPLE = {
    "chen": (Role.ANALYST, "operator-a"),
    "liang": (Role.MANAGER, "operator-a"),
    "zhou": (Role.ANALYST, "operator-b"),
    "xie": (Role.MANAGER, "operator-b"),
    "luo": (Role.STEWARD, "tourism"),
    "he": (Role.STEWARD, "transport"),
    "song": (Role.OFFICER, "principal"),
    "feng": (Role.OFFICER, "agency"),
    "bao": (Role.OFFICER, "county"),
    "bin": (Role.OFFICER, "county"),
    "tang": (Role.REVIEWER, "agency"),
}
STAYS = {"stay_id": "string", "guest_id_no": "string", "district": "string", "checkin": "date", "nights": "int"}
TRIPS = {"trip_id": "string", "card_id": "string", "district": "string", "fare_fen": "bigint"}
OPINIONS = [
    Attachment(kind="legal-opinion", title="法律意见书", text="合法"),
    Attachment(kind="fair-competition", title="公平竞争审查", text="不限制竞争"),
]


def build_city(new_work: NewWork, sessions: Sessions) -> None:
    with new_work() as work:
        for code, (kind, duties) in ORGANISATIONS.items():
            create_organisation(work, "system:setup", NewOrganisation(code, Words(code, code), kind, duties=duties))
        for name, (role, place) in PEOPLE.items():
            new = NewPerson(name, Words(name, name), place, "correct horse", ((role, place),))
            create_person(work, "system:setup", new)
        work.commit()
    register(sessions, "tourism.stays", "tourism", STAYS, 1)
    register(sessions, "transit.trips", "transport", TRIPS, 2)


def register(sessions: Sessions, name: str, provider: str, columns: dict[str, str], number: int) -> None:
    """A signed-off version, as the catalogue keeps it."""
    at = datetime(2026, 11, 1, tzinfo=UTC)
    dataset = Dataset(
        name=name,
        number=number,
        provider=provider,
        title_zh=name,
        title_en=name,
        legal_grade="general",
        sharing="conditional",
        opening="conditional",
        update_frequency="monthly",
        registration_code="R-1",
        registration_valid_until=date(2027, 12, 31),
        created_at=at,
        entry_id="E",
    )
    version = Version(
        number=1,
        state="signed-off",
        digest="0" * 64,
        rows=10,
        bytes=100,
        base_key=name,
        partition_columns=[],
        original_key="o",
        original_sha256="0" * 64,
        original_bytes=1,
        original_format="csv",
        prepared_by="p",
        prepared_at=at,
        return_reason="",
        entry_id="E",
        columns=[
            Column(
                name=column,
                position=position,
                type=kind,
                comment_zh="",
                comment_en="",
                category="业务",
                level="L2",
                dimension=False,
                stored_bytes=10,
            )
            for position, (column, kind) in enumerate(columns.items())
        ],
    )
    dataset.versions.append(version)
    with sessions() as session:
        session.add(dataset)
        session.commit()


def actor(sessions: Sessions, name: str) -> Actor:
    with sessions() as session:
        return find_actor(session, name)


def application(code: str = "tourism-flow", **changes: Any) -> NewScenario:
    values: dict[str, Any] = {
        "code": code,
        "title_zh": "全域旅游客流分析",
        "title_en": "Tourist flows",
        "purpose": "按区按月分析客流",
        "beneficiary": "市民与游客",
        "output_kinds": ["table", "chart"],
        "term_months": 24,
        "analysts": ["chen"],
        "documents": [{"kind": "plan", "title": "实施方案", "text": "方案正文"}],
        "requests": [
            {
                "dataset": "tourism.stays",
                "columns": ["stay_id", "guest_id_no", "checkin", "nights"],
                "row_filter": {"column": "district", "op": "in", "values": ["440103", "440104"]},
                "masks": {"guest_id_no": {"kind": "sha-256-keyed"}, "checkin": {"kind": "truncate-to-month"}},
                "price": "tourism-flow.bytes",
                "reason": "客流统计",
            },
            {
                "dataset": "transit.trips",
                "columns": ["trip_id", "card_id", "fare_fen"],
                "masks": {"card_id": {"kind": "sha-256-keyed"}},
                "price": "tourism-flow.bytes",
                "reason": "到达方式",
            },
        ],
    }
    return NewScenario.model_validate({**values, **changes})


def all_agreed(columns: list[str]) -> Verdicts:
    return Verdicts(columns=dict.fromkeys(columns, "agree"))


def apply(
    new_work: NewWork, sessions: Sessions, new: NewScenario, by: str = "liang", *, demo: bool = False
) -> list[str]:
    """Draft and submit; the ids of the requests."""
    with new_work() as work:
        row = draft_scenario(work, actor(sessions, by), new, demo=demo)
        submit_scenario(work, actor(sessions, by), new.code)
        ids = [request.id for request in row.requests]
        work.commit()
    return ids


def agree_all(new_work: NewWork, sessions: Sessions, new: NewScenario, ids: list[str]) -> None:
    stewards = {"tourism.stays": "luo", "transit.trips": "he"}
    for asked, number in zip(new.requests, ids, strict=True):
        with new_work() as work:
            decide_request(work, actor(sessions, stewards[asked.dataset]), number, all_agreed(asked.columns))
            work.commit()


def draft(new_work: NewWork, sessions: Sessions, code: str) -> str:
    """Authorise, attach the opinions, draft the agreement; its id."""
    with new_work() as work:
        authorise_scenario(work, actor(sessions, "song"), code)
        work.commit()
    with new_work() as work:
        feng = actor(sessions, "feng")
        for one in OPINIONS:
            scenario = own_row(work.session, code)
            attach_text(work, feng, scenario, one.kind, one.title, one.text)
        agreement = draft_agreement(work, feng, code)
        work.commit()
        return agreement.id


def own_row(session: Any, code: str) -> Any:
    from gongshu.authorization.models import Scenario  # only the factory looks at rows

    return session.get_one(Scenario, code)


def signed(
    new_work: NewWork, sessions: Sessions, new: NewScenario | None = None, *, by: str = "liang", demo: bool = False
) -> Agreement:
    """The whole way to a binding agreement, each step by the person who does it."""
    new = new or application()
    ids = apply(new_work, sessions, new, by, demo=demo)
    agree_all(new_work, sessions, new, ids)
    number = draft(new_work, sessions, new.code)
    for name in (by, "feng"):
        with new_work() as work:
            agreement = sign_agreement(work, actor(sessions, name), number)
            work.commit()
    return agreement
