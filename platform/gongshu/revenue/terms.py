"""What the signed agreements say about money, by grant: who shares the income, and whose the datasets are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction

from sqlalchemy.orm import Session

from gongshu.authorization import grants_in_force
from gongshu.authorization.agreements import agreement_by_id
from gongshu.revenue.run import Terms
from gongshu.revenue.usage import UsageLine


def terms_of(session: Session, usage: Iterable[UsageLine], now: datetime) -> dict[str, Terms]:
    """The terms behind each grant that was used; lapsed and revoked agreements still say how their use is paid."""
    found: dict[str, Terms] = {}
    for scenario in sorted({line.scenario for line in usage}):
        for grant in grants_in_force(session, None, scenario, now):
            agreement = agreement_by_id(session, grant.agreement_id)
            found[grant.grant] = Terms(
                agreement=grant.agreement,
                scenario=scenario,
                operator=grant.operator,
                split=tuple((one["party"], Fraction(one["share"])) for one in agreement.split),
                providers={term["dataset"]: term["provider"] for term in agreement.terms},
            )
    return found
