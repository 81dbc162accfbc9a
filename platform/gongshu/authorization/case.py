"""Who has acted in a case so far, on which side: read from what was decided, authorised and signed."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.authorization.duties import Act, Side
from gongshu.authorization.models import Agreement, Scenario
from gongshu.identity import find_by_pseudonym


def acts_of(session: Session, scenario: Scenario) -> list[Act]:
    """Every act that binds a person and an organisation to a side of this case."""
    acts = [Act(Side.OPERATOR, scenario.applicant, scenario.operator)]
    acts += [Act(Side.OPERATOR, one.pseudonym, scenario.operator) for one in scenario.analysts]
    acts += [Act(Side.PROVIDER, row.decided_by, row.provider) for row in scenario.requests if row.decided_by]
    if scenario.authorised_by and scenario.authorised_organisation:
        acts.append(Act(Side.PRINCIPAL, scenario.authorised_by, scenario.authorised_organisation))
    for agreement in session.scalars(select(Agreement).where(Agreement.scenario == scenario.code)):
        drafter = find_by_pseudonym(session, agreement.drafted_by)
        acts.append(Act(Side.AGENCY, drafter.pseudonym, drafter.organisation))
        acts += [Act(Side(one.side), one.person, one.organisation) for one in agreement.signatures]
    return acts
