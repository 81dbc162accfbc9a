"""What a steward states about a dataset: one model for the page and the API, with the rules of registration."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gongshu.catalogue.vocabulary import FREQUENCIES, LEGAL_GRADES, OPENING, SHARING, require_code
from gongshu.errors import Denied, Invalid, Words

DATASET_NAME = r"^[a-z][a-z0-9_]{1,39}\.[a-z][a-z0-9_]{1,39}$"
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120, pattern=r"^[^\x00-\x1f]*$")]
Required = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]*$")
]


class ColumnFacts(BaseModel):
    """What the steward says about a column. type: only for CSV, when the value-by-value guess is not wanted."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(max_length=64)]
    comment_zh: Annotated[Text, StringConstraints(max_length=200)] = ""
    comment_en: Annotated[Text, StringConstraints(max_length=200)] = ""
    category: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    level: Literal["L1", "L2", "L3", "L4"]
    dimension: bool = False
    type: str | None = None


class VersionFacts(BaseModel):
    """What belongs to one version: its columns, whose record a row is, how it is partitioned."""

    model_config = ConfigDict(extra="forbid")
    entity_column: Annotated[str, StringConstraints(max_length=64)] | None = None
    partition_by: list[Annotated[str, StringConstraints(max_length=64)]] = Field(default_factory=list, max_length=2)
    columns: list[ColumnFacts] = Field(default_factory=list, max_length=256)


class NewDataset(VersionFacts):
    """A registration. name: two parts, as analysts will write it in SQL (`tourism.stays`)."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, pattern=DATASET_NAME)]
    title_zh: Required
    title_en: Required
    provider: Annotated[str, StringConstraints(max_length=60)]
    legal_grade: Text
    sharing: Text
    opening: Text
    update_frequency: Text
    registration_code: Annotated[Required, StringConstraints(max_length=60)]
    registration_valid_until: date


class Renewal(BaseModel):
    """The registry's answer to a renewal."""

    model_config = ConfigDict(extra="forbid")
    registration_code: Annotated[Required, StringConstraints(max_length=60)]
    registration_valid_until: date


def require_later(renewal: Renewal, before: date, today: date) -> None:
    """Raise Invalid unless the new date lies after the old one and after today."""
    if renewal.registration_valid_until <= max(before, today):
        raise Invalid(
            "catalogue.registration.earlier",
            Words(
                f"新的有效期应晚于原有效期 {before.isoformat()} 和今天。",
                f"The new date must be later than {before.isoformat()} and than today.",
            ),
            Words("按登记平台的续展结果填写", "Give the date that the registry has renewed it to"),
            fields={"registration_valid_until": {"zh": "应更晚", "en": "Must be later"}},
        )


def require_registrable(new: NewDataset, today: date) -> dict[str, str]:
    """The attributes as codes. Raises Invalid or Denied, each with its rule (document 13 §6)."""
    attributes = {
        "legal_grade": require_code("legal_grade", new.legal_grade, LEGAL_GRADES),
        "sharing": require_code("sharing", new.sharing, SHARING),
        "opening": require_code("opening", new.opening, OPENING),
        "update_frequency": require_code("update_frequency", new.update_frequency, FREQUENCIES),
    }
    if attributes["legal_grade"] == "core":
        raise Denied(
            "catalogue.grade.core",
            Words(
                "核心数据不得进入授权运营,没有登记。",
                "Core data may not enter authorised operation; it was not registered.",
            ),
            Words(
                "如定级有误,请先在数据分类分级工作中更正",
                "If the grade is wrong, correct it in the classification first",
            ),
        )
    if attributes["legal_grade"] == "important":
        raise Denied(
            "catalogue.grade.important",
            Words(
                "重要数据须另行审批和评估,本平台目前不受理,没有登记。",
                "Important data needs a separate approval, which this platform does not take; it was not registered.",
            ),
            Words("请按重要数据的规定另行办理", "Follow the separate way for important data"),
        )
    if attributes["opening"] == "none":
        raise Denied(
            "catalogue.opening.none",
            Words(
                "不予开放的数据不能授权运营,没有登记。",
                "Data that may not be opened cannot be operated under authorisation; it was not registered.",
            ),
            Words(
                "如开放属性有误,请先在公共数据目录中更正",
                "If the attribute is wrong, correct it in the public data catalogue first",
            ),
        )
    if new.registration_valid_until < today:
        raise Invalid(
            "catalogue.registration.lapsed",
            Words("登记有效期已过。", "The registration has already lapsed."),
            Words("请先续展登记,再填写新的有效期", "Renew the registration first, then give the new date"),
            fields={"registration_valid_until": {"zh": "应晚于今天", "en": "Must be later than today"}},
        )
    return attributes
