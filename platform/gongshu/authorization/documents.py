"""Documents of a case, kept under their digest: plan, commissioning letter, legal opinion, fair-competition review.

It decides which documents must lie in the case before it can be authorised or signed (document 13 §4),
and who may bring which. A document once attached is never changed; a better one is attached beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from gongshu.audit import Event, EventType, UnitOfWork
from gongshu.authorization.models import Document, Scenario
from gongshu.authorization.numbering import next_number
from gongshu.authorization.states import require_move
from gongshu.errors import Conflict, Denied, Invalid, NotFound, TooLarge, Words
from gongshu.identity import Actor, Role

MAX_BYTES = 5 << 20
SIGNATURES = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png"}
KIND_WORDS = {
    "plan": Words("实施方案", "implementation plan"),
    "commission": Words("委托函", "commissioning letter"),
    "legal-opinion": Words("法律意见书", "legal opinion"),
    "fair-competition": Words("公平竞争审查意见", "fair-competition review"),
}
# Policy data `rules.agreement.documents` names the same; a test compares.
REQUIRED_TO_SIGN = ("plan", "legal-opinion", "fair-competition")
BY_OPERATOR = frozenset({"plan", "commission"})
BY_AGENCY = frozenset({"plan", "legal-opinion", "fair-competition"})


def attach_text(work: UnitOfWork, actor: Actor, scenario: Scenario, kind: str, title: str, text: str) -> Document:
    """Attach a document written as text."""
    return attach_file(work, actor, scenario, kind, title, text.encode(), "text/plain; charset=utf-8")


def attach_file(
    work: UnitOfWork,
    actor: Actor,
    scenario: Scenario,
    kind: str,
    title: str,
    content: bytes,
    media_type: str | None = None,
) -> Document:
    """Attach a PDF, PNG or text. Raises Denied for who may not bring this kind, TooLarge, Invalid for other content."""
    require_can_attach(actor, scenario, kind)
    require_move(scenario.state, "attach")
    if len(content) > MAX_BYTES:
        raise TooLarge(
            "authorization.document.too_large",
            Words(f"文件超过 {MAX_BYTES >> 20} MiB。", f"The file exceeds {MAX_BYTES >> 20} MiB."),
            Words("压缩或拆分后再附", "Compress or split it"),
        )
    media_type = media_type or sniff(content)
    digest, now = hashlib.sha256(content).hexdigest(), work.clock.now()
    number = next_number(work.session, Document.id, "D", now)
    entry_id = work.record(
        Event(
            EventType.DOCUMENT_ATTACHED,
            actor=actor.pseudonym,
            organisation=actor.organisation,
            scenario=scenario.code,
            public={"document": number, "kind": kind, "sha256": digest, "size_bytes": len(content)},
        )
    )
    row = Document(
        id=number,
        scenario=scenario.code,
        kind=kind,
        title=title,
        media_type=media_type,
        sha256=digest,
        size_bytes=len(content),
        content=content,
        attached_by=actor.pseudonym,
        attached_organisation=actor.organisation,
        attached_at=now,
        entry_id=entry_id,
    )
    work.session.add(row)
    work.session.flush()
    return row


def sniff(content: bytes) -> str:
    """The media type by content, never by name. Raises Invalid for anything but PDF, PNG and UTF-8 text."""
    for start, media_type in SIGNATURES.items():
        if content.startswith(start):
            return media_type
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\x00"
    if not content or "\x00" in text:
        raise Invalid(
            "authorization.document.kind",
            Words("只接受 PDF、PNG 和 UTF-8 文本。", "Only PDF, PNG and UTF-8 text are accepted."),
            Words("换一种格式后再附", "Convert it and attach it again"),
        )
    return "text/plain; charset=utf-8"


def require_can_attach(actor: Actor, scenario: Scenario, kind: str) -> None:
    """The operator brings plan and commission; the agency plan, legal opinion and fair-competition review."""
    own = actor.has(Role.MANAGER, scenario.operator)
    agency = actor.has(Role.OFFICER) and "agency" in actor.duties
    if (own or agency) and kind not in KIND_WORDS:
        raise Invalid(
            "authorization.document.unknown", Words(f"没有文件种类 {kind}。", f"There is no kind of document {kind}.")
        )
    if (own and kind in BY_OPERATOR) or (agency and kind in BY_AGENCY):
        return
    words = KIND_WORDS.get(kind, Words("文件", "document"))
    raise Denied(
        "authorization.document.duty",
        Words(f"{words.zh}不由您提交。", f"The {words.en} is not yours to attach."),
        Words(
            "实施方案、委托函由申请方提交,法律意见和公平竞争审查由实施机构提交",
            "The applicant brings plan and commission, the agency the opinions",
        ),
    )


def documents_of(session: Session, scenario: str) -> Sequence[Document]:
    """The documents of a case, in the order they came."""
    return session.scalars(select(Document).where(Document.scenario == scenario).order_by(Document.id)).all()


def document_content(session: Session, scenario: str, number: str) -> Document:
    """One document of the case with its bytes. Raises NotFound."""
    row = session.scalar(select(Document).where(Document.scenario == scenario, Document.id == number))
    if row is None:
        raise NotFound(
            "authorization.document.absent", Words(f"没有文件 {number}。", f"There is no document {number}.")
        )
    return row


def missing_documents(session: Session, scenario: str) -> list[str]:
    """The kinds still required before signing."""
    there = set(session.scalars(select(Document.kind).where(Document.scenario == scenario)))
    return [kind for kind in REQUIRED_TO_SIGN if kind not in there]


def require_documents(session: Session, scenario: str) -> None:
    """Raise Conflict naming what is missing before the agreement can be signed."""
    missing = missing_documents(session, scenario)
    if missing:
        zh = "、".join(KIND_WORDS[kind].zh for kind in missing)
        en = ", ".join(KIND_WORDS[kind].en for kind in missing)
        raise Conflict(
            "authorization.documents.missing",
            Words(f"签署前还缺:{zh}。", f"Missing before signing: {en}."),
            Words("附上后再签署", "Attach them, then sign"),
            missing=missing,
        )
