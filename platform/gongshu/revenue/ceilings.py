"""Ceilings: the most a unit may cost, set by the office that authorises (授权主体), never by who prices.

It decides which ceiling binds a price at a moment; a ceiling is replaced by a newer one, never edited.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, UnitOfWork
from gongshu.clock import to_text
from gongshu.errors import Invalid, Words
from gongshu.identity import Actor, Role, require_role
from gongshu.revenue.models import CEILING_NUMBERS, Ceiling
from gongshu.revenue.price import Meter

CODE = re.compile(r"^[a-z][a-z0-9]*(?:[.-][a-z0-9]+){0,6}$")
MAX_MICROFEN = 10**15  # 10 million yuan for one unit: more is a slip of the pen


@dataclass(frozen=True)
class NewCeiling:
    price: str
    meter: Meter
    unit: int
    unit_name: str
    microfen: int
    basis: str
    valid_from: datetime
    valid_until: datetime


def set_ceiling(work: UnitOfWork, actor: Actor, new: NewCeiling) -> Ceiling:
    """Set a ceiling from a moment on. Raises Denied for anyone but the office's officer, Invalid."""
    require_role(actor, Role.OFFICER, duty="principal")
    _require_sound(new)
    number = work.session.scalar(select(CEILING_NUMBERS.next_value()))
    ceiling_id = f"C-{number:04d}"
    entry_id = work.record(
        Event(
            EventType.CEILING_SET,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            public={
                "ceiling": ceiling_id,
                "price": new.price,
                "meter": new.meter.value,
                "unit": new.unit,
                "microfen": new.microfen,
                "valid_from": to_text(new.valid_from),
                "valid_until": to_text(new.valid_until),
                "basis": new.basis,
            },
        )
    )
    row = Ceiling(**{**vars(new), "meter": new.meter.value}, id=ceiling_id, set_by=actor.pseudonym, entry_id=entry_id)
    work.session.add(row)
    work.session.flush()
    return row


def ceiling_at(session: Session, price: str, moment: datetime) -> Ceiling | None:
    """The ceiling of a price in force at a moment: the one set last."""
    query = select(Ceiling).where(Ceiling.price == price, Ceiling.valid_from <= moment, Ceiling.valid_until > moment)
    return session.scalars(query.order_by(Ceiling.valid_from.desc(), Ceiling.id.desc()).limit(1)).one_or_none()


def ceilings(session: Session) -> Sequence[Ceiling]:
    """All ceilings, by price, newest first."""
    return session.scalars(select(Ceiling).order_by(Ceiling.price, Ceiling.valid_from.desc(), Ceiling.id.desc())).all()


def _require_sound(new: NewCeiling) -> None:
    if not CODE.match(new.price) or len(new.price) > 80:
        raise Invalid(
            "revenue.price.code",
            Words(
                "收费项目代码用小写字母、数字、点和连字符,如 tourism-flow.bytes。",
                "A price code has lower-case letters, digits, dots and hyphens, such as tourism-flow.bytes.",
            ),
            Words("请更正代码", "Correct the code"),
        )
    if not 0 <= new.microfen <= MAX_MICROFEN:
        raise Invalid(
            "revenue.ceiling.amount",
            Words("上限不能为负,也不能超过一千万元。", "A ceiling is not negative and at most ten million yuan."),
            Words("请核对金额与单位(分)", "Check the amount and its unit (fen)"),
        )
    if not 0 < new.unit <= 1 << 50 or not new.unit_name.strip():
        raise Invalid(
            "revenue.unit", Words("计价单位须为正整数并有名称。", "The priced unit is a positive integer with a name.")
        )
    if new.valid_from >= new.valid_until:
        raise Invalid(
            "revenue.ceiling.term", Words("上限的失效时间须晚于生效时间。", "A ceiling ends after it begins.")
        )
    if not new.basis.strip():
        raise Invalid(
            "revenue.ceiling.basis",
            Words("请写明定价依据文号。", "Name the document the ceiling rests on."),
            Words("填写依据", "Fill in the basis"),
        )
