"""The engine and the city of the gateway's tests: made once, used by all that do not change it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql.connect.session import SparkSession

from gongshu.gateway.engine import Engine
from tests.integration.gateway.city import build
from tests.parts.opa import OpaServer
from tests.parts.postgres import Postgres
from tests.parts.rig import World, start_test_engine, start_world
from tests.parts.store import Store


@pytest.fixture(scope="session")
def gateway_engine(tmp_path_factory: pytest.TempPathFactory, store: Store) -> Iterator[Engine]:
    engine = start_test_engine(tmp_path_factory.mktemp("gw"), store)
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def city(
    short_folder: Path, postgres: Postgres, opa: OpaServer, store: Store, gateway_engine: Engine
) -> Iterator[World]:
    world = start_world(short_folder, postgres, opa, store, gateway_engine)
    build(world.new_work, world.sessions, store)
    yield world
    world.gateway.stop()


@pytest.fixture
def spark(city: World) -> Iterator[SparkSession]:
    """chen's kernel in tourism-flow."""
    session = city.gateway.spark("chen--tourism-flow")
    yield session
    session.stop()
