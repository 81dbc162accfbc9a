"""The office authorises what the departments agreed to; the agency writes it down as an agreement.

It decides who may do either step (document 13 §2: the principal authorises, the agency drafts and signs)
and what the text says; it must never draft what does not compile.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork
from gongshu.authorization.agreements import audience_of, contents_of
from gongshu.authorization.case import acts_of
from gongshu.authorization.clauses import Facts, write_clauses
from gongshu.authorization.compiling import compile_terms, digest_of
from gongshu.authorization.duties import Act, Side, require_separate
from gongshu.authorization.models import Agreement, Scenario
from gongshu.authorization.numbering import agreement_number, next_number
from gongshu.authorization.scenarios import absent, may_see, scenario_row
from gongshu.authorization.states import AgreementState, ScenarioState, require_move
from gongshu.errors import Invalid, Words
from gongshu.identity import Actor, Role, organisations, require_role

# Who gets what of the platform's income (document 13 §1–3); an agreement may say otherwise.
DEFAULT_SPLIT = (
    {"party": "providers", "share": "60/100"},
    {"party": "treasury", "share": "20/100"},
    {"party": "platform", "share": "20/100"},
)
PARTIES = ("providers", "treasury", "platform", "principal", "agency", "reserve")


def authorise_scenario(work: UnitOfWork, actor: Actor, code: str) -> Scenario:
    """The authorising office approves a case that the departments agreed to."""
    require_role(actor, Role.OFFICER, actor.organisation, duty="principal")
    row = _visible(work.session, actor, code, lock=True)
    require_move(row.state, "authorise")
    require_separate(acts_of(work.session, row), Act(Side.PRINCIPAL, actor.pseudonym, actor.organisation))
    row.state, row.authorised_at = ScenarioState.AUTHORISED.value, work.clock.now()
    row.authorised_by, row.authorised_organisation = actor.pseudonym, actor.organisation
    row.version += 1
    row.entry_id = work.record(
        Event(
            EventType.SCENARIO_AUTHORISED,
            actor=actor.pseudonym,
            organisation=row.operator,
            scenario=code,
            public={"by": actor.organisation, "requests": [one.id for one in row.requests if one.state == "agreed"]},
        )
    )
    return row


def draft_agreement(
    work: UnitOfWork, actor: Actor, code: str, split: Sequence[dict[str, str]] | None = None
) -> Agreement:
    """The agency writes down what was agreed and authorised. Raises Conflict for a clause that does not compile."""
    require_role(actor, Role.OFFICER, actor.organisation, duty="agency")
    row = _visible(work.session, actor, code, lock=True)
    require_move(row.state, "draft-agreement")
    require_separate(acts_of(work.session, row), Act(Side.AGENCY, actor.pseudonym, actor.organisation))
    shares = [dict(one) for one in (split or DEFAULT_SPLIT)]
    require_split(shares)
    now = work.clock.now()
    number = next_number(work.session, Agreement.id, "A", now)
    named = agreement_number(number)
    terms = compile_terms(work.session, row, named)
    agreement = Agreement(
        id=number,
        number=named,
        scenario=code,
        operator=row.operator,
        clauses=write_clauses(_facts(work.session, actor, row, terms, shares)),
        terms=terms,
        split=shares,
        state=AgreementState.TO_BE_SIGNED.value,
        drafted_by=actor.pseudonym,
        drafted_at=now,
        revoked_reason="",
    )
    agreement.digest = digest_of(agreement, row)
    agreement.entry_id = work.record(
        Event(
            EventType.AGREEMENT_DRAFTED,
            actor=actor.pseudonym,
            organisation=row.operator,
            scenario=code,
            public={"agreement": number, "number": named, "digest": agreement.digest},
            private={"agreement": Private(contents_of(agreement), audience_of(agreement))},
        )
    )
    row.state = ScenarioState.TO_BE_SIGNED.value
    row.version += 1
    work.session.add(agreement)
    work.session.flush()
    return agreement


def require_split(shares: Sequence[dict[str, str]]) -> None:
    """Raise Invalid unless parties are known, named once, and their shares are fractions that sum to one."""
    try:
        ratios = [Fraction(one["share"]) for one in shares]
        parties = [one["party"] for one in shares]
        fine = all(set(one) == {"party", "share"} for one in shares) and set(parties) <= set(PARTIES)
        fine = fine and len(set(parties)) == len(parties) and sum(ratios) == 1 and min(ratios) >= 0
    except (KeyError, ValueError, ZeroDivisionError):
        fine = False
    if not fine:
        raise Invalid(
            "authorization.split",
            Words("收益分配的各份必须是分数,合计为一。", "The shares of the split must be fractions that sum to one."),
            Words(f"各方:{'、'.join(PARTIES)};如 60/100", f"Parties: {', '.join(PARTIES)}; for example 60/100"),
        )


def _facts(
    session: Session, actor: Actor, row: Scenario, terms: Sequence[dict[str, Any]], shares: Sequence[dict[str, str]]
) -> Facts:
    names = {one.code: one.name_zh for one in organisations(session)}
    months, minutes = row.term_months, row.term_minutes
    return Facts(
        title=row.title_zh,
        purpose=row.purpose,
        beneficiary=row.beneficiary,
        operator=names[row.operator],
        agency=names[actor.organisation],
        principal=names[row.authorised_organisation or ""],
        providers={term["provider"]: names[term["provider"]] for term in terms},
        analysts=len(row.analysts),
        term=f" {months} 个月" if months is not None else f" {minutes} 分钟",
        term_en=f"{months} months" if months is not None else f"{minutes} minutes",
        terms=terms,
        split=shares,
    )


def _visible(session: Session, actor: Actor, code: str, *, lock: bool) -> Scenario:
    row = scenario_row(session, code, lock=lock)
    if not may_see(actor, row):
        raise absent(code)
    return row
