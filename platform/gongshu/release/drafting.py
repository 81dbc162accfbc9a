"""What the author does: add a table, submit, withdraw.

It decides whose request may grow and when; an author never votes, and an added item never changes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, Private, UnitOfWork, Value
from gongshu.audit.entry import canonical
from gongshu.errors import Invalid, NotFound, Words
from gongshu.identity import Actor
from gongshu.release.checks import Limits, run_checks
from gongshu.release.models import REQUEST_NUMBERS, ReleaseItem, ReleaseRequest
from gongshu.release.states import State, Step, next_state
from gongshu.release.store import ItemStore
from gongshu.release.table import Digests, TableItem, table_bytes

AGENCY_ZONE = ZoneInfo("Asia/Shanghai")
MAX_TITLE, MAX_NOTE, MAX_ITEM_BYTES, MAX_CELLS = 200, 4_000, 20 * 1024 * 1024, 50_000


@dataclass(frozen=True)
class ReleaseDraft:
    """Where an added item stands. flagged: cells that a check would stop."""

    release: str
    item: int
    sha256: str
    cells: int
    flagged: int


def add_table(
    work: UnitOfWork, actor: Actor, scenario: str, item: TableItem, store: ItemStore, *, release_id: str | None = None
) -> ReleaseDraft:
    """Put a table into quarantine and into a new draft, or into the author's own draft or returned request.

    In a returned request the item replaces the one with the same title. Raises Invalid for a table
    that is empty or too large, NotFound for another's request, Conflict for one that is not open.
    """
    _require_sound(item)
    data = table_bytes(item)
    if len(data) > MAX_ITEM_BYTES:
        raise _too_large()
    stored = store.quarantine(data)
    entry_id = _record_added(work, actor, scenario, item, stored)
    request = _open_request(work, actor, scenario, item, entry_id, release_id)
    number = _supersede(work.session, request, item.title)
    work.session.add(_item_row(request, number, item, stored, entry_id, work.clock.now()))
    work.session.flush()
    findings = [
        finding for check in run_checks(item, Limits()) for finding in check.findings if finding.row is not None
    ]
    flagged = len({(finding.row, finding.column) for finding in findings})
    return ReleaseDraft(request.id, number, stored.sha256, item.cells, flagged)


def withdraw(work: UnitOfWork, actor: Actor, release_id: str) -> None:
    """Take a request back before it is decided. Raises NotFound, Conflict."""
    request = own_request(work.session, actor, release_id)
    request.state = next_state(State(request.state), Step.WITHDRAW)
    request.version += 1
    request.decided_at = work.clock.now()
    request.entry_id = work.record(
        Event(
            EventType.RELEASE_WITHDRAWN,
            actor=actor.pseudonym,
            organisation=request.organisation,
            scenario=request.scenario,
            public={"release": request.id, "turn": request.turn},
        )
    )


def own_request(session: Session, actor: Actor, release_id: str) -> ReleaseRequest:
    """The author's own request, locked. Raises NotFound for anything else: absent and foreign read the same."""
    request = session.scalars(
        select(ReleaseRequest).where(ReleaseRequest.id == release_id).with_for_update()
    ).one_or_none()
    if request is None or request.author != actor.pseudonym:
        raise absent(release_id)
    return request


def absent(release_id: str) -> NotFound:
    """The answer for a request that does not exist or is not for this person."""
    return NotFound(
        "release.absent",
        Words(f"没有成果出域申请 {release_id}。", f"There is no release request {release_id}."),
        Words("请核对编号", "Check the number"),
    )


def _open_request(
    work: UnitOfWork, actor: Actor, scenario: str, item: TableItem, entry_id: str, release_id: str | None
) -> ReleaseRequest:
    if release_id is not None:
        request = own_request(work.session, actor, release_id)
        if request.scenario != scenario:
            raise absent(release_id)
        request.state = next_state(State(request.state), Step.ADD_ITEM)
        request.version += 1
        request.entry_id = entry_id
        return request
    now = work.clock.now()
    number = work.session.scalar(select(REQUEST_NUMBERS.next_value()))
    request = ReleaseRequest(
        id=f"R-{now.astimezone(AGENCY_ZONE).year}-{number:04d}",
        scenario=scenario,
        organisation=actor.organisation,
        author=actor.pseudonym,
        agreement=item.agreement,
        title=item.title,
        note=item.note,
        state=State.DRAFT.value,
        created_at=now,
        entry_id=entry_id,
    )
    work.session.add(request)
    work.session.flush()
    return request


def _record_added(work: UnitOfWork, actor: Actor, scenario: str, item: TableItem, stored: Digests) -> str:
    evidence: dict[str, Value] = {
        "evidence": [cell.as_value() for cell in item.evidence],
        "entity_unit": "dataset with the fewest",
    }
    return work.record(
        Event(
            EventType.RELEASE_ITEM_ADDED,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            scenario=scenario,
            public={
                "item": stored.sha256,
                "sm3": stored.sm3,
                "bytes": stored.size_bytes,
                "kind": "table",
                "statement": item.statement,
                "evidence": evidence_digest(item),
                "datasets": [{"dataset": d.dataset, "version": d.version} for d in item.datasets],
                "policy_revision_at_query": item.policy_revision,
            },
            private={
                "evidence": Private(evidence),
                "title": Private({"title": item.title, "note": item.note}, (actor.organisation,)),
            },
        )
    )


def _item_row(
    request: ReleaseRequest, number: int, item: TableItem, stored: Digests, entry_id: str, now: datetime
) -> ReleaseItem:
    return ReleaseItem(
        request=request.id,
        number=number,
        turn=request.turn,
        title=item.title,
        sha256=stored.sha256,
        sm3=stored.sm3,
        size_bytes=stored.size_bytes,
        rows=len(item.rows),
        cells=item.cells,
        shape={
            "by": list(item.by),
            "measures": [{"name": m.name, "kind": m.kind, "column": m.column} for m in item.measures],
        },
        evidence=[cell.as_value() for cell in item.evidence],
        evidence_sha256=evidence_digest(item),
        datasets=[use.as_value() for use in item.datasets],
        levels=list(item.levels),
        statement=item.statement,
        statement_entry=item.statement_entry,
        policy_revision=item.policy_revision,
        plan_text=item.plan_text,
        added_at=now,
        entry_id=entry_id,
    )


def _supersede(session: Session, request: ReleaseRequest, title: str) -> int:
    """Mark the earlier item of that title as replaced and return the next number."""
    for earlier in session.scalars(
        select(ReleaseItem).where(
            ReleaseItem.request == request.id, ReleaseItem.title == title, ~ReleaseItem.superseded
        )
    ):
        earlier.superseded = True
    last = session.scalar(select(func.max(ReleaseItem.number)).where(ReleaseItem.request == request.id))
    return (last or 0) + 1


def evidence_digest(item: TableItem) -> str:
    """SHA-256 of the evidence in its canonical form."""
    return hashlib.sha256(canonical({"evidence": [cell.as_value() for cell in item.evidence]})).hexdigest()


def _require_sound(item: TableItem) -> None:
    if not item.title.strip() or len(item.title) > MAX_TITLE or len(item.note) > MAX_NOTE:
        raise Invalid(
            "release.title",
            Words(
                f"标题不能为空,最长 {MAX_TITLE} 字;说明最长 {MAX_NOTE} 字。",
                f"A title is needed (at most {MAX_TITLE} characters; a note {MAX_NOTE}).",
            ),
            Words("请写明这张表说明什么", "Say what the table shows"),
        )
    if not item.rows or not item.measures:
        raise Invalid(
            "release.table.empty",
            Words("结果表没有内容,没有创建申请。", "The table is empty; no request was made."),
            Words("请检查筛选条件后重新运行", "Check the filters and run again"),
        )
    if item.cells > MAX_CELLS:
        raise _too_large()
    if any(len(row) != len(item.columns) for row in item.rows):
        raise ValueError("rows and columns of a table item differ in width")


def _too_large() -> Invalid:
    return Invalid(
        "release.table.too_large",
        Words(
            f"成果表最多 {MAX_CELLS:,} 个指标格、{MAX_ITEM_BYTES // 1024 // 1024} MiB。",
            f"A table has at most {MAX_CELLS:,} measured cells and {MAX_ITEM_BYTES // 1024 // 1024} MiB.",
        ),
        Words("请按更粗的维度汇总", "Aggregate by fewer groups"),
    )
