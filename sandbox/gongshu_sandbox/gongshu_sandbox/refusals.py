"""A refusal in two calm lines: what was refused and by which clause, and what to do next.

The stack of a refused statement tells an analyst nothing; errors of the analyst's own code keep theirs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

from gongshu_sandbox.place import is_english

UNREACHABLE = (
    "数据网关没有应答,语句没有执行。下一步:请稍后重试;平台运维已收到通知。",
    "The data gateway does not answer; nothing ran. Next: try again shortly; operations have been told.",
)


class Refused(Exception):
    """The portal or the gateway said no. `str()` is the two lines."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        self.code = code
        self.zh = zh
        self.en = en
        super().__init__("\n".join(in_order(zh, en)))


def in_order(zh: str, en: str) -> list[str]:
    """Both sentences, the kernel's own language first."""
    pair = [en, zh] if is_english() else [zh, en]
    return [line for line in pair if line]


def from_envelope(envelope: dict[str, Any]) -> Refused:
    """Make a refusal of the platform's error envelope."""
    message, step = envelope.get("message") or {}, envelope.get("next_step") or {}
    zh, en = str(message.get("zh", "")), str(message.get("en", ""))
    if step.get("zh"):
        zh += f"下一步:{step['zh']}"
    if step.get("en"):
        en += f" Next: {step['en']}"
    return Refused(str(envelope.get("code", "refused")), zh, en)


def calm_lines(error: BaseException) -> list[str]:
    """The one or two lines to show for an error of Spark or of a door."""
    if isinstance(error, Refused):
        return str(error).splitlines()[:2]
    text = str(error)
    if "UNAVAILABLE" in text or "failed to connect" in text.lower():
        return in_order(*UNREACHABLE)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not re.match(r"^(== .* ==|JVM stacktrace|at org\.|Stack trace)", line)]
    return [line[:600] for line in lines[:2]] or [type(error).__name__]


Shower = Callable[[Any, type[BaseException], BaseException, TracebackType | None, int | None], list[str]]


def show_calmly(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,  # noqa: ARG001 - the shape that IPython calls
    tb_offset: int | None = None,  # noqa: ARG001 - the shape that IPython calls
) -> list[str]:
    """IPython's custom handler for Spark's errors and our own."""
    lines = calm_lines(error)
    shown = [f"\x1b[31m✗\x1b[0m {lines[0]}", *(f"  \x1b[2m{line}\x1b[0m" for line in lines[1:])]
    shell._showtraceback(kind, error, shown)
    return shown


def install(shell: Any, *kinds: type[BaseException]) -> None:
    """Show errors of these kinds calmly in this shell; outside IPython there is nothing to do."""
    if shell is not None:
        shell.set_custom_exc(kinds, show_calmly)


def note(text: str) -> None:
    """One line to the person, beside the results."""
    sys.stderr.write(text + "\n")
