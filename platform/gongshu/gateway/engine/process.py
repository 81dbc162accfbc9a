"""The driver process: started with an empty environment, told its secrets over standard input, ended with us.

It decides nothing about plans. The command line and the environment of the driver hold no secret.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import select
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from gongshu.errors import Unavailable
from gongshu.gateway.engine.confs import MODULE_OPTIONS, driver_conf, pinned_conf
from gongshu.gateway.engine.shapes import EngineSettings

_LOGGING = """status = error
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{ISO8601} %p %c %notEmpty{%.-200m}%n%ex{0}
logger.executor.name = org.apache.spark.executor
logger.executor.level = off
logger.scheduler.name = org.apache.spark.scheduler
logger.scheduler.level = off
logger.connect.name = org.apache.spark.sql.connect
logger.connect.level = off
logger.execution.name = org.apache.spark.sql.execution
logger.execution.level = off
logger.codegen.name = org.apache.spark.sql.catalyst
logger.codegen.level = off
logger.util.name = org.apache.spark.util
logger.util.level = off
"""
_FAIR = """<?xml version="1.0"?>
<allocations><pool name="default"><schedulingMode>FAIR</schedulingMode></pool></allocations>
"""


@dataclass(frozen=True)
class DriverProcess:
    process: subprocess.Popen[bytes]
    py4j_port: int
    py4j_token: str
    connect_port: int
    connect_token: str


def start_driver(settings: EngineSettings) -> DriverProcess:
    """Start the JVM and wait for its ports. Raises Unavailable("engine") when it does not come up in time."""
    work = _prepare(settings)
    tokens = secrets.token_hex(32), secrets.token_hex(32)
    with (settings.run_dir / "spark" / "driver.log").open("ab") as log:
        process = subprocess.Popen(
            _command(settings, work),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_environment(work),
            cwd=work,
        )
    said = {
        "connect_token": tokens[0],
        "py4j_token": tokens[1],
        "handle_seconds": settings.handle_seconds,
        "call_seconds": settings.call_seconds,
        "time_zone": settings.time_zone,
        "warm_bucket": settings.data_bucket if settings.store_endpoint else "",
        "allow_local_files": settings.allow_local_files,
        "conf": {**driver_conf(settings), "spark.scheduler.allocation.file": (work / "fair.xml").as_uri()},
        "pinned": pinned_conf(settings),
    }
    try:
        ports = _introduce(process, json.dumps(said), settings.start_seconds)
    except (OSError, ValueError) as error:
        process.kill()
        process.wait()
        raise Unavailable("engine") from error
    return DriverProcess(process, ports["py4j_port"], tokens[1], ports["connect_port"], tokens[0])


def stop_driver(process: subprocess.Popen[bytes]) -> None:
    """Close its standard input (its sign to end), and make sure."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=5)
    if process.stdout:
        process.stdout.close()


def _introduce(process: subprocess.Popen[bytes], said: str, seconds: int) -> dict[str, int]:
    assert process.stdin and process.stdout
    process.stdin.write(said.encode() + b"\n")
    process.stdin.flush()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ready, _, _ = select.select([process.stdout], [], [], 0.2)
        if ready:
            answer: dict[str, int] = json.loads(process.stdout.readline())
            return answer
        if process.poll() is not None:
            break
    raise OSError("the driver did not start")


def _prepare(settings: EngineSettings) -> Path:
    work = settings.run_dir / "spark"
    for name in ("local", "tmp", "home", "warehouse"):
        folder = work / name
        if name != "warehouse":
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (work / "log4j2.properties").write_text(_LOGGING)
    (work / "fair.xml").write_text(_FAIR)
    return work


def _environment(work: Path) -> dict[str, str]:
    """All the driver's environment: SQL could print it if a pinned setting were ever lost."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(work / "home"),
        "LANG": "C.UTF-8",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "HADOOP_USER_NAME": "gongshu",
    }


def _command(settings: EngineSettings, work: Path) -> list[str]:
    spec = importlib.util.find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("engine")
    spark_jars = Path(spec.submodule_search_locations[0]) / "jars"
    class_path = [str(settings.helper_jar), f"{spark_jars}/*", f"{settings.jars_dir}/*"]
    options = [
        f"-Xmx{settings.memory_mib}m",
        "-Xss4m",
        "-XX:+UseG1GC",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        f"-Djava.io.tmpdir={work / 'tmp'}",
        f"-Dlog4j2.configurationFile={work / 'log4j2.properties'}",
        "-Djava.security.manager=allow",
        "-Dfile.encoding=UTF-8",
    ]
    if settings.aws_credentials_file:
        options.append(f"-Daws.sharedCredentialsFile={settings.aws_credentials_file}")
    return [_java(), *MODULE_OPTIONS, *options, "-cp", ":".join(class_path), "cn.gongshu.spark.Driver"]


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    found = f"{home}/bin/java" if home else shutil.which("java")
    if not found:
        raise Unavailable("engine")
    return found
