"""The price book: published whole, version by version, as canonical JSON that anyone may read.

It decides what may be activated: nothing negative, nothing above its ceiling, nothing backwards in time,
and public-interest use only at zero. Rule here, policy (area `pricing`) and database constraint say the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork
from gongshu.audit.entry import canonical
from gongshu.clock import to_text
from gongshu.errors import Invalid, Words
from gongshu.identity import Actor, Role, require_role
from gongshu.policy import Decision, Opa
from gongshu.revenue.ceilings import CODE, MAX_MICROFEN, ceiling_at
from gongshu.revenue.models import BookedPrice, Ceiling, PriceBook
from gongshu.revenue.price import Book, Kind, Meter, Price, Tier, book_at, book_from

MAX_TIERS = 20
BOOK_LOCK = 7_001  # advisory: one publication at a time


@dataclass(frozen=True)
class NewPrice:
    """A price as the officer writes it; its ceiling is looked up, never given."""

    code: str
    title_zh: str
    title_en: str
    meter: Meter
    unit: int
    unit_name: str
    kind: Kind
    use: str
    tiers: tuple[Tier, ...]


def publish_book(
    work: UnitOfWork, actor: Actor, new: Sequence[NewPrice], effective_from: datetime | None, opa: Opa
) -> tuple[PriceBook | None, Decision]:
    """Publish the next version: the newest one with these prices added or replaced.

    Returns the version, or None with the policy's refusal (which is recorded: commit, then
    `decision.require()`). Raises Denied, Invalid (negative, above ceiling, backwards), Unavailable.
    """
    require_role(actor, Role.OFFICER, duty="agency")
    now = work.clock.now()
    start = now if effective_from is None else effective_from
    _require_forward(start, now)
    work.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": BOOK_LOCK})
    books = all_books(work.session)
    version = max((book.version for book in books), default=0) + 1
    if books and to_text(start) < books[-1].effective_from:
        raise _backwards()
    prices = [_under_ceiling(work.session, one, start) for one in new]
    if not prices or len({price.code for price in prices}) != len(prices):
        raise Invalid(
            "revenue.price.list",
            Words("请至少给出一项收费标准,且代码不重复。", "Give at least one price, each code once."),
        )
    carried = dict(books[-1].prices) if books else {}
    book = Book(version, to_text(start), {**carried, **{price.code: price for price in prices}})
    decision = opa.ask("pricing", _question(work.session, prices, start))
    document = canonical(book.as_value())
    entry_id = _record(work, actor, book, document, decision)
    if not decision.allowed:
        return None, decision
    return _keep(work, actor, book, document, (entry_id, now)), decision


def all_books(session: Session) -> list[Book]:
    """Every published version, oldest first."""
    return [
        book_from(orjson.loads(row.document)) for row in session.scalars(select(PriceBook).order_by(PriceBook.version))
    ]


def present_book(session: Session, now: datetime) -> Book | None:
    """The version in force."""
    return book_at(all_books(session), to_text(now))


def published(session: Session) -> Sequence[PriceBook]:
    """The versions as they were published, newest first."""
    return session.scalars(select(PriceBook).order_by(PriceBook.version.desc())).all()


def newest_version(session: Session) -> int:
    return session.scalar(select(func.max(PriceBook.version))) or 0


def _keep(work: UnitOfWork, actor: Actor, book: Book, document: bytes, said: tuple[str, datetime]) -> PriceBook:
    """said: the entry and the moment; a second look at the clock would be later than effective_from."""
    entry_id, now = said
    row = PriceBook(
        version=book.version,
        effective_from=datetime.fromisoformat(book.effective_from),
        document=document.decode(),
        sha256=hashlib.sha256(document).hexdigest(),
        published_by=actor.pseudonym,
        published_at=now,
        entry_id=entry_id,
    )
    work.session.add(row)
    work.session.flush()
    work.session.add_all(
        BookedPrice(
            version=book.version,
            price=price.code,
            meter=price.meter.value,
            unit=price.unit,
            lowest_microfen=min(tier.microfen for tier in price.tiers),
            highest_microfen=price.highest_microfen,
            ceiling=price.ceiling,
            ceiling_microfen=price.ceiling_microfen,
        )
        for price in book.prices.values()
    )
    work.session.flush()
    return row


def _record(work: UnitOfWork, actor: Actor, book: Book, document: bytes, decision: Decision) -> str:
    public, private = decision.evidence()
    digest = hashlib.sha256(document).hexdigest()
    if decision.allowed:
        work.keep_blob(document, kind="price-book", label=str(book.version))
    return work.record(
        Event(
            EventType.PRICE_BOOK_PUBLISHED if decision.allowed else EventType.PRICE_BOOK_REFUSED,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            public={"version": book.version, "effective_from": book.effective_from, "book": digest, **public},
            private={name: Private(payload) for name, payload in private.items()},
        )
    )


def _under_ceiling(session: Session, new: NewPrice, start: datetime) -> Price:
    _require_sound(new)
    ceiling = ceiling_at(session, new.code, start)
    fits = ceiling is not None and (ceiling.meter, ceiling.unit) == (new.meter.value, new.unit)
    bound = ceiling if fits else None
    price = Price(**vars(new), ceiling=bound.id if bound else None, ceiling_microfen=bound.microfen if bound else None)
    if price.highest_microfen and bound is None:
        raise Invalid(
            "revenue.price.no_ceiling",
            Words(
                f"{new.code} 没有同一计量单位的有效上限,不能启用。",
                f"{new.code} has no ceiling in force for this meter and unit, so it cannot be activated.",
            ),
            Words("请授权主体先设定上限", "Ask the authorising office to set the ceiling first"),
            price=new.code,
        )
    if bound is not None and price.highest_microfen > bound.microfen:
        raise Invalid(
            "revenue.price.over_ceiling",
            Words(
                f"{new.code} 高于上限 {bound.id},不能启用。",
                f"{new.code} is above its ceiling {bound.id}, so it cannot be activated.",
            ),
            Words(
                "调低价格,或请授权主体调整上限", "Lower the price, or ask the authorising office to change the ceiling"
            ),
            price=new.code,
            ceiling_microfen=bound.microfen,
        )
    return price


def _require_sound(new: NewPrice) -> None:
    if not CODE.match(new.code) or len(new.code) > 80 or not new.title_zh.strip() or not new.title_en.strip():
        raise Invalid(
            "revenue.price.code",
            Words("收费项目要有代码和中英文名称。", "A price needs a code and a name in both languages."),
        )
    if any(tier.microfen < 0 for tier in new.tiers):
        raise Invalid(
            "revenue.price.negative",
            Words("价格不能为负。", "A price cannot be negative."),
            Words("免费用零费率(zero-rated)", "For free use choose zero-rated"),
            price=new.code,
        )
    bounds = [tier.up_to for tier in new.tiers]
    ends = [bound for bound in bounds[:-1] if bound is not None]
    sound = 0 < len(new.tiers) <= MAX_TIERS and bounds[-1] is None and len(ends) == len(bounds) - 1
    if (
        not sound
        or any(later <= earlier for earlier, later in zip([0, *ends], ends, strict=False))
        or (new.kind is Kind.UNIT and ends)
    ):
        raise Invalid(
            "revenue.price.tiers",
            Words("阶梯要从低到高、首尾相接,最后一档不封顶。", "Tiers rise without gaps and the last one has no end."),
            Words("请更正各档起止", "Correct the tiers"),
            price=new.code,
        )
    if not 0 < new.unit <= 1 << 50 or max(tier.microfen for tier in new.tiers) > MAX_MICROFEN:
        raise Invalid("revenue.unit", Words("计价单位或金额超出范围。", "The unit or the amount is out of range."))
    if new.use not in ("industry", "public-interest"):
        raise Invalid(
            "revenue.price.use", Words("用途只能是产业发展或公共利益。", "The use is industry or public-interest.")
        )


def _require_forward(start: datetime, now: datetime) -> None:
    if start < now:
        raise _backwards()


def _backwards() -> Invalid:
    return Invalid(
        "revenue.price.backwards",
        Words(
            "收费标准不能溯及既往,生效时间须不早于现在和上一版。",
            "A price book takes effect neither in the past nor before the version before it.",
        ),
        Words("请改为现在或以后的时间", "Choose now or a later moment"),
    )


def pricing_facts(price: Price, use: str, ceiling: Ceiling | None) -> dict[str, object]:
    """A price as the policy's area `pricing` sees it."""
    charged = [0] if price.kind is Kind.ZERO_RATED else [tier.microfen for tier in price.tiers]
    return {
        "price": price.code,
        "meter": price.meter.value,
        "use": use,
        "kind": price.kind.value,
        "unit_prices_microfen": charged,
        "ceiling": None
        if ceiling is None
        else {
            "meter": ceiling.meter,
            "unit_price_microfen_max": ceiling.microfen,
            "valid_from": to_text(ceiling.valid_from),
            "valid_until": to_text(ceiling.valid_until),
        },
    }


def _question(session: Session, prices: Sequence[Price], start: datetime) -> dict[str, object]:
    facts = [
        pricing_facts(price, price.use, session.get(Ceiling, price.ceiling) if price.ceiling else None)
        for price in prices
    ]
    return {"action": "activate-price", "prices": facts, "now": to_text(start)}
