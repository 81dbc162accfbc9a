"""The client of the policy server: one question, one verified answer, or a refusal that names the policy.

Unreachable, slow, undefined, malformed, too narrow or too wide an answer: always Unavailable('policy'),
never permission. It keeps no answers: every statement is asked anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

import httpx
import structlog

from gongshu.errors import Unavailable
from gongshu.policy.answer import Unbelievable, read_answer
from gongshu.policy.decision import Decision, short_id

log = structlog.get_logger()
REVISION = re.compile(r"^[0-9a-f]{64}$")
MAX_ANSWER_BYTES = 4 << 20


class Area(StrEnum):
    AUTHORIZATION = "authorization"
    RELEASE = "release"
    PRICING = "pricing"


class Opa:
    """One per process; safe to use from several threads."""

    def __init__(self, url: str, timeout_ms: int = 500, *, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            timeout=httpx.Timeout(timeout_ms / 1000),
            trust_env=False,
            follow_redirects=False,
            transport=transport,
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=8),
        )

    def ask(self, area: Area | str, question: Mapping[str, Any]) -> Decision:
        """Ask one question. Raises Unavailable('policy') on any trouble with the answer."""
        area = Area(area)
        try:
            body = self._post(area, question)
            answer = body.get("result")
            allowed, reasons = read_answer(area, question, answer)
            revision = _revision(body)
        except Unavailable:
            raise
        except (Unbelievable, ValueError, TypeError, KeyError, AttributeError) as error:
            log.error("policy.answer.refused", area=area.value, fault=type(error).__name__)
            raise Unavailable("policy") from error
        assert isinstance(answer, dict)
        return Decision(
            area=area.value,
            allowed=allowed,
            reasons=reasons,
            obligations=answer["obligations"],
            limits=answer["limits"],
            decision_id=short_id(),
            revision=revision,
            question=question,
            answer=answer,
        )

    def _post(self, area: Area, question: Mapping[str, Any]) -> dict[str, Any]:
        path = f"/v1/data/gongshu/{area.value}/decision"
        try:
            response = self._client.post(path, params={"provenance": "true"}, json={"input": question})
        except httpx.HTTPError as error:
            log.warning("policy.server.unreachable", area=area.value, fault=type(error).__name__)
            raise Unavailable("policy") from error
        if response.status_code != httpx.codes.OK or len(response.content) > MAX_ANSWER_BYTES:
            log.warning("policy.server.refused", area=area.value, status=response.status_code)
            raise Unavailable("policy")
        body = json.loads(response.content, parse_float=_refuse_float, parse_constant=_refuse_float)
        if not isinstance(body, dict):
            raise Unbelievable("the body is not an object")
        return body

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _refuse_float(text: str) -> Any:
    raise Unbelievable(f"a number is not an integer ({len(text)} characters)")


def _revision(body: Mapping[str, Any]) -> str:
    """The revision of the one bundle that answered."""
    bundles = body["provenance"]["bundles"]
    revisions = [bundle["revision"] for bundle in bundles.values()]
    if len(revisions) != 1 or not REVISION.match(revisions[0]):
        raise Unbelievable("the answer names no revision of the rules")
    return str(revisions[0])
