"""One real driver for all tests of the engine, over local files."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from gongshu.gateway.engine import Engine, EngineSettings, SessionKey, start_engine
from tests.integration.engine.world import Hands, World, build_world

TOOLS = Path(__file__).parents[3] / ".tools"
HELPER = Path(os.environ.get("GONGSHU_HELPER_JAR", TOOLS / "helper" / "gongshu-spark-helper.jar"))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    settings = EngineSettings(
        run_dir=tmp_path_factory.mktemp("engine"),
        jars_dir=TOOLS / "jars",
        helper_jar=HELPER,
        memory_mib=1536,
        allow_local_files=True,
    )
    engine = start_engine(settings)
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def hands(engine: Engine, world: World) -> Iterator[Hands]:
    hands = Hands(engine, world, SessionKey("person-1", str(uuid.uuid4())))
    yield hands
    hands.close()


@pytest.fixture
def other(engine: Engine, world: World) -> Iterator[Hands]:
    hands = Hands(engine, world, SessionKey("person-2", str(uuid.uuid4())))
    yield hands
    hands.close()
