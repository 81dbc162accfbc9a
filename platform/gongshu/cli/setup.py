"""First things, before anyone can log in: the database's tables, the first organisations and people.

Runs as the owner role once, by whoever installs; everything it creates is an entry of the log.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gongshu.audit import UnitOfWork, Vault
from gongshu.clock import SystemClock
from gongshu.database import open_engine, open_sessions, reading
from gongshu.errors import Invalid, Words
from gongshu.identity import (
    NewOrganisation,
    NewPerson,
    OrganisationKind,
    Role,
    create_organisation,
    create_person,
    organisations,
)
from gongshu.migrations import migrate
from gongshu.settings import Settings, settings

verbs = typer.Typer(no_args_is_help=True)


@verbs.command()
def database() -> None:
    """Bring the database to the newest state (as the owner role). Idempotent."""
    migrate(_database_url(settings()))


@verbs.command()
def accounts(file: Annotated[Path, typer.Argument(help="JSON: {organisations: […], people: […]}")]) -> None:
    """Create the first organisations and people; refuses when there are any.

    organisations: {code, name_zh, name_en, kind, uscc, duties}. people: {name, display_zh, display_en,
    organisation, password, appointments: [[role, organisation]]}.
    """
    configuration = settings()
    if configuration.payload_key_file is None:
        raise Invalid("settings.missing", Words("配置里没有 payload_key_file", "The settings hold no payload_key_file"))
    sessions = open_sessions(open_engine(_database_url(configuration), answer_seconds=35))
    with reading(sessions) as session:
        if organisations(session):
            raise Invalid(
                "setup.accounts.exist",
                Words(
                    "已有机构和账户,初始账户只能建一次。", "There are accounts already; the first ones are made once."
                ),
                Words("请在门户里管理人员", "Manage people in the portal"),
            )
    world = json.loads(file.read_text())
    vault = Vault.from_file(configuration.payload_key_file)
    with UnitOfWork(sessions, writer="setup", clock=SystemClock(), vault=vault) as work:
        for raw in world["organisations"]:
            create_organisation(work, "system:setup", _organisation(raw))
            work.session.flush()
        for raw in world["people"]:
            create_person(work, "system:setup", _person(raw))
        work.commit()
    print(f"{len(world['organisations'])} 个机构 organisations, {len(world['people'])} 人 people")


def _database_url(configuration: Settings) -> str:
    if configuration.database is None:
        raise Invalid("settings.missing", Words("配置里没有数据库", "The settings hold no database"))
    return configuration.database.url


def _organisation(raw: dict[str, object]) -> NewOrganisation:
    duties = raw.get("duties", [])
    assert isinstance(duties, list)
    return NewOrganisation(
        code=str(raw["code"]),
        name=Words(str(raw["name_zh"]), str(raw["name_en"])),
        kind=OrganisationKind(str(raw["kind"])),
        uscc=str(raw.get("uscc", "")),
        duties=tuple(str(duty) for duty in duties),
    )


def _person(raw: dict[str, object]) -> NewPerson:
    appointments = raw["appointments"]
    assert isinstance(appointments, list)
    return NewPerson(
        name=str(raw["name"]),
        display=Words(str(raw["display_zh"]), str(raw["display_en"])),
        organisation=str(raw["organisation"]),
        password=str(raw["password"]),
        appointments=tuple((Role(role), str(place)) for role, place in appointments),
    )
