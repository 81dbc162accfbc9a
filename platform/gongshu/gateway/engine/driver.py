"""The engine's verbs, over py4j to the helper in the driver.

Each call is one message there and one back (JSON), bounded in time on both sides. It never interprets a plan: the
helper does, with Spark's own parser and analyser.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from py4j.java_gateway import GatewayParameters, JavaGateway
from py4j.protocol import Py4JError

from gongshu.errors import Unavailable
from gongshu.gateway.engine.confs import pinned_conf
from gongshu.gateway.engine.errors import EngineRefusal, StatementFailed, safe_error
from gongshu.gateway.engine.process import start_driver, stop_driver
from gongshu.gateway.engine.release import read_release_table, release_request
from gongshu.gateway.engine.shapes import (
    Description,
    EngineSettings,
    Measure,
    ReleaseTable,
    SecuredPlan,
    SecuredRelation,
    SessionKey,
    ViewPlan,
)
from gongshu.gateway.engine.wire import handle_relation, read_description, read_secured, statement_request


class Engine:
    """A running driver. Made by `start_engine`."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._driver = start_driver(settings)
        self._gateway = JavaGateway(
            gateway_parameters=GatewayParameters(
                port=self._driver.py4j_port,
                auth_token=self._driver.py4j_token,
                read_timeout=settings.call_seconds + 10,
            )
        )
        self._stopping = threading.Event()
        self.pinned_conf: Mapping[str, str] = pinned_conf(settings)

    @property
    def connect_endpoint(self) -> tuple[str, int, str]:
        """Host, port and token of Spark Connect: send ``authorization: Bearer <token>`` as metadata."""
        return "localhost", self._driver.connect_port, self._driver.connect_token

    @property
    def pid(self) -> int:
        return self._driver.process.pid

    def alive(self) -> bool:
        """Whether the driver process runs. False as soon as it is gone; does not ask the driver anything."""
        return not self._stopping.is_set() and self._driver.process.poll() is None

    def describe(self, session: SessionKey, plan: bytes) -> Description:
        """Names and functions of a plan. Raises EngineRefusal, StatementFailed (it does not parse)."""
        return read_description(self._call("describe", session.user_id, session.session_id, plan))

    def secure(
        self,
        session: SessionKey,
        plan: bytes,
        relations: Sequence[SecuredRelation],
        views: Sequence[ViewPlan] = (),
    ) -> SecuredPlan:
        """Govern and analyse a plan and keep it under a handle. Raises EngineRefusal, StatementFailed, Unavailable."""
        request = statement_request(relations, views)
        return read_secured(self._call("secure", session.user_id, session.session_id, plan, json.dumps(request)))

    def release_table(
        self,
        session: SessionKey,
        plan: bytes,
        by: Sequence[str],
        measures: Sequence[Measure],
        relations: Sequence[SecuredRelation],
        views: Sequence[ViewPlan] = (),
    ) -> ReleaseTable:
        """Aggregate a governed plan with evidence per cell (13 §20). Raises EngineRefusal, StatementFailed."""
        request = {**statement_request(relations, views), **release_request(by, measures)}
        answer = self._call("releaseTable", session.user_id, session.session_id, plan, json.dumps(request))
        return read_release_table(answer)

    def handle_relation(self, handle: str) -> bytes:
        """A `spark.connect.Relation` that stands for the secured plan; good once, in its own session only."""
        return handle_relation(handle)

    def forget_handle(self, handle: str) -> None:
        self._ask("forgetHandle", handle)

    def metered(self, operation_id: str, patience_ms: int = 150) -> dict[str, Any]:
        """What an operation took: cpu_ms, spilled_bytes, bytes_read, tasks, scanned per dataset; {} if no job ran.

        Raw figures, which tell of hidden rows: for the regulators' payload only.
        """
        return self._call("metered", operation_id, patience_ms)

    def forget(self, session: SessionKey) -> None:
        """Drop the session: its handles, its jobs and Spark's own session."""
        self._ask("forget", session.user_id, session.session_id)

    def interrupt(self, session: SessionKey) -> None:
        """Stop what describe, secure or release_table run for this session."""
        self._ask("interrupt", session.user_id, session.session_id)

    def stop(self) -> None:
        self._stopping.set()
        self._gateway.close()
        stop_driver(self._driver.process)

    def _call(self, verb: str, *arguments: str | bytes | int) -> dict[str, Any]:
        answer = json.loads(self._ask(verb, *arguments))
        if "ok" in answer:
            ok: dict[str, Any] = answer["ok"]
            return ok
        if "refused" in answer:
            raise EngineRefusal(answer["refused"]["code"], answer["refused"]["details"])
        raise _failure(answer["failed"])

    def _ask(self, verb: str, *arguments: str | bytes | int) -> Any:
        if not self.alive():
            raise Unavailable("engine")
        try:
            return getattr(self._gateway.entry_point, verb)(*arguments)
        except (TimeoutError, Py4JError, OSError) as error:
            raise Unavailable("engine") from error


def _failure(failed: dict[str, Any]) -> Exception:
    if failed["storage"]:
        return Unavailable("storage")
    if failed["condition"] in ("GONGSHU_TIMEOUT", "GONGSHU_MEMORY"):
        return Unavailable("engine")
    return StatementFailed(
        safe_error(failed["condition"], failed["sql_state"], failed["parameters"], failed["message"])
    )


def start_engine(settings: EngineSettings) -> Engine:
    """Start the driver and return when it answers. Raises Unavailable("engine")."""
    return Engine(settings)
