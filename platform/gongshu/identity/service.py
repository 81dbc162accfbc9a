"""The verbs of identity: who exists, who they are, and whether a password is theirs."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork
from gongshu.errors import Conflict, Invalid, NotFound, Words
from gongshu.identity.models import Appointment, Organisation, Person
from gongshu.identity.password import hash_password, password_matches
from gongshu.identity.roles import ROLE_HOMES, Actor, OrganisationKind, Role, require_compatible

# A person's name becomes part of a Hub user name `<person>--<scenario>`: letters and digits only.
NAME = re.compile(r"^[a-z][a-z0-9]{1,19}$")
CODE = re.compile(r"^[a-z][a-z0-9-]{1,39}$")
_UNKNOWN_PASSWORD = hash_password(secrets.token_hex(8))


@dataclass(frozen=True)
class NewOrganisation:
    code: str
    name: Words
    kind: OrganisationKind
    uscc: str = ""
    duties: tuple[str, ...] = ()


@dataclass(frozen=True)
class NewPerson:
    name: str
    display: Words
    organisation: str
    password: str
    appointments: tuple[tuple[Role, str], ...]
    language: str = "zh"


def create_organisation(work: UnitOfWork, by: str, new: NewOrganisation) -> None:
    """Create an organisation. by: pseudonym of who does it, or ``system:setup``."""
    if not CODE.match(new.code):
        raise Invalid(
            "identity.organisation.code",
            Words(
                "机构代码只能用小写字母、数字和连字符",
                "An organisation code has lower-case letters, digits and hyphens only",
            ),
        )
    if work.session.get(Organisation, new.code) is not None:
        raise Conflict(
            "identity.organisation.exists", Words(f"机构 {new.code} 已存在", f"Organisation {new.code} exists already")
        )
    row = Organisation(
        code=new.code,
        name_zh=new.name.zh,
        name_en=new.name.en,
        kind=new.kind.value,
        uscc=new.uscc,
        duties=list(new.duties),
    )
    work.session.add(row)
    work.record(
        Event(
            EventType.ORGANISATION_CREATED,
            actor=by,
            organisation=new.code,
            public={"kind": new.kind.value, "name": new.name.zh, "uscc": new.uscc, "duties": sorted(new.duties)},
        )
    )


def create_person(work: UnitOfWork, by: str, new: NewPerson) -> str:
    """Create a person with roles and return the pseudonym.

    Raises Invalid for a name or role that cannot be, Denied for roles that exclude one another.
    """
    if not NAME.match(new.name):
        raise Invalid(
            "identity.person.name",
            Words(
                "用户名为 2–20 个小写字母或数字,以字母开头",
                "A user name is 2–20 lower-case letters or digits, beginning with a letter",
            ),
        )
    if work.session.get(Person, new.name) is not None:
        raise Conflict(
            "identity.person.exists", Words(f"用户名 {new.name} 已被使用", f"The user name {new.name} is taken")
        )
    _require_homes(work.session, new.appointments)
    require_compatible(role for role, _ in new.appointments)
    pseudonym = "p-" + base64.b32encode(secrets.token_bytes(10)).decode().lower()
    row = Person(
        name=new.name,
        pseudonym=pseudonym,
        display_zh=new.display.zh,
        display_en=new.display.en,
        organisation=new.organisation,
        password_hash=hash_password(new.password),
        language=new.language,
        appointments=[Appointment(role=role.value, organisation=place) for role, place in new.appointments],
    )
    work.session.add(row)
    work.record(
        Event(
            EventType.PERSON_CREATED,
            actor=by,
            organisation=new.organisation,
            public={"person": pseudonym, "appointments": [f"{role.value}@{place}" for role, place in new.appointments]},
            private={"person": Private({"name": new.name, "display": new.display.zh}, audience=(new.organisation,))},
        )
    )
    return pseudonym


def _require_homes(session: Session, appointments: Iterable[tuple[Role, str]]) -> None:
    for role, place in appointments:
        organisation = session.get(Organisation, place)
        if organisation is None:
            raise NotFound(
                "identity.organisation.absent", Words(f"没有机构 {place}", f"There is no organisation {place}")
            )
        if OrganisationKind(organisation.kind) not in ROLE_HOMES[role]:
            raise Invalid(
                "identity.role.home",
                Words(
                    f"机构 {place} 里不能有职责 {role.value}",
                    f"The role {role.value} cannot exist in organisation {place}",
                ),
            )


def check_password(work: UnitOfWork, name: str, password: str) -> Actor | None:
    """Return who logs in, or None. Both outcomes are recorded; both take the same time."""
    person = work.session.get(Person, name) if NAME.match(name) else None
    matches = password_matches(password, person.password_hash if person else _UNKNOWN_PASSWORD)
    if person is None or not person.active or not matches:
        known = person.pseudonym if person else "unknown"
        work.record(Event(EventType.LOGIN_REFUSED, actor=known, organisation=person.organisation if person else ""))
        return None
    work.record(Event(EventType.LOGIN_SUCCEEDED, actor=person.pseudonym, organisation=person.organisation))
    return _to_actor(work.session, person)


def find_actor(session: Session, name: str) -> Actor:
    """The active person of that user name. Raises NotFound."""
    person = session.get(Person, name)
    if person is None or not person.active:
        raise NotFound("identity.person.absent", Words("没有这个用户", "There is no such person"))
    return _to_actor(session, person)


def find_by_pseudonym(session: Session, pseudonym: str) -> Actor:
    """The person behind a pseudonym. Raises NotFound."""
    person = session.scalars(select(Person).where(Person.pseudonym == pseudonym)).one_or_none()
    if person is None:
        raise NotFound("identity.person.absent", Words("没有这个用户", "There is no such person"))
    return _to_actor(session, person)


def people_of(session: Session, organisation: str | None = None) -> Sequence[Actor]:
    """All active people (of one organisation), by name."""
    query = select(Person).where(Person.active).order_by(Person.name)
    if organisation is not None:
        query = query.where(Person.organisation == organisation)
    return [_to_actor(session, person) for person in session.scalars(query)]


def find_organisation(session: Session, code: str) -> Organisation:
    """The organisation of that code. Raises NotFound."""
    organisation = session.get(Organisation, code)
    if organisation is None:
        raise NotFound("identity.organisation.absent", Words(f"没有机构 {code}", f"There is no organisation {code}"))
    return organisation


def organisations(session: Session) -> Sequence[Organisation]:
    """All organisations, by code."""
    return session.scalars(select(Organisation).order_by(Organisation.code)).all()


def _to_actor(session: Session, person: Person) -> Actor:
    home = session.get_one(Organisation, person.organisation)
    return Actor(
        name=person.name,
        pseudonym=person.pseudonym,
        display=Words(person.display_zh, person.display_en),
        organisation=home.code,
        organisation_name=Words(home.name_zh, home.name_en),
        organisation_kind=OrganisationKind(home.kind),
        duties=frozenset(home.duties),
        appointments=frozenset((Role(a.role), a.organisation) for a in person.appointments),
        language=person.language,
    )
