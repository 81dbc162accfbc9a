"""What happens when an author submits: the checks run, then the policy says what review it needs.

It decides nothing about people; it never lets a request into review whose bytes are not those that
were added, and a policy that refuses sends the request back with its clause.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, UnitOfWork, Value
from gongshu.errors import Conflict, Invalid, Unavailable, Words
from gongshu.identity import Actor
from gongshu.policy import Decision, Opa
from gongshu.release.checks import CheckResult, Limits, run_checks
from gongshu.release.differencing import Counted, check_differencing, counted
from gongshu.release.drafting import own_request
from gongshu.release.models import ReleaseCheck, ReleaseComment, ReleaseItem, ReleaseRequest
from gongshu.release.question import Case, ask, sealed_evidence
from gongshu.release.standing import case_of
from gongshu.release.states import State, Step, next_state
from gongshu.release.store import ItemChanged, ItemStore
from gongshu.release.table import TableItem, read_table, table_from

EARLIER_MAX = 200


def submit(
    work: UnitOfWork, actor: Actor, release_id: str, opa: Opa, store: ItemStore, *, expected_version: int | None = None
) -> ReleaseRequest:
    """Submit a draft or returned request: checks, then the policy, then the reviewers' queue.

    Raises NotFound, Conflict (state, version, changed bytes), Invalid (no item), Unavailable.
    """
    request = own_request(work.session, actor, release_id)
    require_version(request, expected_version)
    resubmitted = request.state == State.RETURNED
    request.state = next_state(State(request.state), Step.SUBMIT)
    items = current_items(work.session, request.id)
    if not items:
        raise Invalid(
            "release.empty",
            Words("申请里还没有成果。", "The request holds no output yet."),
            Words("先在笔记本运行 gongshu.release_table", "Run gongshu.release_table in the notebook first"),
        )
    request.turn += 1 if resubmitted else 0
    request.round = 1
    request.version += 1
    request.submitted_at = work.clock.now()
    request.entry_id = _record(
        work, EventType.RELEASE_SUBMITTED, actor.pseudonym, request, items=[item.sha256 for item in items]
    )
    _check_and_open(work, request, items, opa, store)
    return request


def _check_and_open(
    work: UnitOfWork, request: ReleaseRequest, items: Sequence[ReleaseItem], opa: Opa, store: ItemStore
) -> None:
    tables = {item.number: _read(item, store) for item in items}
    case = case_of(work.session, request, items, {}, work.clock.now())
    # The first answer only says what to measure against; the second, with the checks in it, is the decision.
    limits = _limits(ask(opa, case.question("review")))
    checks = {item.number: _run(work.session, request, item, tables[item.number], store, limits) for item in items}
    _keep_checks(work, request, checks)
    decision = ask(opa, Case(request, items, checks, case.grants, case.frozen, case.now).question("review"))
    if _limits(decision) != limits:
        raise Unavailable("policy")
    _open(work, request, decision)


def _limits(decision: Decision) -> Limits:
    try:
        return Limits.from_policy(decision.limits)
    except ValueError as error:
        raise Unavailable("policy") from error


def _read(item: ReleaseItem, store: ItemStore) -> TableItem:
    try:
        data = store.read_quarantined(item.sha256)
    except ItemChanged as error:
        raise changed(item) from error
    return table_from(item.shape, item.evidence, data)


def changed(item: ReleaseItem) -> Conflict:
    """The refusal for an item whose stored bytes are not the ones that were added."""
    return Conflict(
        "release.item.changed",
        Words(
            f"第 {item.number} 项的字节与登记的摘要不符,操作没有执行。",
            f"The bytes of item {item.number} do not match its digest; nothing was done.",
        ),
        Words("请重新生成该项;平台运维已收到通知", "Make the item again; operations have been told"),
        item=item.number,
    )


def _run(
    session: Session,
    request: ReleaseRequest,
    item: ReleaseItem,
    table: TableItem,
    store: ItemStore,
    limits: Limits,
) -> list[CheckResult]:
    results = run_checks(table, limits)
    own = counted(request.id, item.shape, item.evidence, table.rows)
    return [*results, check_differencing(own, _earlier(session, request, item, store), limits)]


def _earlier(session: Session, request: ReleaseRequest, item: ReleaseItem, store: ItemStore) -> list[Counted]:
    """Every released table that shares a dataset with this one, newest first."""
    names = {use["dataset"] for use in item.datasets}
    query = (
        select(ReleaseItem)
        .join(ReleaseRequest, ReleaseRequest.id == ReleaseItem.request)
        .where(
            ReleaseRequest.state.in_((State.RELEASED.value, State.RECALLED.value)),
            ReleaseItem.request != request.id,
            ~ReleaseItem.superseded,
        )
        .order_by(ReleaseItem.id.desc())
        .limit(EARLIER_MAX)
    )
    found = []
    for other in session.scalars(query):
        if names & {use["dataset"] for use in other.datasets} and sorted(other.shape["by"]) == sorted(item.shape["by"]):
            try:
                rows = list(read_table(store.read_released(other.sha256)))[1:]
            except ItemChanged as error:
                raise changed(other) from error
            found.append(counted(other.request, other.shape, other.evidence, rows))
    return found


def _keep_checks(work: UnitOfWork, request: ReleaseRequest, checks: dict[int, list[CheckResult]]) -> None:
    request.state = next_state(State(request.state), Step.CHECK)
    verdicts: list[Value] = [
        {"item": number, "check": c.name, "verdict": c.verdict.value}
        for number, results in checks.items()
        for c in results
    ]
    entry_id = _record(work, EventType.RELEASE_CHECKED, f"system:{work.writer}", request, checks=verdicts)
    for number, results in checks.items():
        for result in results:
            findings = [finding.as_value() for finding in result.findings]
            row = ReleaseCheck(
                request=request.id,
                item=number,
                turn=request.turn,
                name=result.name,
                verdict=result.verdict.value,
                findings=findings,
                entry_id=entry_id,
            )
            work.session.add(row)


def _open(work: UnitOfWork, request: ReleaseRequest, decision: Decision) -> None:
    public, private = sealed_evidence(decision)
    request.entry_id = work.record(
        Event(
            EventType.RELEASE_REVIEW_DECIDED,
            actor=f"system:{work.writer}",
            organisation=request.organisation,
            scenario=request.scenario,
            public={"release": request.id, "turn": request.turn, **public},
            private=private,
        )
    )
    request.policy_revision = decision.revision
    if not decision.allowed:
        send_back(work, request, decision.message())
        return
    if decision.obligations.get("review") != "two-person" or decision.obligations.get("reviewers") != 2:
        # Automatic release is off (document 13 §27); an answer we cannot carry out is no answer.
        raise Unavailable("policy")
    request.state = next_state(State(request.state), Step.OPEN_REVIEW)
    request.need = dict(decision.obligations)
    request.due_at = work.clock.now() + timedelta(hours=int(decision.obligations["due_hours"]))


def send_back(work: UnitOfWork, request: ReleaseRequest, words: Words) -> None:
    """Return a request to its author with a sentence of the policy."""
    request.state = next_state(State(request.state), Step.RETURN)
    request.decided_at = work.clock.now()
    request.version += 1
    entry_id = _record(work, EventType.RELEASE_RETURNED, "system:policy", request)
    work.session.add(
        ReleaseComment(
            request=request.id,
            turn=request.turn,
            author="system:policy",
            text_zh=words.zh,
            text_en=words.en,
            at=work.clock.now(),
            entry_id=entry_id,
        )
    )


def current_items(session: Session, release_id: str) -> Sequence[ReleaseItem]:
    """The items that count: not superseded, by number."""
    query = (
        select(ReleaseItem)
        .where(ReleaseItem.request == release_id, ~ReleaseItem.superseded)
        .order_by(ReleaseItem.number)
    )
    return session.scalars(query).all()


def require_version(request: ReleaseRequest, expected: int | None) -> None:
    """Raise Conflict when the writer saw another version than the present one."""
    if expected is not None and expected != request.version:
        raise Conflict(
            "release.stale",
            Words(
                "这件申请在您打开之后有了变化,您的操作没有保存。",
                "This request changed after you opened it; nothing was saved.",
            ),
            Words("请刷新页面,看过新内容后再办理", "Reload the page and look again"),
            expected_version=expected,
            current_version=request.version,
        )


def _record(work: UnitOfWork, kind: EventType, actor: str, request: ReleaseRequest, **public: Value) -> str:
    facts: dict[str, Value] = {"release": request.id, "turn": request.turn, **public}
    return work.record(
        Event(kind, actor=actor, organisation=request.organisation, scenario=request.scenario, public=facts)
    )
