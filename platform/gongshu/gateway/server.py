"""The gateway process: takes its instance's lock, starts the engine, recovers, serves, and ends when the engine ends.

Health for the supervisor: gRPC `/grpc.health.v1.Health/Check` on the gateway's socket (empty request) answers
SERVING (bytes ``08 01``) once the engine runs; before that the socket does not exist. Exit codes: 0 stopped by
SIGTERM, 3 the driver died (start the gateway again), others a start that failed with a sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import structlog

from gongshu.audit import Vault
from gongshu.clock import SystemClock
from gongshu.database import open_engine, open_sessions
from gongshu.errors import Invalid, Words
from gongshu.gateway import release_table, service
from gongshu.gateway.asking import Asker
from gongshu.gateway.edge import Edge
from gongshu.gateway.engine import Engine, EngineSettings, start_engine
from gongshu.gateway.principal import HubNames
from gongshu.gateway.recovering import hold_instance, recover
from gongshu.gateway.running import Runner
from gongshu.gateway.sessions import Registry
from gongshu.gateway.upstream import MAX_MESSAGE, Upstream
from gongshu.gateway.watching import StoreProbe, Watch
from gongshu.policy import Opa
from gongshu.release import ItemStore
from gongshu.settings import Settings

log = structlog.get_logger()
INSTANCE = "gateway"
ENGINE_GONE = 3
THREADS = 64
DATABASE_SECONDS = 1.7
SERVER_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.max_send_message_length", MAX_MESSAGE),
    # Clients of 4.3 ping every minute, with or without a call; the default answers that with GOAWAY.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.max_metadata_size", 64 << 10),
)


def required(value: object, name: str) -> str:
    if value is None:
        raise Invalid(
            "settings.incomplete",
            Words(f"网关的配置缺少 {name}", f"The gateway's settings lack {name}"),
            Words("补上后重新启动", "Add it and start again"),
        )
    return str(value)


def engine_settings(settings: Settings) -> EngineSettings:
    return EngineSettings(
        run_dir=settings.run_dir,
        jars_dir=Path(required(settings.spark_jars_dir, "spark_jars_dir")),
        helper_jar=Path(required(settings.spark_helper_jar, "spark_helper_jar")),
        memory_mib=settings.spark_memory_mib,
        cores=settings.spark_cores,
        connect_port=settings.spark_connect_port or 0,
        store_endpoint=settings.store.endpoint if settings.store else None,
        store_secure=settings.store.secure if settings.store else False,
        aws_credentials_file=settings.aws_credentials_file,
        time_zone=settings.time_zone,
    )


def make_asker(settings: Settings) -> Asker:
    """Everything a decision needs: database, policy, log, mask keys."""
    if settings.database is None:
        raise Invalid("settings.incomplete", Words("网关的配置缺少 database", "The gateway's settings lack database"))
    return Asker(
        open_sessions(open_engine(settings.database.url, pool_size=16, answer_seconds=DATABASE_SECONDS)),
        Opa(required(settings.opa_url, "opa_url"), settings.opa_timeout_ms),
        SystemClock(),
        Vault.from_file(Path(required(settings.payload_key_file, "payload_key_file"))),
        instance=INSTANCE,
        time_zone=settings.time_zone,
        mask_root=Path(required(settings.masks_key_file, "masks_key_file")).read_bytes(),
    )


class Serving:
    """One running gateway. Tests start it as the process does."""

    def __init__(self, settings: Settings, asker: Asker, engine: Engine) -> None:
        socket = required(settings.gateway_socket, "gateway_socket")
        self.upstream = Upstream(*engine.connect_endpoint)
        self.registry = Registry()
        self.hub = HubNames(Path(required(settings.hub_api_socket, "hub_api_socket")))
        self.runner = Runner(engine, self.upstream, asker)
        edge = Edge(self.hub, asker, self.registry)
        store = ItemStore(settings.quarantine_store) if settings.quarantine_store else None
        self._server = grpc.aio.server(options=SERVER_OPTIONS)
        self._server.add_generic_rpc_handlers(
            (
                service.handlers(service.SparkConnect(edge, self.runner, self.upstream)),
                release_table.handlers(release_table.ReleaseTables(edge, self.runner, store)),
                health(engine),
            )
        )
        self._server.add_insecure_port(f"unix:{socket}")
        self._socket = Path(socket)
        probe = StoreProbe(settings.store.endpoint, secure=settings.store.secure) if settings.store else None
        self.watch = Watch(self.runner, self.registry, probe)

    async def start(self) -> None:
        # A statement holds a thread while it is planned; the loop's own pool would be six on two cores.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "gateway"))
        await self._server.start()
        self._socket.chmod(0o660)

    async def stop(self) -> None:
        """End running statements as cancelled, then close."""
        for session in self.registry.all():
            for operation in list(session.operations.values()):
                await self.runner.cancel(operation, "shutdown")
        await self._server.stop(grace=2)
        await self.hub.close()
        await self.upstream.close()


def health(engine: Engine) -> grpc.GenericRpcHandler:
    """grpc.health.v1 without its package: HealthCheckResponse{status: SERVING | NOT_SERVING}."""

    async def check(_request: bytes, _context: object) -> bytes:
        return b"\x08\x01" if engine.alive() else b"\x08\x02"

    method = grpc.unary_unary_rpc_method_handler(check, None, None)
    return grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method})


def run(settings: Settings) -> int:
    """Serve until told to stop. Returns the exit code."""
    os.umask(0o007)
    sys.setrecursionlimit(20_000)  # plans are nested up to wire.MAX_DEPTH; protobuf's text form recurses in Python
    asker = make_asker(settings)
    Path(required(settings.gateway_socket, "gateway_socket")).unlink(missing_ok=True)
    lock = hold_instance(asker.sessions.kw["bind"], asker.instance)
    try:
        recover(asker)
        engine = start_engine(engine_settings(settings))
        try:
            return asyncio.run(_serve(settings, asker, engine))
        finally:
            engine.stop()
    finally:
        lock.close()


async def _serve(settings: Settings, asker: Asker, engine: Engine) -> int:
    serving = Serving(settings, asker, engine)
    await serving.start()
    log.info("gateway.serving")
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    watching = asyncio.create_task(serving.watch.run())
    stopping = asyncio.create_task(told.wait())
    done, _ = await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
    with contextlib.suppress(Exception):  # the process ends either way
        await serving.stop()
    return 0 if stopping in done else ENGINE_GONE
