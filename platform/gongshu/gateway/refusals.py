"""How a refusal reaches a Spark client: gRPC status, sentence in both languages, envelope, typed Spark error.

It decides wording and codes at the edge only. It must never pass on a Java stack, a path, or a value
that stood in the data; and never UNAVAILABLE, which pyspark would retry for minutes in silence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from gongshu.errors import (
    Conflict,
    Denied,
    GongshuError,
    Invalid,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Words,
)
from gongshu.gateway.engine import SafeError

MAX_TEXT = 500
TOLD_IN_OUTCOME = "told in the statement's outcome"  # a note on an error: the edge makes no second entry for it
STATUS: tuple[tuple[type[GongshuError], grpc.StatusCode], ...] = (
    (Unauthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (Denied, grpc.StatusCode.PERMISSION_DENIED),
    (NotFound, grpc.StatusCode.PERMISSION_DENIED),  # absent and denied read the same
    (Conflict, grpc.StatusCode.ABORTED),
    (TooLarge, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (Unavailable, grpc.StatusCode.FAILED_PRECONDITION),
    (Invalid, grpc.StatusCode.INVALID_ARGUMENT),
)


class SparkError(GongshuError):
    """An error of the analyst's own statement, told as Spark tells it, without data (engine's safe_error)."""

    status = 422

    def __init__(
        self, message: Words, *, classes: tuple[str, ...], condition: str, sql_state: str, parameters: Mapping[str, str]
    ) -> None:
        super().__init__(f"spark.{condition or classes[0]}", message)
        self.classes = classes
        self.condition = condition
        self.sql_state = sql_state
        self.parameters = dict(parameters)


def as_spark_error(safe: SafeError, *classes: str) -> SparkError:
    return SparkError(
        safe.message, classes=classes, condition=safe.condition, sql_state=safe.sql_state, parameters=safe.parameters
    )


class HandleError(GongshuError):
    """An operation or session that is not (or no longer) there; pyspark reads the condition in the text."""

    status = 404

    def __init__(self, condition: str, words: Words) -> None:
        super().__init__(
            f"gateway.handle.{condition.lower()}", Words(f"[{condition}] {words.zh}", f"[{condition}] {words.en}")
        )


@dataclass(frozen=True)
class Told:
    """What goes on the wire."""

    code: grpc.StatusCode
    text: str
    metadata: tuple[tuple[str, bytes], ...]


def tell(error: GongshuError, language: str, request_id: str) -> Told:
    """Turn an error into status, text and trailing metadata."""
    code = next((code for kind, code in STATUS if isinstance(error, kind)), grpc.StatusCode.INTERNAL)
    if isinstance(error, SparkError):
        code = grpc.StatusCode.INVALID_ARGUMENT if error.condition else grpc.StatusCode.INTERNAL
    if isinstance(error, HandleError):
        code = grpc.StatusCode.NOT_FOUND
    text = sentence(error, language)
    status = status_pb2.Status(code=code.value[0], message=text)
    if isinstance(error, SparkError):
        status.details.append(_spark_info(error))
    envelope = json.dumps(error.envelope(request_id), ensure_ascii=False, default=str).encode()
    metadata: tuple[tuple[str, bytes], ...] = (("grpc-status-details-bin", status.SerializeToString()),)
    if len(envelope) <= 3000:
        metadata += (("gongshu-error-bin", envelope),)
    return Told(code, text, metadata)


def sentence(error: GongshuError, language: str) -> str:
    """What happened and what to do next, in both languages; the kernel's own first."""
    lines = [_line(error, each) for each in (("en", "zh") if language == "en" else ("zh", "en"))]
    return "\n".join(clip(line) for line in lines)


def clip(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _line(error: GongshuError, language: str) -> str:
    said = error.message.in_language(language)
    if error.next_step is None:
        return said
    step = error.next_step.in_language(language)
    return f"{said} Next: {step}" if language == "en" else f"{said} 下一步:{step}"


def _spark_info(error: SparkError) -> any_pb2.Any:
    parameters = {name: clip(value) for name, value in error.parameters.items()}
    info = error_details_pb2.ErrorInfo(
        reason=error.classes[0],
        domain="org.apache.spark",
        metadata={
            "classes": json.dumps(error.classes),
            "errorClass": error.condition,
            "sqlState": error.sql_state,
            "messageParameters": json.dumps(parameters, ensure_ascii=False),
        },
    )
    packed = any_pb2.Any()
    packed.Pack(info)
    return packed


def internal(error: BaseException) -> GongshuError:
    """A fault of ours: told without any detail; the log for engineers has the rest."""
    return GongshuError(
        "gateway.internal",
        Words(
            "网关内部出错,语句没有完成,已记录。",
            "The gateway failed; the statement did not complete. It has been recorded.",
        ),
        Words("请重试;若再次出现,把时间告诉平台运维", "Try again; if it happens again, tell operations the time"),
        fault=type(error).__name__,
    )
