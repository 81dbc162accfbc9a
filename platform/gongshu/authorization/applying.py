"""The operator's verbs: draft an application for a scenario, submit it, withdraw it.

无场景不授权: without a scenario there is no access; 一场景一申请: one purpose has one case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork
from gongshu.authorization.application import DatasetRequest, NewScenario, require_term
from gongshu.authorization.documents import attach_text
from gongshu.authorization.freezes import require_not_frozen
from gongshu.authorization.models import ColumnRequest, RequestedColumn, Scenario, ScenarioAnalyst
from gongshu.authorization.numbering import next_numbers, take_turns
from gongshu.authorization.scenarios import own_scenario
from gongshu.authorization.states import RequestState, ScenarioState, require_move
from gongshu.catalogue import DatasetVersion, dataset_versions
from gongshu.errors import Conflict, Invalid, NotFound, Words
from gongshu.identity import Actor, Role, find_actor, require_role
from gongshu.policy import require_filter, require_mask

LIVE = ("submitted", "agreed", "authorised", "to-be-signed", "active")


def draft_scenario(work: UnitOfWork, actor: Actor, new: NewScenario, *, demo: bool = False) -> Scenario:
    """Enter an application as a draft. Raises Invalid, Conflict (code in use), NotFound (dataset), Denied."""
    require_role(actor, Role.MANAGER, actor.organisation)
    require_not_frozen(work.session, actor.organisation)
    require_term(new, demo=demo)
    take_turns(work.session, new.code)
    if work.session.get(Scenario, new.code) is not None:
        raise Conflict(
            "authorization.scenario.code_taken",
            Words(f"编号 {new.code} 不能使用。", f"The code {new.code} cannot be used."),
            Words(
                "换一个编号;已申请的场景在应用场景页",
                "Choose another code; your applications are on the scenarios page",
            ),
        )
    analysts = _analysts(work.session, actor, new.analysts)
    versions = _versions(work.session, new.requests)
    now = work.clock.now()
    entry_id = work.record(
        Event(
            EventType.SCENARIO_DRAFTED,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            scenario=new.code,
            public={"datasets": sorted(versions), "analysts": sorted(one.pseudonym for one in analysts)},
            private={"application": Private(new.model_dump(mode="json", exclude={"documents"}), (actor.organisation,))},
        )
    )
    row = Scenario(
        code=new.code,
        operator=actor.organisation,
        applicant=actor.pseudonym,
        title_zh=new.title_zh,
        title_en=new.title_en,
        purpose=new.purpose,
        beneficiary=new.beneficiary,
        output_kinds=list(dict.fromkeys(new.output_kinds)),
        term_months=new.term_months,
        term_minutes=new.term_minutes,
        quota=new.quota.model_dump(),
        state=ScenarioState.DRAFT.value,
        version=1,
        created_at=now,
        entry_id=entry_id,
        analysts=[ScenarioAnalyst(person=one.name, pseudonym=one.pseudonym) for one in analysts],
    )
    work.session.add(row)
    numbers = next_numbers(work.session, ColumnRequest.id, "Q", now, len(new.requests))
    row.requests = [
        _request(number, asked, versions[asked.dataset], entry_id)
        for number, asked in zip(numbers, new.requests, strict=True)
    ]
    work.session.flush()
    if new.commission:
        attach_text(work, actor, row, "commission", "委托函", new.commission)
    for document in new.documents:
        attach_text(work, actor, row, document.kind, document.title, document.text)
    return row


def _analysts(session: Session, actor: Actor, names: Sequence[str]) -> list[Actor]:
    """The analysts named, all of the applicant's own organisation; others read as unknown."""
    found = []
    for name in dict.fromkeys(names):
        try:
            person = find_actor(session, name)
        except NotFound:
            person = None
        if person is None or not person.has(Role.ANALYST, actor.organisation):
            raise Invalid(
                "authorization.analyst.unknown",
                Words(f"本机构没有分析员 {name}。", f"Your organisation has no analyst {name}."),
                Words("填写本机构分析员的用户名", "Give user names of your organisation's analysts"),
            )
        found.append(person)
    return found


def _versions(session: Session, requests: Sequence[DatasetRequest]) -> dict[str, DatasetVersion]:
    """The signed-off versions asked for. Raises for a dataset named twice or absent, or a column that is not there."""
    names = [asked.dataset for asked in requests]
    for name in names:
        if names.count(name) > 1:
            raise Invalid(
                "authorization.dataset.repeated",
                Words(f"{name} 出现了两次。", f"{name} is asked for twice."),
                Words("每个数据资源只写一项", "Ask once for each dataset"),
            )
    versions = dataset_versions(session, names)
    for asked in requests:
        if asked.dataset not in versions:
            raise Invalid(
                "authorization.dataset.absent",
                Words(f"没有已签核的数据资源 {asked.dataset}。", f"There is no signed-off dataset {asked.dataset}."),
                Words("在数据资源页查看可申请的资源", "See the datasets page for what can be asked for"),
            )
        _require_columns(asked, types_of(versions[asked.dataset]))
    return dict(versions)


def _require_columns(asked: DatasetRequest, types: Mapping[str, str]) -> None:
    unknown = [column for column in (*asked.columns, *asked.masks) if column not in types]
    if unknown:
        raise Invalid(
            "authorization.column.absent",
            Words(
                f"{asked.dataset} 没有列 {'、'.join(unknown)}。", f"{asked.dataset} has no column {', '.join(unknown)}."
            ),
            Words("按数据资源页的列名填写", "Use the column names of the dataset's page"),
        )
    for column, mask in asked.masks.items():
        require_mask(mask, column, types[column])
    require_filter(asked.row_filter, types, asked.dataset)


def types_of(version: DatasetVersion) -> dict[str, str]:
    """Column name → Spark type of a version."""
    return {column.name: column.type for column in version.columns}


def _request(number: str, asked: DatasetRequest, version: DatasetVersion, entry_id: str) -> ColumnRequest:
    return ColumnRequest(
        id=number,
        dataset=asked.dataset,
        dataset_version=version.version,
        provider=version.provider,
        row_filter=asked.row_filter,
        use=asked.use,
        price=asked.price,
        reason=asked.reason,
        state=RequestState.TO_BE_DECIDED.value,
        decision_reason="",
        entry_id=entry_id,
        columns=[
            RequestedColumn(column=column, position=position, mask=asked.masks.get(column), verdict="")
            for position, column in enumerate(asked.columns)
        ],
    )


def submit_scenario(work: UnitOfWork, actor: Actor, code: str) -> Scenario:
    """Submit a draft to the stewards. Raises Conflict when it was submitted already or overlaps another scenario."""
    row = own_scenario(work.session, actor, code, lock=True)
    require_not_frozen(work.session, actor.organisation)
    require_move(row.state, "submit")
    _require_no_overlap(work.session, row)
    row.state, row.submitted_at = ScenarioState.SUBMITTED.value, work.clock.now()
    row.version += 1
    row.entry_id = work.record(
        Event(
            EventType.SCENARIO_SUBMITTED,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            scenario=code,
            public={"requests": [request.id for request in row.requests]},
        )
    )
    return row


def _require_no_overlap(session: Session, row: Scenario) -> None:
    """一场景一申请: one purpose has one case. The same title or purpose over a common dataset is the same scenario."""
    datasets = {request.dataset for request in row.requests}
    others = session.scalars(
        select(Scenario).where(
            Scenario.operator == row.operator,
            Scenario.code != row.code,
            Scenario.state.in_(LIVE),
            or_(Scenario.title_zh == row.title_zh, Scenario.purpose == row.purpose),
        )
    )
    for other in others:
        if datasets & {request.dataset for request in other.requests}:
            raise Conflict(
                "authorization.scenario.overlaps",
                Words(
                    f"与应用场景 {other.code} 用途相同且数据重叠(一场景一申请)。",
                    f"It has the purpose of scenario {other.code} and overlapping data (one application per scenario).",
                ),
                Words(
                    f"改为申请变更 {other.code},或写明不同的用途",
                    f"Ask to change {other.code}, or state a different purpose",
                ),
                scenario=other.code,
            )


def withdraw_scenario(work: UnitOfWork, actor: Actor, code: str) -> Scenario:
    """Take an application back before it is authorised."""
    row = own_scenario(work.session, actor, code, lock=True)
    require_move(row.state, "withdraw")
    row.state = ScenarioState.WITHDRAWN.value
    row.version += 1
    row.entry_id = work.record(
        Event(EventType.SCENARIO_WITHDRAWN, actor=actor.pseudonym, organisation=actor.organisation, scenario=code)
    )
    return row
