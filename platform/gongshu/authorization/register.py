"""The public register: who was authorised to use what for what, past and present. No person's name is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.authorization.models import Agreement, GrantRow, Scenario
from gongshu.errors import Words


@dataclass(frozen=True)
class Registered:
    """One agreement that came into force. state: active, expired or revoked."""

    scenario: str
    title: Words
    purpose: str
    operator: str
    agreement: str
    datasets: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime
    state: str


def public_register(session: Session, now: datetime) -> list[Registered]:
    """Every agreement that was signed by both sides, the newest first."""
    rows = session.execute(
        select(Agreement, Scenario)
        .join(Scenario, Scenario.code == Agreement.scenario)
        .where(Agreement.valid_from.is_not(None))
        .order_by(Agreement.valid_from.desc(), Agreement.id)
    ).all()
    granted: dict[str, list[str]] = {}
    for agreement, dataset in session.execute(select(GrantRow.agreement, GrantRow.dataset).order_by(GrantRow.dataset)):
        granted.setdefault(agreement, []).append(dataset)
    return [_registered(agreement, scenario, tuple(granted.get(agreement.id, ())), now) for agreement, scenario in rows]


def _registered(agreement: Agreement, scenario: Scenario, datasets: tuple[str, ...], now: datetime) -> Registered:
    assert agreement.valid_from is not None and agreement.valid_until is not None
    state = "revoked" if agreement.revoked_at else "expired" if agreement.valid_until <= now else "active"
    title = Words(scenario.title_zh, scenario.title_en)
    return Registered(
        scenario.code,
        title,
        scenario.purpose,
        scenario.operator,
        agreement.number,
        datasets,
        agreement.valid_from,
        agreement.valid_until,
        state,
    )
