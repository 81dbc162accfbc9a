"""The steward's verb: agree to or veto each column asked of the own department's data.

It decides who may decide (only the provider's steward, never for the own organisation's request) and
when a case is ready for the authorising office. Every column gets a verdict of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork
from gongshu.authorization.application import Verdicts
from gongshu.authorization.applying import types_of
from gongshu.authorization.case import acts_of
from gongshu.authorization.duties import Act, Side, require_separate
from gongshu.authorization.models import ColumnRequest, RequestedColumn, Scenario
from gongshu.authorization.scenarios import scenario_row
from gongshu.authorization.states import RequestState, ScenarioState, require_move
from gongshu.catalogue import dataset_versions
from gongshu.errors import Conflict, Denied, Invalid, NotFound, Words
from gongshu.identity import Actor, Role
from gongshu.policy import require_filter, require_mask

DECIDED = (RequestState.AGREED.value, RequestState.VETOED.value)


def requests_for(session: Session, actor: Actor, *, waiting: bool | None = None) -> Sequence[ColumnRequest]:
    """The requests made of the steward's departments in submitted cases; waiting: only (un)decided ones."""
    query = (
        select(ColumnRequest)
        .join(Scenario)
        .where(
            ColumnRequest.provider.in_(actor.organisations_as(Role.STEWARD)),
            Scenario.submitted_at.is_not(None),
            Scenario.state != ScenarioState.WITHDRAWN.value,
        )
        .order_by(ColumnRequest.id)
    )
    if waiting is not None:
        undecided = ColumnRequest.state == RequestState.TO_BE_DECIDED.value
        query = query.where(undecided if waiting else ~undecided)
    return session.scalars(query).all()


def find_request(session: Session, actor: Actor, number: str) -> tuple[ColumnRequest, Scenario]:
    """A request of the steward's own department. Raises NotFound for any other."""
    row = session.get(ColumnRequest, number)
    if row is None or row.provider not in actor.organisations_as(Role.STEWARD):
        raise _absent(number)
    scenario = scenario_row(session, row.scenario)
    if scenario.submitted_at is None:
        raise _absent(number)
    return row, scenario


def require_can_decide(session: Session, actor: Actor, row: ColumnRequest, scenario: Scenario) -> None:
    """Raise Denied when the steward's own organisation stands behind the request, Conflict when it is decided."""
    if scenario.operator == row.provider or scenario.operator == actor.organisation:
        raise Denied(
            "authorization.request.own_organisation",
            Words(
                "本机构提出的申请,不能由本机构审定(职责分离)。",
                "Your own organisation asked for this; you cannot decide it.",
            ),
            Words("由其他机构办理", "Another organisation decides"),
        )
    require_separate(acts_of(session, scenario), Act(Side.PROVIDER, actor.pseudonym, row.provider))
    if row.state in DECIDED:
        raise Conflict(
            "authorization.request.decided",
            Words(f"{row.id} 已经审定,没有再次保存。", f"{row.id} was decided already; nothing was saved again."),
            Words("刷新页面查看结果", "Reload to see the outcome"),
        )
    require_move(scenario.state, "decide")


def decide_request(work: UnitOfWork, actor: Actor, number: str, verdicts: Verdicts) -> ColumnRequest:
    """Record the verdict on every column. Raises Invalid when one is missing, Denied, Conflict, NotFound."""
    row, _ = find_request(work.session, actor, number)
    scenario = scenario_row(work.session, row.scenario, lock=True)
    work.session.refresh(row)
    require_can_decide(work.session, actor, row, scenario)
    _require_complete(row, verdicts)
    masks, row_filter = _agreed_terms(work.session, row, verdicts)
    agreed = [one for one in row.columns if verdicts.columns[one.column] == "agree"]
    for one in row.columns:
        one.verdict = verdicts.columns[one.column]
        one.agreed_mask = masks.get(one.column) if one.verdict == "agree" else None
    row.state = (RequestState.AGREED if agreed else RequestState.VETOED).value
    row.agreed_filter = row_filter if agreed else None
    row.decided_by, row.decided_at, row.decision_reason = actor.pseudonym, work.clock.now(), verdicts.reason
    _close_round(scenario)
    row.entry_id = work.record(
        Event(
            EventType.REQUEST_DECIDED,
            actor=actor.pseudonym,
            organisation=row.provider,
            scenario=scenario.code,
            public={
                "request": row.id,
                "dataset": row.dataset,
                "agreed": [one.column for one in agreed],
                "vetoed": [one.column for one in row.columns if one.verdict == "veto"],
                "scenario_state": scenario.state,
            },
            private={
                "terms": Private(
                    {"masks": masks, "row_filter": row_filter, "reason": verdicts.reason},
                    (row.provider, scenario.operator),
                )
            },
        )
    )
    return row


def _require_complete(row: ColumnRequest, verdicts: Verdicts) -> None:
    asked = {one.column for one in row.columns}
    if set(verdicts.columns) != asked or not set(verdicts.masks) <= asked:
        open_ones = sorted(asked - set(verdicts.columns)) or sorted(
            (set(verdicts.columns) | set(verdicts.masks)) - asked
        )
        raise Invalid(
            "authorization.verdicts.incomplete",
            Words(f"每一列都要审定:{'、'.join(open_ones)}。", f"Every column needs a verdict: {', '.join(open_ones)}."),
            Words("逐列选择同意或否决", "Choose agree or veto for each column"),
            columns=open_ones,
        )
    if "veto" in verdicts.columns.values() and not verdicts.reason:
        raise Invalid(
            "authorization.veto.reason",
            Words("否决须写明理由,申请方会看到。", "A veto needs a reason; the applicant will see it."),
            Words("填写理由后再提交", "Write the reason, then submit"),
        )


def _agreed_terms(
    session: Session, row: ColumnRequest, verdicts: Verdicts
) -> tuple[dict[str, dict[str, Any]], dict[str, Any] | None]:
    """Masks and row filter as agreed: the steward's word where given, else the proposal. A filter cannot be dropped."""
    version = dataset_versions(session, [row.dataset]).get(row.dataset)
    if version is None:
        raise Conflict(
            "authorization.dataset.gone",
            Words(f"{row.dataset} 已没有有效版本。", f"{row.dataset} has no valid version."),
        )
    types = types_of(version)
    proposed = {one.column: one.mask for one in row.columns}
    chosen = {**proposed, **verdicts.masks}
    masks = {
        column: mask for column, mask in chosen.items() if mask is not None and verdicts.columns[column] == "agree"
    }
    for column, mask in masks.items():
        require_mask(mask, column, types.get(column, ""))
    row_filter = verdicts.row_filter if verdicts.row_filter is not None else row.row_filter
    require_filter(row_filter, types, row.dataset)
    return masks, row_filter


def _close_round(scenario: Scenario) -> None:
    """When the last request is decided, the case moves on: agreed if anything was."""
    states = {request.state for request in scenario.requests}
    if RequestState.TO_BE_DECIDED.value in states:
        return
    agreed = RequestState.AGREED.value in states
    scenario.state = (ScenarioState.AGREED if agreed else ScenarioState.VETOED).value
    scenario.version += 1


def columns_agreed(row: ColumnRequest) -> list[RequestedColumn]:
    return [one for one in row.columns if one.verdict == "agree"]


def _absent(number: str) -> NotFound:
    return NotFound(
        "authorization.request.absent",
        Words(f"没有申请 {number}。", f"There is no request {number}."),
        Words("在待审定列表中查看", "See the list of requests"),
    )
