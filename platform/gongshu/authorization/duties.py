"""Separation of duty within one case: whoever stands on one side never acts for another.

A case has four sides: the operator applies and signs, the providers agree, the principal authorises,
the agency signs for the government. It decides who may act at all; no role overrides it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gongshu.errors import Denied, Words


class Side(StrEnum):
    OPERATOR = "operator"
    PROVIDER = "provider"
    PRINCIPAL = "principal"
    AGENCY = "agency"


SIDE_WORDS = {
    Side.OPERATOR: Words("申请方", "the applicant"),
    Side.PROVIDER: Words("数源单位", "the providing department"),
    Side.PRINCIPAL: Words("授权主体", "the authorising office"),
    Side.AGENCY: Words("实施机构", "the implementing agency"),
}


@dataclass(frozen=True)
class Act:
    """Somebody acted, or would act, for a side. person: a pseudonym."""

    side: Side
    person: str
    organisation: str


def require_separate(acts: Iterable[Act], new: Act) -> None:
    """Raise Denied when the new act's person or organisation stands on another side of the case."""
    for act in acts:
        if act.side is new.side:
            continue
        if act.person == new.person or act.organisation == new.organisation:
            held = SIDE_WORDS[act.side]
            raise Denied(
                "authorization.duties.separate",
                Words(
                    f"您或您的机构在本案中已是{held.zh},不能再办理这一步(职责分离)。",
                    f"You or your organisation already act as {held.en} in this case (separation of duty).",
                ),
                Words("由另一机构的人员办理", "Somebody of another organisation must do it"),
            )


def can_act(acts: Iterable[Act], new: Act) -> bool:
    """Whether `require_separate` would pass: for buttons."""
    try:
        require_separate(acts, new)
    except Denied:
        return False
    return True
