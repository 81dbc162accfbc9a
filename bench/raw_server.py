"""Stock Spark Connect with the engine's own configuration and no governance: the plain counterpart."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import grpc

from gongshu.gateway.engine import EngineSettings
from gongshu.gateway.engine.confs import MODULE_OPTIONS, driver_conf, pinned_conf
from tests.parts.places import free_port

OURS = ("interceptor.classes", "relation.classes", "spark.plugins", "grpc.binding.port", "runSQLOnFiles")


@dataclass
class RawServer:
    port: int
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


def start_raw_server(settings: EngineSettings, folder: Path) -> RawServer:
    """Start it with the engine's confs, minus those that only let the gateway in."""
    folder.mkdir(parents=True)
    port = free_port()
    conf = {**driver_conf(settings), **pinned_conf(settings)}
    conf = {key: value for key, value in conf.items() if not any(part in key for part in OURS)}
    conf |= {
        "spark.connect.grpc.binding.port": str(port),
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.artifact.isolation.enabled": "false",
    }
    spec = importlib.util.find_spec("pyspark")
    assert spec is not None and spec.submodule_search_locations
    jars = Path(spec.submodule_search_locations[0]) / "jars"
    java = shutil.which("java") or "java"
    command = [
        java,
        *MODULE_OPTIONS,
        f"-Xmx{settings.memory_mib}m",
        "-Xss4m",
        "-XX:+UseG1GC",
        f"-Daws.sharedCredentialsFile={settings.aws_credentials_file}",
        *(f"-D{key}={value}" for key, value in conf.items()),
        "-cp",
        f"{jars}/*:{settings.jars_dir}/*",
        "org.apache.spark.sql.connect.service.SparkConnectServer",
    ]
    with (folder / "driver.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env={"PATH": os.environ["PATH"]})
    deadline = time.monotonic() + 120
    while True:
        try:
            grpc.channel_ready_future(grpc.insecure_channel(f"localhost:{port}")).result(timeout=2)
            return RawServer(port, process)
        except grpc.FutureTimeoutError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((folder / "driver.log").read_text()[-1500:]) from None
