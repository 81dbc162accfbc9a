"""Erasing a private part: its key is destroyed, its entry and every proof stay, and the erasure is an entry itself.

It decides that two different people are needed (document 13 §5); it can never erase an entry. The
database destroys the key in the transaction that appends this entry (migration 0002).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from gongshu.audit.event import Event, EventType, Value
from gongshu.audit.models import LogPayload
from gongshu.audit.work import UnitOfWork
from gongshu.errors import Denied, NotFound, Words


def erase_parts(
    work: UnitOfWork, index: int, names: Sequence[str], *, proposed_by: str, confirmed_by: str, basis: str
) -> str:
    """Erase named private parts of one entry. proposed_by, confirmed_by: pseudonyms of two people. basis: why.

    Raises Denied for one person alone, NotFound when a part is not there or already erased.
    """
    if proposed_by == confirmed_by:
        raise Denied(
            "log.erasure.two_people",
            Words("删除附件须由两个不同的人办理。", "Erasing takes two different people."),
            Words("请另一人确认", "Ask another person to confirm"),
        )
    kept = select(LogPayload.name).where(LogPayload.index == index, LogPayload.wrapped_key.is_not(None))
    missing = set(names) - set(work.session.scalars(kept))
    if missing or not names:
        raise NotFound(
            "log.erasure.absent",
            Words(f"条目 #{index} 没有可删除的这些附件。", f"Entry #{index} has no such private parts to erase."),
        )
    public: dict[str, Value] = {"entry": index, "parts": sorted(names), "confirmed_by": confirmed_by, "basis": basis}
    return work.record(Event(EventType.PAYLOAD_ERASED, actor=proposed_by, public=public))
