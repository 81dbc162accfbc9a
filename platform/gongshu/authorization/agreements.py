"""The office authorises, the agency drafts, both sides sign; the second signature compiles the grants.

It decides who may do each step (document 13 §2: the principal authorises, the agency signs) and when a
grant begins and ends. It must never sign what does not compile, nor let one side sign for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork
from gongshu.authorization.case import acts_of
from gongshu.authorization.clauses import Facts, write_clauses
from gongshu.authorization.compiling import compile_terms, digest_of, end_of_term, grant_snapshots
from gongshu.authorization.documents import require_documents
from gongshu.authorization.duties import Act, Side, require_separate
from gongshu.authorization.freezes import require_not_frozen
from gongshu.authorization.models import Agreement, GrantRow, Scenario, Signature
from gongshu.authorization.numbering import agreement_number, next_number, next_numbers
from gongshu.authorization.scenarios import absent, may_see, scenario_row
from gongshu.authorization.states import AgreementState, ScenarioState, require_move
from gongshu.errors import Conflict, Denied, Invalid, NotFound, Words
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
            private={"agreement": Private(_contents(agreement), _audience(agreement))},
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


def sign_agreement(work: UnitOfWork, actor: Actor, key: str, *, digest: str | None = None) -> Agreement:
    """Sign for the operator (its manager) or the government (the agency's officer); the second makes it binding.

    Raises Conflict when a document is missing, a clause no longer compiles, the text changed since it was
    read (`digest`), or this side signed already; Denied for who may not sign.
    """
    agreement, scenario = _locked(work.session, actor, key)
    side = _side_of(actor, agreement)
    require_not_frozen(work.session, agreement.operator)
    _require_unsigned(agreement, side)
    require_move(scenario.state, "sign")
    require_separate(acts_of(work.session, scenario), Act(side, actor.pseudonym, actor.organisation))
    require_documents(work.session, scenario.code)
    _require_same_text(work.session, agreement, scenario, digest)
    now = work.clock.now()
    entry_id = work.record(
        Event(
            EventType.AGREEMENT_SIGNED,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            scenario=scenario.code,
            public={"agreement": agreement.id, "side": side.value, "digest": agreement.digest},
        )
    )
    agreement.signatures.append(
        Signature(
            side=side.value,
            person=actor.pseudonym,
            organisation=actor.organisation,
            digest=agreement.digest,
            signed_at=now,
            entry_id=entry_id,
        )
    )
    if {one.side for one in agreement.signatures} == {Side.OPERATOR.value, Side.AGENCY.value}:
        _bring_into_force(work, actor, agreement, scenario, now)
    work.session.flush()
    return agreement


def _side_of(actor: Actor, agreement: Agreement) -> Side:
    if actor.has(Role.MANAGER, agreement.operator):
        return Side.OPERATOR
    require_role(actor, Role.OFFICER, actor.organisation, duty="agency")
    return Side.AGENCY


def _require_unsigned(agreement: Agreement, side: Side) -> None:
    if side.value in {one.side for one in agreement.signatures}:
        raise Conflict(
            "authorization.signature.already",
            Words("这一方已经签署,没有再次签署。", "This side has signed already; nothing was signed again."),
            Words("等待另一方签署", "Wait for the other side"),
        )


def _require_same_text(session: Session, agreement: Agreement, scenario: Scenario, digest: str | None) -> None:
    if digest is not None and digest != agreement.digest:
        raise Conflict(
            "authorization.agreement.changed",
            Words("协议文本与您看到的不同,没有签署。", "The agreement differs from what you read; nothing was signed."),
            Words("重新阅读后再签署", "Read it again, then sign"),
        )
    compiled = compile_terms(session, scenario, agreement.number)
    if compiled != agreement.terms or digest_of(agreement, scenario) != agreement.digest:
        raise Conflict(
            "authorization.agreement.stale",
            Words(
                "协议与已审定的内容不再一致,没有签署。",
                "The agreement no longer matches what was decided; nothing was signed.",
            ),
            Words("由实施机构重新拟订", "The agency must draft it again"),
        )


def _bring_into_force(work: UnitOfWork, actor: Actor, agreement: Agreement, scenario: Scenario, now: datetime) -> None:
    """Compile the grants; from the next statement on the policy sees them."""
    until = end_of_term(now, scenario.term_months, scenario.term_minutes)
    numbers = next_numbers(work.session, GrantRow.id, "G", now, len(agreement.terms))
    rows = [
        GrantRow(
            id=number,
            agreement=agreement.id,
            scenario=scenario.code,
            dataset=snapshot["dataset"],
            provider=snapshot["provider"],
            snapshot=snapshot,
            valid_from=now,
            valid_until=until,
        )
        for number, snapshot in zip(numbers, grant_snapshots(agreement.terms, numbers), strict=True)
    ]
    work.session.add_all(rows)
    agreement.state, agreement.valid_from, agreement.valid_until = AgreementState.ACTIVE.value, now, until
    scenario.state = ScenarioState.ACTIVE.value
    scenario.version += 1
    agreement.entry_id = work.record(
        Event(
            EventType.AGREEMENT_COMPILED,
            actor=actor.pseudonym,
            organisation=agreement.operator,
            scenario=scenario.code,
            public={
                "agreement": agreement.id,
                "number": agreement.number,
                "digest": agreement.digest,
                "grants": numbers,
                "datasets": [row.dataset for row in rows],
                "valid_from": now.isoformat(),
                "valid_until": until.isoformat(),
            },
            private={"agreement": Private(_contents(agreement), _audience(agreement))},
        )
    )


def revoke_agreement(work: UnitOfWork, actor: Actor, key: str, reason: str) -> Agreement:
    """End an agreement now. One officer of the office or the agency suffices: stopping must be quick."""
    require_role(actor, Role.OFFICER, actor.organisation)
    if not {"principal", "agency"} & actor.duties:
        require_role(actor, Role.OFFICER, actor.organisation, duty="agency")
    if not reason.strip():
        raise Invalid(
            "authorization.revoke.reason",
            Words("请写明撤销理由。", "Give a reason for revoking."),
            Words("填写理由后再撤销", "Write the reason"),
        )
    agreement, scenario = _locked(work.session, actor, key)
    require_move(scenario.state, "revoke")
    agreement.state, agreement.revoked_at = AgreementState.REVOKED.value, work.clock.now()
    agreement.revoked_by, agreement.revoked_reason = actor.pseudonym, reason
    scenario.state = ScenarioState.REVOKED.value
    scenario.version += 1
    agreement.entry_id = work.record(
        Event(
            EventType.AGREEMENT_REVOKED,
            actor=actor.pseudonym,
            organisation=agreement.operator,
            scenario=scenario.code,
            public={"agreement": agreement.id, "number": agreement.number, "by": actor.organisation},
            private={"reason": Private({"reason": reason}, _audience(agreement))},
        )
    )
    return agreement


def find_agreement(session: Session, actor: Actor, key: str) -> Agreement:
    """An agreement by id or number that the actor may see. Raises NotFound."""
    row = session.scalar(select(Agreement).where(or_(Agreement.id == key, Agreement.number == key)))
    if row is None or not may_see(actor, scenario_row(session, row.scenario)):
        raise NotFound(
            "authorization.agreement.absent",
            Words(f"没有协议 {key}。", f"There is no agreement {key}."),
            Words("在应用场景页查看您的协议", "See your agreements on the scenarios page"),
        )
    return row


def agreements_of(session: Session, scenario: str) -> Sequence[Agreement]:
    """The agreements of a scenario, in order."""
    return session.scalars(select(Agreement).where(Agreement.scenario == scenario).order_by(Agreement.id)).all()


def agreement_by_id(session: Session, number: str) -> Agreement:
    """For other rooms: the agreement of that id (its `split`, `clauses`, `terms`). Raises NotFound."""
    row = session.get(Agreement, number)
    if row is None:
        raise NotFound(
            "authorization.agreement.absent", Words(f"没有协议 {number}。", f"There is no agreement {number}.")
        )
    return row


def can_sign(session: Session, actor: Actor, agreement: Agreement) -> bool:
    """Whether this actor's signature is the one awaited: for buttons and the home page."""
    if agreement.state != AgreementState.TO_BE_SIGNED.value:
        return False
    try:
        side = _side_of(actor, agreement)
        scenario = scenario_row(session, agreement.scenario)
        require_separate(acts_of(session, scenario), Act(side, actor.pseudonym, actor.organisation))
    except Denied:
        return False
    return side.value not in {one.side for one in agreement.signatures}


def _locked(session: Session, actor: Actor, key: str) -> tuple[Agreement, Scenario]:
    agreement = find_agreement(session, actor, key)
    scenario = scenario_row(session, agreement.scenario, lock=True)
    session.refresh(agreement)
    return agreement, scenario


def _visible(session: Session, actor: Actor, code: str, *, lock: bool) -> Scenario:
    row = scenario_row(session, code, lock=lock)
    if not may_see(actor, row):
        raise absent(code)
    return row


def _audience(agreement: Agreement) -> tuple[str, ...]:
    return (agreement.operator, *sorted({term["provider"] for term in agreement.terms}))


def _contents(agreement: Agreement) -> dict[str, Any]:
    return {"clauses": agreement.clauses, "terms": agreement.terms, "split": agreement.split}


def facts_of_agreement(agreement: Agreement) -> dict[str, Any]:
    """An agreement as the API tells it."""
    return {
        "id": agreement.id,
        "no": agreement.id,
        "number": agreement.number,
        "scenario": agreement.scenario,
        "operator": agreement.operator,
        "state": agreement.state,
        "digest": agreement.digest,
        "clauses": agreement.clauses,
        "split": agreement.split,
        "valid_from": agreement.valid_from.isoformat() if agreement.valid_from else None,
        "valid_until": agreement.valid_until.isoformat() if agreement.valid_until else None,
        "signatures": [
            {"side": one.side, "organisation": one.organisation, "signed_at": one.signed_at.isoformat()}
            for one in agreement.signatures
        ],
    }
