"""What a ceiling and a price look like when somebody writes them: one model for page and API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from gongshu import revenue
from gongshu.money import MICROFEN_PER_FEN

UNITS = {revenue.Meter.BILLABLE_BYTES: (1 << 30, "GiB"), revenue.Meter.RELEASED_CELLS: (1, "cell")}
CEILING_DAYS = 730


class Amount(BaseModel):
    """Per unit: in fen, or in micro-fen (10⁻⁶ fen) where a fen is too much; exactly one of the two."""

    model_config = ConfigDict(extra="forbid")
    unit_price_fen: int | None = None
    unit_price_microfen: int | None = None

    @model_validator(mode="after")
    def one_amount(self) -> Self:
        if (self.unit_price_fen is None) == (self.unit_price_microfen is None):
            raise ValueError("give unit_price_fen or unit_price_microfen")
        return self

    @property
    def microfen(self) -> int:
        if self.unit_price_microfen is not None:
            return self.unit_price_microfen
        return (self.unit_price_fen or 0) * MICROFEN_PER_FEN


class CeilingIn(Amount):
    """unit, unit_name: default to GiB for bytes and to one cell. The ceiling is inclusive."""

    price: str = Field(max_length=80)
    meter: revenue.Meter
    unit: int | None = None
    unit_name: str = Field("", max_length=20)
    basis: str = Field(min_length=1, max_length=500)
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None

    def to_ceiling(self, now: datetime) -> revenue.NewCeiling:
        unit, name = UNITS[self.meter]
        start = self.valid_from or now
        return revenue.NewCeiling(
            price=self.price,
            meter=self.meter,
            unit=self.unit or unit,
            unit_name=self.unit_name or name,
            microfen=self.microfen,
            basis=self.basis,
            valid_from=start,
            valid_until=self.valid_until or start + timedelta(days=CEILING_DAYS),
        )


class TierIn(Amount):
    """up_to: in priced units (20 for 20 GiB); left out in the last tier."""

    up_to: int | None = Field(None, gt=0, le=1 << 40)


class PriceIn(BaseModel):
    """kind zero-rated: the tiers are the shadow price, nothing is charged."""

    model_config = ConfigDict(extra="forbid")
    price: str = Field(max_length=80)
    title_zh: str = Field(min_length=1, max_length=120)
    title_en: str = Field(min_length=1, max_length=120)
    meter: revenue.Meter
    unit: int | None = None
    unit_name: str = Field("", max_length=20)
    kind: revenue.Kind
    use: str = "industry"
    tiers: list[TierIn] = Field(min_length=1, max_length=20)

    def to_price(self) -> revenue.NewPrice:
        unit, name = UNITS[self.meter]
        unit = self.unit or unit
        tiers = tuple(
            revenue.Tier(None if tier.up_to is None else tier.up_to * unit, tier.microfen) for tier in self.tiers
        )
        return revenue.NewPrice(
            code=self.price,
            title_zh=self.title_zh,
            title_en=self.title_en,
            meter=self.meter,
            unit=unit,
            unit_name=self.unit_name or name,
            kind=self.kind,
            use=self.use,
            tiers=tiers,
        )


class BookIn(BaseModel):
    """The next version of the price book: prices to add or replace. effective_from: now unless given."""

    model_config = ConfigDict(extra="forbid")
    effective_from: AwareDatetime | None = None
    prices: list[PriceIn] = Field(min_length=1, max_length=200)


class ClosingIn(BaseModel):
    """lines_root: of the prepared run that was looked at; a closing of anything else is refused."""

    model_config = ConfigDict(extra="forbid")
    lines_root: str | None = None


def price_from_form(sent: dict[str, Any]) -> dict[str, Any]:
    """The page's price form (up to three tiers, amounts in yuan) as the API's JSON."""
    tiers = []
    for number in ("1", "2", "3"):
        amount = sent.pop(f"amount_{number}", None)
        up_to = sent.pop(f"up_to_{number}", None)
        if amount is not None:
            tiers.append({"up_to": up_to, "unit_price_microfen": microfen_of_yuan(str(amount))})
    return {**sent, "tiers": tiers}


def microfen_of_yuan(text: str) -> int | str:
    """``0.005`` yuan as micro-fen; text that is no amount is handed on for the model to refuse."""
    sign = -1 if text.startswith("-") else 1
    whole, _point, part = text.lstrip("-").partition(".")
    if not (whole + part).isascii() or not (whole + part).isdigit() or len(part) > 8 or len(whole) > 12:
        return text
    return sign * (int(whole or "0") * 10**8 + int(part.ljust(8, "0")))
