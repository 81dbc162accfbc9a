"""A signed scenario with reviewers of two houses, and tables as the gateway hands them over."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gongshu import release
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
)
from gongshu.policy import Opa
from gongshu.release.models import ReleaseRequest
from tests.conftest import NewWork
from tests.integration.authorization import case_world as case
from tests.parts.opa import OpaServer
from tests.parts.store import Store

REVIEWERS = {"yuan": "agency", "pan": "expert"}
APPROVE, CHANGE, REJECT = release.Vote.APPROVE, release.Vote.CHANGE, release.Vote.REJECT


def table(entities: tuple[int, ...] = (20, 31), **changes: object) -> release.TableItem:
    """Two groups; `entities` are the distinct guests behind each."""
    rows = tuple((f"44010{3 + row}", 100 + row) for row in range(len(entities)))
    evidence = tuple(
        release.CellEvidence(row, "visits", count, "tourism.stays", "100", "7", "5")
        for row, count in enumerate(entities)
    )
    item = release.TableItem(
        title="各区到访人次",
        note="按区汇总",
        by=("district",),
        measures=(release.Measure("visits", "count", "stay_id"),),
        rows=rows,
        evidence=evidence,
        datasets=(release.DatasetUse("tourism.stays", 1, "G-2026-0001", "tourism-flow.bytes", "industry"),),
        statement="01STATEMENT",
        statement_entry="01ENTRY",
        agreement="示数授〔2026〕1号",
        policy_revision="r1",
        levels=("L2",),
        plan_text="SELECT district, count(stay_id) FROM tourism.stays GROUP BY district",
    )
    return replace(item, **changes)  # type: ignore[arg-type]


@dataclass
class Desk:
    """Everything a test needs to act as any of the people."""

    new_work: NewWork
    sessions: Sessions
    opa: Opa
    store: release.ItemStore

    def actor(self, name: str) -> Actor:
        return case.actor(self.sessions, name)

    def add(
        self, item: release.TableItem | None = None, *, by: str = "chen", into: str | None = None
    ) -> release.ReleaseDraft:
        with self.new_work() as work:
            draft = release.add_table(
                work, self.actor(by), "tourism-flow", item or table(), self.store, release_id=into
            )
            work.commit()
        return draft

    def submit(self, number: str, by: str = "chen") -> ReleaseRequest:
        with self.new_work() as work:
            request = release.submit(work, self.actor(by), number, self.opa, self.store)
            work.commit()
        return request

    def in_review(self, item: release.TableItem | None = None) -> str:
        return self.submit(self.add(item).release).id

    def vote(
        self,
        number: str,
        by: str,
        vote: release.Vote = APPROVE,
        *,
        reason: str = "",
        override: str = "",
        version: int | None = None,
    ) -> ReleaseRequest:
        with self.sessions() as session:
            items = [item.number for item in release.current_items(session, number)]
        votes = tuple(release.ItemVote(item, vote, reason) for item in items)
        review = release.Review(votes, comment=reason, override=override, expected_version=version)
        with self.new_work() as work:
            request = release.submit_review(work, self.actor(by), number, review, self.opa, self.store)
            work.commit()
        return request

    def state(self, number: str) -> str:
        with self.sessions() as session:
            return session.get_one(ReleaseRequest, number).state


def open_desk(new_work: NewWork, sessions: Sessions, opa: OpaServer, store: Store) -> Desk:
    case.build_city(new_work, sessions)
    with new_work() as work:
        create_organisation(
            work, "system:setup", NewOrganisation("expert", Words("专家库", "expert"), OrganisationKind.AUTHORITY)
        )
        for name, place in REVIEWERS.items():
            new = NewPerson(name, Words(name, name), place, "correct horse", ((Role.REVIEWER, place),))
            create_person(work, "system:setup", new)
        work.commit()
    case.signed(new_work, sessions)
    return Desk(new_work, sessions, Opa(opa.url, 2000), release.ItemStore(store.settings))
