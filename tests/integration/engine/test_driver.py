"""The driver as a process: nothing secret in reach of a plan, a dead driver is a refusal, not a hang."""

from __future__ import annotations

import os
import signal
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from gongshu.errors import Unavailable
from gongshu.gateway.engine import Engine, EngineSettings, PinnedFile, SessionKey, start_engine
from tests.integration.engine.conftest import HELPER, TOOLS
from tests.integration.engine.world import Hands, World
from tests.parts.store import start_store


@pytest.fixture
def settings(tmp_path: Path) -> EngineSettings:
    jars, helper = TOOLS / "jars", HELPER
    return EngineSettings(tmp_path, jars, helper, memory_mib=1024, allow_local_files=True, call_seconds=20)


def test_environment_and_command_line_hold_no_secret(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    process = Path("/proc") / str(hands.engine.pid)
    environment = process.joinpath("environ").read_bytes().decode().split("\0")
    names = {line.partition("=")[0] for line in environment if line}
    assert names == {"PATH", "HOME", "LANG", "SPARK_LOCAL_IP", "HADOOP_USER_NAME"}
    assert hands.token.encode() not in process.joinpath("cmdline").read_bytes()


def test_a_driver_that_cannot_start_says_so(settings: EngineSettings) -> None:
    with pytest.raises(Unavailable):
        start_engine(replace(settings, helper_jar=Path("/nowhere.jar")))


def test_store_through_s3a_its_loss_and_the_drivers_own_death_are_told_in_time(
    settings: EngineSettings, world: World, short_folder: Path, tmp_path: Path
) -> None:
    store = start_store(short_folder / "engine-minio")
    bucket = "gongshu-data"
    client = store.client()
    source = Path(world.stays.files[0].uri.removeprefix("file://"))
    put = client.fput_object(bucket, "数据/stays v1.parquet", str(source))
    credentials = tmp_path / "credentials"
    access, secret = store.settings.key()
    credentials.write_text(f"[default]\naws_access_key_id={access}\naws_secret_access_key={secret}\n")
    assert put.version_id and put.etag
    pinned = PinnedFile(f"s3a://{bucket}/数据/stays v1.parquet", source.stat().st_size, {}, put.version_id, put.etag)
    stays = replace(world.stays, files=(pinned,))
    missing = replace(stays, version=2, files=(replace(pinned, uri=f"s3a://{bucket}/gone.parquet"),))
    engine = start_engine(
        replace(settings, allow_local_files=False, store_endpoint=store.endpoint, aws_credentials_file=credentials)
    )
    hands = Hands(engine, world, SessionKey("p", str(uuid.uuid4())))
    try:
        assert hands.rows("SELECT count(phone) n FROM tourism.stays", [stays]) == [{"n": 4}]
        with pytest.raises(Exception, match="FAILED_READ_FILE"):
            hands.rows("SELECT count(phone) n FROM tourism.stays", [missing])
        swapped = replace(stays, version=4, files=(replace(pinned, etag="0" * 32),))  # another object now has the key
        with pytest.raises(Exception, match="FAILED_READ_FILE"):
            hands.rows("SELECT count(phone) n FROM tourism.stays", [swapped])
        with pytest.raises(Exception, match=r"engine\.file\.address|安全检查"):
            unpinned = replace(stays, version=5, files=(replace(pinned, version_id=""),))
            hands.rows("SELECT count(phone) n FROM tourism.stays", [unpinned])
        store.stop()
        started = time.monotonic()
        with pytest.raises(Exception, match=r"s3a|Connect|FAILED_READ_FILE"):
            unread = replace(pinned, etag="1" * 32)  # what was read before is kept for a while
            hands.rows("SELECT count(nights) n FROM tourism.stays", [replace(stays, version=3, files=(unread,))])
        assert time.monotonic() - started < 5
        _kill_and_expect_a_refusal(engine)
    finally:
        hands.close()
        engine.stop()


def _kill_and_expect_a_refusal(engine: Engine) -> None:
    assert engine.alive()
    os.kill(engine.pid, signal.SIGKILL)
    started = time.monotonic()
    with pytest.raises(Unavailable) as gone:
        for _ in range(100):
            engine.describe(SessionKey("p", str(uuid.uuid4())), b"")
    assert gone.value.part == "engine"
    assert time.monotonic() - started < 2
    assert not engine.alive()
