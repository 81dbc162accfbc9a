"""One root for every error that a person may see, and one envelope for it.

A refusal says what happened, by which clause, and what to do next, in both languages; it never
holds row data, tokens, paths of the machine or another tenant's names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Words:
    """One sentence in both languages; Chinese first."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh

    def in_language(self, language: str) -> str:
        return self.en if language == "en" else self.zh


class GongshuError(Exception):
    """Root of all errors shown to people.

    code: stable and dotted (``authorization.term.too_long``). status: the HTTP status at the edge.
    """

    status: ClassVar[int] = 500

    def __init__(self, code: str, message: Words, next_step: Words | None = None, **details: object) -> None:
        super().__init__(f"{code}: {message.zh}")
        self.code = code
        self.message = message
        self.next_step = next_step
        self.details = details

    def envelope(self, request_id: str) -> dict[str, object]:
        """Return the JSON error envelope of the API."""
        body: dict[str, object] = {
            "code": self.code,
            "message": {"zh": self.message.zh, "en": self.message.en},
            "next_step": {"zh": self.next_step.zh, "en": self.next_step.en} if self.next_step else None,
            "request_id": request_id,
        }
        if self.details:
            body["details"] = self.details
        return body


class Invalid(GongshuError):
    """The input breaks a rule; nothing was changed."""

    status = 422


class Unauthenticated(GongshuError):
    """Nobody is logged in, or the token is no longer good."""

    status = 401


class Denied(GongshuError):
    """The person may see the thing but not do this to it (duty, term, clause)."""

    status = 403


class NotFound(GongshuError):
    """It does not exist, or belongs to another tenant: the two read the same."""

    status = 404


class Conflict(GongshuError):
    """Somebody else was faster, or the state does not allow this step."""

    status = 409


class TooLarge(GongshuError):
    status = 413


class Unavailable(GongshuError):
    """A part is gone, slow or talking nonsense; the answer is no. `part` names it."""

    status = 503

    def __init__(self, part: str, message: Words | None = None, next_step: Words | None = None) -> None:
        name = PART_NAMES.get(part, Words(part, part))
        super().__init__(
            f"unavailable.{part}",
            message or Words(f"{name.zh}暂时不可用,操作没有执行。", f"The {name.en} is unavailable; nothing was done."),
            next_step or Words("请稍后重试;平台运维已收到通知。", "Try again shortly; operations have been told."),
            part=part,
        )
        self.part = part


PART_NAMES = {
    "policy": Words("策略服务", "policy server"),
    "log": Words("审计日志", "audit log"),
    "database": Words("数据库", "database"),
    "storage": Words("数据存储", "data store"),
    "engine": Words("计算引擎", "compute engine"),
    "hub": Words("沙箱管理服务", "sandbox hub"),
}
