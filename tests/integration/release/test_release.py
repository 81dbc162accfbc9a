"""An output from draft to download on real PostgreSQL, MinIO and OPA: two people, no shortcut."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import ProgrammingError

from gongshu import release
from gongshu.audit import UnitOfWork
from gongshu.audit.models import LogEntry
from gongshu.authorization import freeze_organisation
from gongshu.database import Sessions, open_engine, open_sessions
from gongshu.errors import Conflict, Denied, Invalid, NotFound
from gongshu.release.models import ReleaseReview
from tests.conftest import NewWork
from tests.integration.release import release_world
from tests.integration.release.release_world import CHANGE, REJECT, Desk, table
from tests.parts.opa import OpaServer
from tests.parts.postgres import Postgres
from tests.parts.store import Store


@pytest.fixture
def desk(new_work: NewWork, sessions: Sessions, opa: OpaServer, store: Store) -> Desk:
    return release_world.open_desk(new_work, sessions, opa, store)


def events(sessions: Sessions) -> list[str]:
    with sessions() as session:
        return list(
            session.scalars(select(LogEntry.event).where(LogEntry.event.like("release.%")).order_by(LogEntry.index))
        )


def test_two_approvals_release_and_one_link_downloads_once(desk: Desk, sessions: Sessions) -> None:
    number = desk.in_review()
    assert desk.vote(number, "tang").state == "in_review"
    assert desk.vote(number, "pan").state == "released"
    with desk.new_work() as work:
        issued = release.issue_link(work, desk.actor("chen"), number, 1, desk.opa)
        work.commit()
    assert issued.decision.allowed
    with desk.new_work() as work:
        download = release.use_link(work, desk.actor("chen"), number, 1, issued.token, desk.store)
        work.commit()
    assert download.data == b"district,visits\n440103,100\n440104,101\n"
    with desk.new_work() as work, pytest.raises(Conflict):
        release.use_link(work, desk.actor("chen"), number, 1, issued.token, desk.store)
    assert events(sessions) == [
        "release.item.added",
        "release.request.submitted",
        "release.request.checked",
        "release.review_need.decided",
        "release.review.submitted",
        "release.review.submitted",
        "release.request.approved",
        "release.item.released",
        "release.link.issued",
        "release.item.downloaded",
    ]


def test_nobody_downloads_before_release_or_from_another_company(desk: Desk) -> None:
    number = desk.in_review()
    for name in ("chen", "zhou"):
        with desk.new_work() as work, pytest.raises(NotFound):
            release.issue_link(work, desk.actor(name), number, 1, desk.opa)


def test_the_first_vote_shows_neither_in_the_view_nor_in_the_version(desk: Desk) -> None:
    number = desk.in_review()
    with desk.sessions() as session:
        before = release.review_for(session, desk.actor("pan"), number).request.version
    desk.vote(number, "tang", REJECT, reason="人数太少")
    with desk.sessions() as session:
        view = release.review_for(session, desk.actor("pan"), number)
        assert (view.request.version, view.reviews, view.mine) == (before, [], None)
        author = release.request_for(session, desk.actor("chen"), number)
        assert author.reviews == []
        assert [one.id for one in release.queue(session, desk.actor("pan"))] == [number]
        assert release.queue(session, desk.actor("tang")) == []
        public = session.scalars(select(LogEntry.data).where(LogEntry.event == "release.review.submitted")).one()
    assert b"reject" not in public


def test_disagreement_is_consolidated_and_never_becomes_approval(desk: Desk) -> None:
    number = desk.in_review()
    desk.vote(number, "tang")
    request = desk.vote(number, "pan", REJECT, reason="用途不符")
    assert (request.state, request.round) == ("in_review", 2)
    with desk.sessions() as session:
        assert len(release.review_for(session, desk.actor("tang"), number).reviews) == 2
    with pytest.raises(Conflict):
        desk.vote(number, "yuan")
    desk.vote(number, "tang")
    assert desk.vote(number, "pan", REJECT, reason="仍不符").state == "returned"


def test_one_person_counts_once_and_the_authors_house_not_at_all(desk: Desk, sessions: Sessions) -> None:
    number = desk.in_review()
    desk.vote(number, "tang")
    with pytest.raises(Conflict):
        desk.vote(number, "tang")
    for name in ("chen", "liang", "zhou", "luo", "feng"):
        with pytest.raises(Denied):
            desk.vote(number, name)
    with sessions() as session:
        assert len(session.scalars(select(ReleaseReview)).all()) == 1
    assert desk.state(number) == "in_review"


def test_a_failed_threshold_stands_until_both_override_in_writing(desk: Desk) -> None:
    draft = desk.add(table(entities=(9, 31)))
    assert (draft.cells, draft.flagged) == (2, 1)
    number = desk.submit(draft.release).id
    with pytest.raises(Denied, match="override_needed"):
        desk.vote(number, "tang")
    desk.vote(number, "tang", override="该区只有一家酒店,已公开")
    with pytest.raises(Denied, match="override_needed"):
        desk.vote(number, "pan")
    assert desk.vote(number, "pan", override="同意保留").state == "released"


def test_a_change_needs_a_reason_and_comes_back_in_a_new_turn(desk: Desk) -> None:
    number = desk.in_review()
    with pytest.raises(Invalid):
        desk.vote(number, "tang", CHANGE)
    desk.vote(number, "tang", CHANGE, reason="请合并小区")
    assert desk.vote(number, "pan").state == "returned"
    with desk.sessions() as session:
        assert release.request_for(session, desk.actor("chen"), number).reviews[0].comment == "请合并小区"
    draft = desk.add(table(entities=(40, 41)), into=number)
    assert draft.item == 2
    assert desk.submit(number).turn == 2
    desk.vote(number, "yuan")
    assert desk.vote(number, "pan").state == "released"


def test_a_vote_on_an_older_version_is_refused(desk: Desk) -> None:
    number = desk.in_review()
    with pytest.raises(Conflict, match="stale"):
        desk.vote(number, "tang", version=1)


def test_a_changed_byte_voids_every_vote(desk: Desk, store: Store, sessions: Sessions) -> None:
    number = desk.in_review()
    desk.vote(number, "tang")
    with sessions() as session:
        [item] = release.current_items(session, number)
    store.client().put_object("gongshu-quarantine", f"sha256/{item.sha256}", io.BytesIO(b"x"), 1)
    try:
        assert desk.vote(number, "pan").state == "returned"
        with sessions() as session:
            assert session.scalars(select(ReleaseReview.voided)).all() == [True]
    finally:
        desk.store.quarantine(b"district,visits\n440103,100\n440104,101\n")


def test_the_policy_returns_what_no_clause_covers(desk: Desk, new_work: NewWork) -> None:
    draft = desk.add()
    with new_work() as work:
        freeze_organisation(work, desk.actor("feng"), "operator-a", "调查")
        work.commit()
    assert desk.submit(draft.release).state == "returned"
    with desk.sessions() as session:
        [comment] = release.request_for(session, desk.actor("chen"), draft.release).comments
    assert "冻结" in comment.text_zh


def test_small_differences_to_an_earlier_release_are_shown(desk: Desk) -> None:
    first = desk.in_review()
    desk.vote(first, "tang")
    desk.vote(first, "pan")
    second = desk.in_review(table(entities=(23, 31), title="更新"))
    with desk.sessions() as session:
        checks = {c.name: c for c in release.review_for(session, desk.actor("tang"), second).checks}
    assert checks["differencing"].verdict == "review"
    assert checks["differencing"].findings[0]["observed"].endswith("3<10")


def test_recall_stops_downloads_and_takes_two_people_to_undo(desk: Desk, new_work: NewWork) -> None:
    number = desk.in_review()
    desk.vote(number, "tang")
    desk.vote(number, "pan")
    with new_work() as work:
        release.recall(work, desk.actor("feng"), number, "发现差错")
        work.commit()
    with new_work() as work:
        issued = release.issue_link(work, desk.actor("chen"), number, 1, desk.opa)
        work.commit()
    assert not issued.decision.allowed and not issued.token
    with new_work() as work:
        release.propose_restore(work, desk.actor("feng"), number, "差错已更正")
        work.commit()
    with new_work() as work, pytest.raises(Denied):
        release.confirm_restore(work, desk.actor("feng"), number)
    with new_work() as work:
        release.confirm_restore(work, desk.actor("song"), number)
        work.commit()
    assert desk.state(number) == "released"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO release_review (request, turn, round, reviewer, organisation, votes, comment, override,"
        " submitted_at, voided, entry_id) VALUES ('R', 1, 1, 'p', 'agency', '{}', '', '', now(), false, 'E')",
        "INSERT INTO release_certificate VALUES ('R', '', '', '[]', now())",
        "UPDATE release_item SET sha256 = 'x'",
        "DELETE FROM release_request",
    ],
)
def test_the_gateways_database_role_cannot_decide(sessions: Sessions, statement: str) -> None:
    with sessions() as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text("SET ROLE gongshu_gateway"))
        session.execute(text(statement))


def test_the_portals_database_role_cannot_rewrite_a_vote(sessions: Sessions) -> None:
    with sessions() as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text("SET ROLE gongshu_portal"))
        session.execute(text("UPDATE release_review SET votes = '{}'"))


def test_each_part_does_its_own_with_its_own_database_role(desk: Desk, database: Engine, postgres: Postgres) -> None:
    """The gateway's role adds, the portal's submits, reviews, releases and hands out; neither needs the owner."""
    units: dict[str, NewWork] = {}
    engines = []
    for part in ("gateway", "portal"):
        postgres.run(f"ALTER ROLE gongshu_{part} LOGIN")
        engines.append(open_engine(postgres.url(str(database.url.database), f"gongshu_{part}")))
        maker = open_sessions(engines[-1])
        with desk.new_work() as unit:
            clock, vault = unit.clock, unit.vault
        units[part] = partial(UnitOfWork, maker, writer=part, clock=clock, vault=vault)
    number = replace(desk, new_work=units["gateway"]).add().release
    portal = replace(desk, new_work=units["portal"])
    portal.submit(number)
    portal.vote(number, "tang")
    assert portal.vote(number, "pan").state == "released"
    with portal.new_work() as work:
        token = release.issue_link(work, desk.actor("chen"), number, 1, desk.opa).token
        work.commit()
    with portal.new_work() as work:
        release.use_link(work, desk.actor("chen"), number, 1, token, desk.store)
        work.commit()
        release.recall(work, desk.actor("feng"), number, "差错")
        work.commit()
    for engine in engines:
        engine.dispose()


def test_two_reviewers_at_once_and_a_double_click_count_two_people(desk: Desk) -> None:
    number = desk.in_review()

    def vote(name: str) -> str:
        try:
            return desk.vote(number, name).state
        except Conflict as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(vote, ["tang", "tang", "pan", "pan"]))
    assert outcomes.count("released") == 1 and outcomes.count("in_review") == 1
    with desk.sessions() as session:
        assert sorted(session.scalars(select(ReleaseReview.reviewer)).all()) == sorted(
            desk.actor(name).pseudonym for name in ("tang", "pan")
        )
