"""Append, publish, fail, die, come back, in any order: what outsiders see is always one log that only grows."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine

from gongshu.audit.note import read_checkpoint
from gongshu.audit.publisher import Publisher
from gongshu.audit.tiles import TileReader, tile_path, unbundle, widths
from gongshu.audit.tree import Frontier, leaf_hash
from gongshu.database import open_engine, open_sessions
from gongshu.errors import Unavailable
from tests.integration.audit.conftest import House, new_house
from tests.parts.postgres import Postgres
from tests.parts.store import Store


class DoubleStore:
    """A store in memory that fails, or loses its answer, at the write it is told to. (A double: the real one is in
    test_publisher.)"""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.fail_at, self.answer_lost = 0, False

    def get(self, path: str) -> bytes | None:
        return self.objects.get(path)

    def has(self, path: str) -> bool:
        return path in self.objects

    def put(self, path: str, data: bytes) -> None:
        self.fail_at -= 1
        if self.fail_at == 0 and not self.answer_lost:
            raise Unavailable("storage")
        self.objects[path] = data
        if self.fail_at == 0:
            raise Unavailable("storage")


def machine(new: Callable[[], House]) -> type[RuleBasedStateMachine]:
    class Publication(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.house, self.store = new(), DoubleStore()
            self.seen = -1
            self.publisher = self._come_back()

        def _come_back(self) -> Publisher:
            publisher = Publisher(self.house.sessions, self.store, self.house.signer, self.house.clock)  # type: ignore[arg-type]
            publisher.open()
            return publisher

        @rule(count=st.sampled_from([1, 2, 3, 100, 253, 260, 600]))
        def append(self, count: int) -> None:
            self.house.say(count)

        @rule()
        def publish(self) -> None:
            self.publisher.publish()

        @rule(place=st.integers(1, 12), lost=st.booleans(), dies=st.booleans())
        def publish_with_a_failure(self, place: int, lost: bool, dies: bool) -> None:
            self.store.fail_at, self.store.answer_lost = place, lost
            try:
                self.publisher.publish()
            except Unavailable:
                pass
            finally:
                self.store.fail_at = 0
            if dies:
                self.publisher = self._come_back()

        @rule()
        def die_and_come_back(self) -> None:
            self.publisher = self._come_back()

        @invariant()
        def outsiders_see_one_growing_log(self) -> None:
            note = self.store.get("checkpoint")
            if note is None:
                return
            seen = read_checkpoint(note, self.house.signer.verifier)
            assert seen.size >= self.seen
            self.seen = seen.size
            frontier = Frontier()
            full, partial = widths(seen.size, 0)
            for number in range(full + bool(partial)):
                bundle = self.store.objects[tile_path("entries", number, 0 if number < full else partial)]
                for entry in unbundle(bundle):
                    frontier.append(leaf_hash(entry))
            assert (frontier.size, frontier.root()) == (seen.size, seen.root)
            assert TileReader(self.store.get, seen.size).hashes.root(0, seen.size) == seen.root

    return Publication


def test_any_order_of_failures_leaves_one_growing_log(
    postgres: Postgres, store: Store, tmp_path_factory: object
) -> None:
    engines: list[Engine] = []

    def new() -> House:
        engines.append(open_engine(postgres.url(postgres.fresh_database()), pool_size=2))
        house = new_house(engines[-1], store, tmp_path_factory.mktemp("house"))  # type: ignore[attr-defined]
        house.sessions = open_sessions(engines[-1])
        return house

    limits = settings(max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine(new), settings=limits)
    for engine in engines:
        engine.dispose()
