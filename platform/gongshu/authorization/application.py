"""What an operator asks for: the form of an application, the same for the page and the API.

It decides what an application may say; whether the datasets and columns exist is looked up by the verb.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gongshu.errors import Invalid, Words

MAX_TERM_MONTHS = 60
# The code becomes part of a Hub user name `<person>--<scenario>`: no double hyphen, none at an end.
CODE = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
DATASET = r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
OutputKind = Literal["table", "chart", "text", "model"]


class Quota(BaseModel):
    """Daily limits of the scenario, for all its analysts together."""

    model_config = ConfigDict(extra="forbid")
    billable_bytes_per_day: int = Field(default=2 << 30, ge=1, le=1 << 50)
    statements_per_day: int = Field(default=5000, ge=1, le=1_000_000)


class DatasetRequest(BaseModel):
    """Columns of one dataset, with the rows and masks proposed. price: code in the price book."""

    model_config = ConfigDict(extra="forbid")
    dataset: str = Field(pattern=DATASET, max_length=120)
    columns: list[str] = Field(min_length=1, max_length=300)
    row_filter: dict[str, Any] | None = None
    masks: dict[str, dict[str, Any]] = Field(default_factory=dict)
    use: Literal["industry", "public-interest"] = "industry"
    price: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,79}$")
    reason: Sentence

    @model_validator(mode="after")
    def columns_once(self) -> DatasetRequest:
        repeated = sorted({column for column in self.columns if self.columns.count(column) > 1})
        if repeated:
            raise Invalid(
                "authorization.column.repeated",
                Words(
                    f"{self.dataset} 的列 {'、'.join(repeated)} 出现了两次。",
                    f"Columns of {self.dataset} asked for twice: {', '.join(repeated)}.",
                ),
                Words("每列只写一次", "Name each column once"),
            )
        return self


class Attachment(BaseModel):
    """A document written as text. Files go the multipart way."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["plan", "commission", "legal-opinion", "fair-competition"]
    title: Title
    text: Annotated[str, StringConstraints(min_length=1, max_length=200_000)]


class NewScenario(BaseModel):
    """An application. Exactly one of term_months (≤ 60) and term_minutes (demo only) is given."""

    model_config = ConfigDict(extra="forbid")
    code: str = Field(pattern=CODE, min_length=3, max_length=40)
    title_zh: Title
    title_en: Title
    purpose: Sentence
    beneficiary: Sentence
    use: Literal["industry", "public-interest"] | None = Field(
        default=None, description="default for requests that name none"
    )
    output_kinds: list[OutputKind] = Field(min_length=1, max_length=4)
    term_months: int | None = None
    term_minutes: int | None = None
    analysts: list[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,19}$")]] = Field(
        min_length=1, max_length=50
    )
    commission: Sentence | None = Field(
        None, description="text of the commissioning letter, when a department commissioned it"
    )
    requests: list[DatasetRequest] = Field(min_length=1, max_length=50)
    quota: Quota = Quota()
    documents: list[Attachment] = Field(default_factory=list, max_length=10)

    @model_validator(mode="before")
    @classmethod
    def spread_use(cls, values: Any) -> Any:
        """The application's `use` is the default of its requests."""
        if isinstance(values, dict) and values.get("use") and isinstance(values.get("requests"), list):
            spread = [{"use": values["use"], **one} if isinstance(one, dict) else one for one in values["requests"]]
            return {**values, "requests": spread}
        return values


class Verdicts(BaseModel):
    """A steward's decision, column by column. masks, row_filter: absent means as proposed."""

    model_config = ConfigDict(extra="forbid")
    columns: dict[str, Literal["agree", "veto"]] = Field(min_length=1)
    masks: dict[str, dict[str, Any] | None] = Field(default_factory=dict)
    row_filter: dict[str, Any] | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = ""


def require_term(new: NewScenario, *, demo: bool) -> None:
    """Raise Invalid unless exactly one term is given, of at most five years (发改数据规〔2025〕27号)."""
    if (new.term_months is None) == (new.term_minutes is None):
        raise _bad_term("term", "须写明期限,并且只写一种", "State the term, in one way only")
    if new.term_minutes is not None:
        if not demo:
            raise _bad_term("not_demo", "以分钟计的期限只用于演示", "Terms in minutes are for the demo only")
        if not 1 <= new.term_minutes <= 60 * 24 * 31:
            raise _bad_term("range", "期限应在 1 分钟到 31 天之间", "The term must be between 1 minute and 31 days")
        return
    assert new.term_months is not None
    if new.term_months < 1:
        raise _bad_term("range", "期限至少 1 个月", "The term must be at least 1 month")
    if new.term_months > MAX_TERM_MONTHS:
        raise _bad_term(
            "too_long",
            "授权期限不能超过五年(60 个月)",
            "The term of an authorization cannot exceed five years (60 months)",
        )


def _bad_term(code: str, zh: str, en: str) -> Invalid:
    return Invalid(
        f"authorization.term.{code}",
        Words(f"{zh}。", f"{en}."),
        Words(f"填写 1–{MAX_TERM_MONTHS} 个月的期限", f"Give a term of 1–{MAX_TERM_MONTHS} months"),
    )


def is_code(text: str) -> bool:
    return bool(re.match(CODE, text)) and len(text) <= 40
