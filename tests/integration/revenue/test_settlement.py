"""From logged usage to a closed month on real PostgreSQL and OPA: ceilings hold, closed is closed, sums are zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError, ProgrammingError

from gongshu import revenue
from gongshu.audit import UnitOfWork, Vault
from gongshu.audit.entry import canonical
from gongshu.clock import SettableClock
from gongshu.database import Sessions, open_engine, open_sessions
from gongshu.errors import Conflict, Denied, Invalid, NotFound
from gongshu.revenue.models import BookedPrice, Ceiling, InvoiceLineRow, Posting
from gongshu.revenue.price import Kind, Tier
from tests.conftest import NewWork
from tests.integration.revenue.bureau import FLOW, GIB, Bureau
from tests.parts.opa import OpaServer
from tests.parts.postgres import Postgres


@pytest.fixture
def bureau(new_work: NewWork, sessions: Sessions, clock: SettableClock, vault: Vault, opa: OpaServer) -> Bureau:
    return Bureau(new_work, sessions, clock, vault, opa)


def test_a_month_becomes_an_invoice_split_to_the_fen_and_a_balanced_journal(bureau: Bureau) -> None:
    bureau.set_ceiling()
    bureau.publish()
    bureau.use("tourism.stays", GIB // 3)
    bureau.use("transit.trips", GIB // 3)
    bureau.use("transit.trips", GIB, status="failed")
    run = bureau.close()
    [invoice] = run.invoices
    # 2/3 GiB: a half at 120.00, the rest at 90.00
    assert (invoice.number, invoice.payer, invoice.fen) == ("I-2026-11-A", "operator-a", 7500)
    with bureau.sessions() as session:
        parts = {(a.party, a.dataset): a.fen for a in revenue.allocations_of(session, "I-2026-11-A")}
        assert sum(parts.values()) == 7500
        assert parts[("treasury", "")] == parts[("platform", "")] == 1500
        assert parts[("tourism", "tourism.stays")] + parts[("transport", "transit.trips")] == 4500
        assert sum(revenue.balances(session).values()) == 0
        earned = revenue.earnings_for(session, frozenset({"tourism"}))
        assert [(one.dataset, one.fen) for one in earned] == [("tourism.stays", parts[("tourism", "tourism.stays")])]


def test_closed_means_closed_and_later_usage_is_a_run_of_its_own(bureau: Bureau, clock: SettableClock) -> None:
    bureau.set_ceiling()
    bureau.publish()
    bureau.use("tourism.stays", GIB // 2)
    first = bureau.close()
    with pytest.raises(Conflict):
        bureau.close()
    clock.moment += timedelta(hours=1)
    bureau.use("tourism.stays", GIB // 2)
    second = bureau.close()
    assert [first.invoices[0].fen, second.invoices[0].fen] == [6000, 4500]  # the month's second tier goes on
    assert second.invoices[0].number == "I-2026-11-B" and second.first_size == first.log_size
    with bureau.sessions() as session:
        for run in (first, second):
            again = revenue.recompute(session, revenue.UsageReader(bureau.vault), "2026-11", run.number, clock.now())
            assert canonical(again.invoices[0].as_value()) == canonical(run.invoices[0].as_value())
            assert again.lines_root == run.lines_root


def test_only_the_prepared_run_is_closed(bureau: Bureau) -> None:
    bureau.set_ceiling()
    bureau.publish()
    bureau.use("tourism.stays", GIB)
    with bureau.sessions() as session:
        prepared = revenue.prepare(session, bureau.reader, "2026-11", bureau.clock.now())
    bureau.use("tourism.stays", GIB)
    with pytest.raises(Conflict, match="moved"):
        bureau.close(root=prepared.lines_root)


def test_public_interest_use_is_free_and_shows_what_it_would_have_cost(bureau: Bureau) -> None:
    bureau.publish(replace(FLOW, kind=Kind.ZERO_RATED, use="public-interest"))
    bureau.use("tourism.stays", GIB, use="public-interest")
    [invoice] = bureau.close().invoices
    assert (invoice.fen, invoice.shadow_fen) == (0, 10500)
    with bureau.sessions() as session:
        assert session.scalars(select(Posting)).all() == []


@pytest.mark.parametrize("by", ["feng", "liang", "tang"])
def test_only_the_office_sets_a_ceiling(bureau: Bureau, by: str) -> None:
    with pytest.raises(Denied):
        bureau.set_ceiling(by=by)


@pytest.mark.parametrize("by", ["song", "liang", "chen"])
def test_only_the_agency_prices_and_closes(bureau: Bureau, by: str) -> None:
    bureau.set_ceiling()
    with pytest.raises(Denied):
        bureau.publish(by=by)
    with pytest.raises(Denied):
        bureau.close(by=by)


def test_a_price_without_or_above_a_ceiling_or_below_zero_is_refused(bureau: Bureau) -> None:
    with pytest.raises(Invalid, match="no_ceiling"):
        bureau.publish()
    bureau.set_ceiling(11_999_999_999)
    with pytest.raises(Invalid, match="over_ceiling"):
        bureau.publish()
    with pytest.raises(Invalid, match="negative"):
        bureau.publish(replace(FLOW, tiers=(Tier(None, -1),)))
    with bureau.new_work() as work, pytest.raises(Invalid, match="backwards"):
        yesterday = bureau.clock.now() - timedelta(days=1)
        revenue.publish_book(work, bureau.actor("feng"), [FLOW], yesterday, bureau.opa)


def test_the_database_itself_refuses_a_price_above_its_ceiling(bureau: Bureau) -> None:
    bureau.set_ceiling()
    bureau.publish()
    with bureau.sessions() as session, pytest.raises(IntegrityError, match="under_ceiling"):
        ceiling = session.scalars(select(Ceiling)).one()
        session.add(
            BookedPrice(
                version=1, price="other", meter=ceiling.meter, unit=GIB, lowest_microfen=0,
                highest_microfen=13_000_000_001, ceiling=ceiling.id, ceiling_microfen=ceiling.microfen,
            )
        )  # fmt: skip
        session.flush()


def test_the_database_itself_refuses_an_invoice_line_above_its_ceiling(bureau: Bureau) -> None:
    bureau.set_ceiling()
    bureau.publish()
    bureau.use("tourism.stays", GIB)
    bureau.close()
    with bureau.sessions() as session, pytest.raises(IntegrityError, match="under_ceiling"):
        line = session.scalars(select(InvoiceLineRow)).one()
        line.charged_microfen, line.fen = 13_000_000_002, 13_000
        session.flush()


def test_an_unbalanced_journal_cannot_be_committed(sessions: Sessions) -> None:
    with sessions() as session, pytest.raises(DatabaseError, match="sum to zero"):
        session.add(Posting(transaction="T", account="a", fen=1, entry_id="E"))
        session.commit()


@pytest.mark.parametrize("role", ["gongshu_gateway", "gongshu_worker", "gongshu_portal"])
def test_no_parts_role_rewrites_money(sessions: Sessions, role: str) -> None:
    with sessions() as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(f"SET ROLE {role}"))
        session.execute(text("UPDATE revenue_invoice SET fen = 0"))


def test_another_companys_invoice_does_not_exist(bureau: Bureau) -> None:
    bureau.set_ceiling()
    bureau.publish()
    bureau.use("tourism.stays", GIB)
    bureau.close()
    with bureau.sessions() as session:
        assert revenue.invoice_for(session, bureau.actor("liang"), "I-2026-11-A").fen == 10500
        for name in ("xie", "chen"):
            with pytest.raises(NotFound):
                revenue.invoice_for(session, bureau.actor(name), "I-2026-11-A")
        assert revenue.invoices_for(session, bureau.actor("xie")) == []
        rated, same = revenue.entries_behind(
            session,
            bureau.reader,
            revenue.invoice_for(session, bureau.actor("liang"), "I-2026-11-A"),
            1,
            bureau.clock.now(),
        )
        assert same and len(rated) == 1


def test_usage_without_a_price_is_parked_and_not_charged(bureau: Bureau) -> None:
    bureau.use("tourism.stays", GIB)
    run = bureau.close()
    assert len(run.parked) == 1 and run.invoices[0].fen == 0


def test_the_portals_own_database_role_is_enough(bureau: Bureau, database: Engine, postgres: Postgres) -> None:
    postgres.run("ALTER ROLE gongshu_portal LOGIN")
    engine = open_engine(postgres.url(str(database.url.database), "gongshu_portal"))
    maker, clock, vault = open_sessions(engine), bureau.clock, bureau.vault
    bureau.new_work = partial(UnitOfWork, maker, writer="portal", clock=clock, vault=vault)
    bureau.set_ceiling()
    bureau.publish()
    bureau.use("tourism.stays", GIB)
    assert bureau.close().invoices[0].fen == 10500
    engine.dispose()
