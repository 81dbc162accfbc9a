"""An agency with a ceiling and a price book, and a gateway that logs usage: the world of the money tests."""

from __future__ import annotations

from datetime import timedelta

from gongshu import revenue
from gongshu.audit import Event, EventType, Private, UnitOfWork, Vault
from gongshu.clock import SettableClock
from gongshu.database import Sessions
from gongshu.identity import Actor
from gongshu.policy import Opa
from gongshu.revenue.price import Kind, Meter, Tier
from tests.conftest import NewWork
from tests.integration.authorization import case_world as case
from tests.parts.opa import OpaServer

GIB = 1 << 30
FLOW = revenue.NewPrice(
    "tourism-flow.bytes", "客流数据服务费", "Tourist-flow service fee", Meter.BILLABLE_BYTES, GIB, "GiB",
    Kind.GRADUATED, "industry", (Tier(GIB // 2, 12_000_000_000), Tier(None, 9_000_000_000)),
)  # fmt: skip


class Bureau:
    """The city with a ceiling and a price book, and a gateway that logs usage."""

    def __init__(
        self, new_work: NewWork, sessions: Sessions, clock: SettableClock, vault: Vault, opa: OpaServer
    ) -> None:
        self.new_work, self.sessions, self.clock = new_work, sessions, clock
        self.vault, self.opa = vault, Opa(opa.url, 2000)
        case.build_city(new_work, sessions)
        case.signed(new_work, sessions)
        self.reader = revenue.UsageReader(vault)

    def actor(self, name: str) -> Actor:
        return case.actor(self.sessions, name)

    def set_ceiling(self, microfen: int = 13_000_000_000, by: str = "song") -> None:
        now = self.clock.now()
        new = revenue.NewCeiling(
            FLOW.code, Meter.BILLABLE_BYTES, GIB, "GiB", microfen, "示发改价〔2026〕1号", now, now + timedelta(days=365)
        )
        with self.new_work() as work:
            revenue.set_ceiling(work, self.actor(by), new)
            work.commit()

    def publish(self, price: revenue.NewPrice = FLOW, by: str = "feng") -> None:
        with self.new_work() as work:
            _row, decision = revenue.publish_book(work, self.actor(by), [price], None, self.opa)
            work.commit()
        decision.require()

    def use(self, dataset: str, count: int, *, status: str = "finished", use: str = "industry") -> None:
        grant = {"tourism.stays": "G-2026-0001", "transit.trips": "G-2026-0002"}[dataset]
        used = {
            "dataset": dataset,
            "version": 1,
            "grant": grant,
            "price": FLOW.code,
            "use": use,
            "billable_bytes": count,
        }
        event = Event(
            EventType.STATEMENT_OUTCOME,
            actor="p-chen",
            organisation="operator-a",
            scenario="tourism-flow",
            public={"statement": "S", "intent": "I", "status": status},
            private={"usage": Private({"rows_out": 1, "billable_bytes": count, "datasets": [used]}, ("operator-a",))},
        )
        with UnitOfWork(self.sessions, writer="gateway", clock=self.clock, vault=self.vault) as work:
            work.record(event)
            work.commit()

    def close(self, by: str = "feng", root: str | None = None) -> revenue.Run:
        with self.new_work() as work:
            closing = revenue.close_period(work, self.actor(by), self.reader, "2026-11", self.opa, lines_root=root)
            work.commit()
        return closing.require()
