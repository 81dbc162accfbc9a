"""People and organisations on a real PostgreSQL, with their entries."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from gongshu.audit import UnrecordedChange
from gongshu.audit.models import LogEntry
from gongshu.database import Sessions
from gongshu.errors import Conflict, Denied, Invalid, Words
from gongshu.identity import (
    NewOrganisation,
    NewPerson,
    OrganisationKind,
    Role,
    check_password,
    create_organisation,
    create_person,
    find_actor,
)
from gongshu.identity.models import Organisation
from tests.conftest import NewWork


def _agency(new_work: NewWork) -> None:
    with new_work() as work:
        create_organisation(
            work,
            "system:setup",
            NewOrganisation("agency", Words("政数局", "Agency"), OrganisationKind.AUTHORITY, duties=("agency",)),
        )
        work.commit()


def _person(*roles: Role) -> NewPerson:
    return NewPerson("tang", Words("唐", "Tang"), "agency", "correct horse", tuple((role, "agency") for role in roles))


def test_person_logs_in_with_the_right_password_only_and_both_are_logged(new_work: NewWork, sessions: Sessions) -> None:
    _agency(new_work)
    with new_work() as work:
        create_person(work, "system:setup", _person(Role.REVIEWER))
        work.commit()
    with new_work() as work:
        assert check_password(work, "tang", "wrong") is None
        assert check_password(work, "nobody", "wrong") is None
        actor = check_password(work, "tang", "correct horse")
        work.commit()
    assert actor is not None and actor.has(Role.REVIEWER, "agency")
    with sessions() as session:
        events = session.scalars(select(LogEntry.event).order_by(LogEntry.index)).all()
        assert find_actor(session, "tang") == actor
    assert events[2:] == ["identity.login.refused", "identity.login.refused", "identity.login.succeeded"]


def test_reviewer_cannot_also_be_officer(new_work: NewWork) -> None:
    _agency(new_work)
    with new_work() as work, pytest.raises(Denied, match="exclude"):
        create_person(work, "system:setup", _person(Role.REVIEWER, Role.OFFICER))


def test_role_must_fit_the_kind_of_organisation(new_work: NewWork) -> None:
    _agency(new_work)
    with new_work() as work, pytest.raises(Invalid, match="home"):
        create_person(work, "system:setup", _person(Role.ANALYST))


def test_same_code_twice_is_a_conflict(new_work: NewWork) -> None:
    _agency(new_work)
    with pytest.raises(Conflict):
        _agency(new_work)


def test_change_without_an_event_is_refused_and_leaves_nothing(new_work: NewWork, sessions: Sessions) -> None:
    with new_work() as work:
        work.session.add(
            Organisation(code="ghost", name_zh="鬼", name_en="Ghost", kind="authority", uscc="", duties=[])
        )
        with pytest.raises(UnrecordedChange):
            work.commit()
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Organisation)) == 0
