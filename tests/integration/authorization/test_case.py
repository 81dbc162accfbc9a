"""A case from application to grant on a real PostgreSQL: who may do which step, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from psycopg import Connection
from pydantic import ValidationError
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import ProgrammingError

from gongshu.audit import UnitOfWork, Vault
from gongshu.audit.models import LogEntry
from gongshu.authorization import (
    NewScenario,
    Verdicts,
    agreements_of,
    attach_text,
    authorise_scenario,
    decide_request,
    draft_agreement,
    draft_scenario,
    find_agreement,
    find_request,
    find_scenario,
    freeze_organisation,
    grants_in_force,
    is_frozen,
    revoke_agreement,
    sign_agreement,
    submit_scenario,
    unfreeze_organisation,
)
from gongshu.authorization.case import acts_of
from gongshu.authorization.scenarios import scenario_row
from gongshu.clock import SettableClock
from gongshu.database import Sessions, open_engine, open_sessions
from gongshu.errors import Conflict, Denied, Invalid, NotFound
from gongshu.identity import Actor
from tests.conftest import NewWork
from tests.integration.authorization import case_world as world

NUMBERS = count(1)


@pytest.fixture(autouse=True)
def city(new_work: NewWork, sessions: Sessions) -> None:
    world.build_city(new_work, sessions)


def test_two_signatures_compile_the_grants(new_work: NewWork, sessions: Sessions, clock: SettableClock) -> None:
    agreement = world.signed(new_work, sessions)
    assert agreement.number == "示数授〔2026〕1号"
    with sessions() as session:
        chen = world.actor(sessions, "chen")
        grants = grants_in_force(session, chen.pseudonym, "tourism-flow", clock.now())
        stays = next(grant for grant in grants if grant.dataset == "tourism.stays")
        assert [grant.grant for grant in grants] == ["G-2026-0001", "G-2026-0002"]
        assert stays.valid_until == datetime(2028, 11, 22, 9, tzinfo=UTC)
        assert stays.snapshot()["row_filter"] == {"column": "district", "op": "in", "values": ["440103", "440104"]}
        assert stays.snapshot()["masks"]["guest_id_no"] == {"kind": "sha-256-keyed"}
        assert stays.clauses["term"] == "第九条" and stays.clauses["row_filter"] == "第三条第二款"
        assert not grants_in_force(session, world.actor(sessions, "zhou").pseudonym, "tourism-flow", clock.now())
        events = session.scalars(
            select(LogEntry.event).where(LogEntry.event.like("authorization.%")).order_by(LogEntry.index)
        )
        assert list(events)[-3:] == [
            "authorization.agreement.signed",
            "authorization.agreement.signed",
            "authorization.agreement.compiled",
        ]


def test_one_signature_grants_nothing(new_work: NewWork, sessions: Sessions, clock: SettableClock) -> None:
    new = world.application()
    world.agree_all(new_work, sessions, new, world.apply(new_work, sessions, new))
    number = world.draft(new_work, sessions, new.code)
    with new_work() as work:
        sign_agreement(work, world.actor(sessions, "liang"), number)
        work.commit()
    with sessions() as session:
        assert grants_in_force(session, None, new.code, clock.now()) == []
    with new_work() as work, pytest.raises(Conflict, match="already"):
        sign_agreement(work, world.actor(sessions, "liang"), number)
    for name in ("song", "luo", "tang"):
        with new_work() as work, pytest.raises((Denied, NotFound)):
            sign_agreement(work, world.actor(sessions, name), number)


def test_nothing_is_signed_without_the_opinions(new_work: NewWork, sessions: Sessions) -> None:
    new = world.application()
    world.agree_all(new_work, sessions, new, world.apply(new_work, sessions, new))
    with new_work() as work:
        authorise_scenario(work, world.actor(sessions, "song"), new.code)
        agreement = draft_agreement(work, world.actor(sessions, "feng"), new.code)
        work.commit()
        number = agreement.id
    with new_work() as work, pytest.raises(Conflict, match="法律意见书、公平竞争审查意见"):
        sign_agreement(work, world.actor(sessions, "liang"), number)


def test_vetoed_columns_never_reach_the_grant(new_work: NewWork, sessions: Sessions, clock: SettableClock) -> None:
    new = world.application(requests=[world.application().requests[0].model_dump()])
    (number,) = world.apply(new_work, sessions, new)
    luo = world.actor(sessions, "luo")
    verdicts = {"stay_id": "agree", "guest_id_no": "veto", "checkin": "agree", "nights": "agree"}
    with new_work() as work, pytest.raises(Invalid, match="reason"):
        decide_request(work, luo, number, Verdicts.model_validate({"columns": verdicts}))
    with new_work() as work, pytest.raises(Invalid, match="nights"):
        decide_request(
            work, luo, number, Verdicts(columns={"stay_id": "agree", "guest_id_no": "agree", "checkin": "agree"})
        )
    with new_work() as work:
        masks = {"checkin": {"kind": "truncate-to-year"}}
        decide_request(
            work, luo, number, Verdicts.model_validate({"columns": verdicts, "masks": masks, "reason": "身份证号不给"})
        )
        work.commit()
    with new_work() as work, pytest.raises(Conflict, match="decided"):
        decide_request(work, luo, number, world.all_agreed(list(verdicts)))
    key = world.draft(new_work, sessions, new.code)
    for name in ("feng", "liang"):
        with new_work() as work:
            sign_agreement(work, world.actor(sessions, name), key)
            work.commit()
    with sessions() as session:
        (grant,) = grants_in_force(session, None, new.code, clock.now())
    assert grant.columns == ("stay_id", "checkin", "nights")
    assert grant.masks == {"checkin": {"kind": "truncate-to-year"}}


def test_steps_belong_to_their_duty(new_work: NewWork, sessions: Sessions) -> None:
    new = world.application()
    ids = world.apply(new_work, sessions, new)
    with new_work() as work, pytest.raises(NotFound):  # another department's request
        decide_request(work, world.actor(sessions, "he"), ids[0], world.all_agreed(new.requests[0].columns))
    with new_work() as work, pytest.raises(Conflict):  # before the departments decided
        authorise_scenario(work, world.actor(sessions, "song"), new.code)
    world.agree_all(new_work, sessions, new, ids)
    with new_work() as work, pytest.raises(Denied):  # the agency signs, it does not authorise
        authorise_scenario(work, world.actor(sessions, "feng"), new.code)
    with new_work() as work:
        authorise_scenario(work, world.actor(sessions, "song"), new.code)
        work.commit()
    with new_work() as work, pytest.raises(Denied):  # the office authorises, it does not draft
        draft_agreement(work, world.actor(sessions, "song"), new.code)


def test_another_company_reads_as_absent(new_work: NewWork, sessions: Sessions) -> None:
    agreement = world.signed(new_work, sessions)
    for name in ("xie", "zhou"):
        other = world.actor(sessions, name)
        with sessions() as session:
            with pytest.raises(NotFound):
                find_scenario(session, other, "tourism-flow")
            with pytest.raises(NotFound):
                find_agreement(session, other, agreement.id)
            with pytest.raises(NotFound):
                find_request(session, other, "Q-2026-0001")


def test_bad_applications_are_refused_and_nothing_is_kept(new_work: NewWork, sessions: Sessions) -> None:
    liang = world.actor(sessions, "liang")
    one = world.application().requests[0].model_dump()
    bad = {
        "too_long": {"term_months": 61},
        "not_demo": {"term_months": None, "term_minutes": 5},
        "authorization.term.term": {"term_months": None},
        "analyst.unknown": {"analysts": ["zhou"]},
        "dataset.absent": {"requests": [{**one, "dataset": "tourism.secret"}]},
        "dataset.repeated": {"requests": [one, one]},
        "column.absent": {"requests": [{**one, "columns": ["stay_id", "drop table"], "masks": {}}]},
        "policy.mask": {"requests": [{**one, "masks": {"nights": {"kind": "sha-256-keyed"}}}]},
        "policy.row_filter": {"requests": [{**one, "row_filter": {"column": "district", "op": "like", "value": "%"}}]},
    }
    for code, change in bad.items():
        with new_work() as work, pytest.raises(Invalid, match=code):
            draft_scenario(work, liang, world.application(**change))
    for change in ({"code": "a--b"}, {"code": "Flow"}, {"requests": []}, {"quota": {"statements_per_day": -1}}):
        with pytest.raises(ValidationError):
            world.application(**change)
    with sessions() as session, pytest.raises(NotFound):
        find_scenario(session, liang, "tourism-flow")


def test_double_submit_and_overlap_are_conflicts(new_work: NewWork, sessions: Sessions) -> None:
    new, liang = world.application(), world.actor(sessions, "liang")
    world.apply(new_work, sessions, new)
    with new_work() as work, pytest.raises(Conflict, match="state"):
        submit_scenario(work, liang, new.code)
    with new_work() as work, pytest.raises(Conflict, match="code_taken"):
        draft_scenario(work, liang, new)
    with new_work() as work:
        draft_scenario(work, liang, world.application("tourism-again"))
        work.commit()
    with new_work() as work, pytest.raises(Conflict, match="overlaps"):
        submit_scenario(work, liang, "tourism-again")


def test_revocation_and_freeze(new_work: NewWork, sessions: Sessions, clock: SettableClock) -> None:
    agreement = world.signed(new_work, sessions)
    feng, song = world.actor(sessions, "feng"), world.actor(sessions, "song")
    with new_work() as work:
        freeze_organisation(work, feng, "operator-a", "调查")
        work.commit()
    with sessions() as session:
        assert is_frozen(session, "operator-a")
    with new_work() as work, pytest.raises(Denied, match="frozen"):
        draft_scenario(work, world.actor(sessions, "liang"), world.application("other"))
    with new_work() as work:
        unfreeze_organisation(work, feng, "operator-a", "查清")
        work.commit()
    with new_work() as work, pytest.raises(Denied, match="same_person"):
        unfreeze_organisation(work, feng, "operator-a", "查清")
    with sessions() as session:
        assert is_frozen(session, "operator-a")
    with new_work() as work:
        unfreeze_organisation(work, song, "operator-a", "同意")
        revoke_agreement(work, feng, agreement.id, "违约")
        work.commit()
    with sessions() as session:
        assert not is_frozen(session, "operator-a")
        grants = grants_in_force(session, None, "tourism-flow", clock.now())
        assert [grant.revoked for grant in grants] == [True, True]


def test_terms_in_minutes_are_for_the_demo(new_work: NewWork, sessions: Sessions, clock: SettableClock) -> None:
    values = world.application().model_dump() | {"term_months": None, "term_minutes": 3}
    agreement = world.signed(new_work, sessions, NewScenario.model_validate(values), demo=True)
    assert agreement.valid_until is not None
    assert (agreement.valid_until - clock.now()).total_seconds() == 180


def test_one_organisation_never_both_authorises_and_signs(new_work: NewWork, sessions: Sessions) -> None:
    """A county office has both duties by title; in one case it holds only the first it took."""
    new = world.application()
    world.agree_all(new_work, sessions, new, world.apply(new_work, sessions, new))
    with new_work() as work:
        authorise_scenario(work, world.actor(sessions, "bao"), new.code)
        work.commit()
    for name in ("bao", "bin"):
        with new_work() as work, pytest.raises(Denied, match="separate"):
            draft_agreement(work, world.actor(sessions, name), new.code)
    with new_work() as work:
        draft_agreement(work, world.actor(sessions, "feng"), new.code)
        work.commit()


VERBS = ("decide", "authorise", "draft", "sign", "revoke")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chances=some.lists(some.tuples(some.sampled_from(VERBS), some.sampled_from(sorted(world.PEOPLE))), max_size=40),
    data=some.data(),
)
def test_whoever_tries_whatever_nobody_holds_two_duties(
    new_work: NewWork, sessions: Sessions, chances: list[tuple[str, str]], data: some.DataObject
) -> None:
    """Everybody tries every verb in any order; what was accepted is looked at in the rows themselves."""
    number = next(NUMBERS)
    new = world.application(f"case-{number}", title_zh=f"第{number}案", purpose=f"用途{number}")
    ids = world.apply(new_work, sessions, new)
    for verb, name in [
        *chances,
        *((verb, name) for verb in VERBS[:-1] for name in data.draw(some.permutations(sorted(world.PEOPLE)))),
    ]:
        with new_work() as work:
            try:
                _try(work, world.actor(sessions, name), verb, new, ids)
                work.commit()
            except (Conflict, Denied, Invalid, NotFound):
                continue
    with sessions() as session:
        acts = acts_of(session, scenario_row(session, new.code))
    for one in acts:
        assert {act.side for act in acts if act.person == one.person or act.organisation == one.organisation} == {
            one.side
        }


def _try(work: UnitOfWork, by: Actor, verb: str, new: NewScenario, ids: list[str]) -> None:
    if verb == "decide":
        for asked, number in zip(new.requests, ids, strict=True):
            with suppress(NotFound):
                decide_request(work, by, number, world.all_agreed(asked.columns))
        return
    agreements = agreements_of(work.session, new.code)
    if verb == "authorise":
        authorise_scenario(work, by, new.code)
    elif verb == "draft":
        for one in world.OPINIONS:
            attach_text(work, by, scenario_row(work.session, new.code), one.kind, one.title, one.text)
        draft_agreement(work, by, new.code)
    elif agreements and verb == "sign":
        sign_agreement(work, by, agreements[-1].id)
    elif agreements:
        revoke_agreement(work, by, agreements[-1].id, "试")


def test_the_portals_own_database_role_suffices_and_cannot_undo(
    new_work: NewWork, sessions: Sessions, database: Engine, clock: SettableClock, vault: Vault
) -> None:
    """As in the running portal: its role carries a case through, and may not change what was signed."""
    engine = open_engine(database.url.render_as_string(hide_password=False))

    @event.listens_for(engine, "connect")
    def narrow(connection: Connection[object], _record: object) -> None:
        connection.execute("set role gongshu_portal")
        connection.commit()

    limited = open_sessions(engine)
    world.signed(lambda: UnitOfWork(limited, writer="portal", clock=clock, vault=vault), limited)
    for statement in (
        "update authorization_grant set valid_until = valid_until + interval '1 day'",
        "update authorization_signature set digest = ''",
        "update authorization_document set content = ''",
        "delete from authorization_agreement",
        "delete from authorization_freeze",
    ):
        with limited() as session, pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(text(statement))
    engine.dispose()


def test_of_two_at_once_one_comes_first(new_work: NewWork, sessions: Sessions) -> None:
    """A double click, on every step that makes something: one is done, the other is told so."""
    liang, feng, song = (world.actor(sessions, name) for name in ("liang", "feng", "song"))
    new = world.application()

    def twice(step: Callable[[UnitOfWork], object]) -> list[str]:
        gate = Barrier(2)

        def once(_number: int) -> str:
            with new_work() as work:
                gate.wait()
                try:
                    step(work)
                    work.commit()
                except Conflict as error:
                    return error.code
                return "done"

        with ThreadPoolExecutor(2) as pool:
            return sorted(pool.map(once, range(2)), key=lambda code: code != "done")

    assert twice(lambda work: draft_scenario(work, liang, new)) == ["done", "authorization.scenario.code_taken"]
    assert twice(lambda work: submit_scenario(work, liang, new.code)) == ["done", "authorization.state"]
    with sessions() as session:
        ids = [request.id for request in scenario_row(session, new.code).requests]
    world.agree_all(new_work, sessions, new, ids)
    assert twice(lambda work: authorise_scenario(work, song, new.code)) == ["done", "authorization.state"]
    with new_work() as work:
        for one in world.OPINIONS:
            attach_text(work, feng, scenario_row(work.session, new.code), one.kind, one.title, one.text)
        work.commit()
    assert twice(lambda work: draft_agreement(work, feng, new.code)) == ["done", "authorization.state"]
    assert twice(lambda work: sign_agreement(work, feng, "A-2026-0001")) == ["done", "authorization.signature.already"]
    assert twice(lambda work: sign_agreement(work, liang, "A-2026-0001")) == ["done", "authorization.signature.already"]
    assert twice(lambda work: revoke_agreement(work, feng, "A-2026-0001", "违约")) == ["done", "authorization.state"]
    assert twice(lambda work: freeze_organisation(work, feng, "operator-a", "查")) == [
        "done",
        "authorization.freeze.already",
    ]
