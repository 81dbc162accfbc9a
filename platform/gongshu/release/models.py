"""Tables of release requests. Items, checks, reviews and certificates are written once, never edited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Integer, Sequence, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gongshu.database import Base

REQUEST_NUMBERS = Sequence("release_request_number", metadata=Base.metadata)


class ReleaseRequest(Base):
    """One request of one analyst. `version` counts what a reviewer's vote must be about: items, turns, states."""

    __tablename__ = "release_request"
    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    scenario: Mapped[str] = mapped_column(String(80), index=True)
    organisation: Mapped[str] = mapped_column(String(60), index=True)
    author: Mapped[str] = mapped_column(String(40), index=True)
    agreement: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(20), index=True)
    version: Mapped[int] = mapped_column(Integer, default=1)
    turn: Mapped[int] = mapped_column(Integer, default=1)
    round: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    submitted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    need: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    policy_revision: Mapped[str] = mapped_column(String(80), default="")
    entry_id: Mapped[str] = mapped_column(String(26))


class ReleaseItem(Base):
    """One file of a request, addressed by digest. A new version of a table is a new row; the old is superseded."""

    __tablename__ = "release_item"
    __table_args__ = (UniqueConstraint("request", "number"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("release_request.id"), index=True)
    number: Mapped[int] = mapped_column(Integer)
    turn: Mapped[int] = mapped_column(Integer)
    role: Mapped[str] = mapped_column(String(20), default="output")
    kind: Mapped[str] = mapped_column(String(20), default="table")
    title: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    sm3: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(Integer)
    cells: Mapped[int] = mapped_column(Integer)
    shape: Mapped[dict[str, Any]] = mapped_column(JSONB)
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    evidence_sha256: Mapped[str] = mapped_column(String(64))
    datasets: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    levels: Mapped[list[str]] = mapped_column(JSONB)
    statement: Mapped[str] = mapped_column(String(26))
    statement_entry: Mapped[str] = mapped_column(String(26))
    policy_revision: Mapped[str] = mapped_column(String(80))
    plan_text: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    superseded: Mapped[bool] = mapped_column(default=False)
    downloads: Mapped[int] = mapped_column(Integer, default=0)
    entry_id: Mapped[str] = mapped_column(String(26))


class ReleaseCheck(Base):
    """What one automatic check said of one item in one turn."""

    __tablename__ = "release_check"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("release_request.id"), index=True)
    item: Mapped[int] = mapped_column(Integer)
    turn: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(40))
    verdict: Mapped[str] = mapped_column(String(10))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    entry_id: Mapped[str] = mapped_column(String(26))


class ReleaseReview(Base):
    """One person's submitted review. `votes`: item number → {"vote", "reason", "sha256"}."""

    __tablename__ = "release_review"
    __table_args__ = (UniqueConstraint("request", "turn", "round", "reviewer"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("release_request.id"), index=True)
    turn: Mapped[int] = mapped_column(Integer)
    round: Mapped[int] = mapped_column(Integer)
    reviewer: Mapped[str] = mapped_column(String(40))
    organisation: Mapped[str] = mapped_column(String(60))
    votes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    comment: Mapped[str] = mapped_column(Text, default="")
    override: Mapped[str] = mapped_column(Text, default="")
    submitted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    voided: Mapped[bool] = mapped_column(default=False)
    entry_id: Mapped[str] = mapped_column(String(26))


class ReleaseComment(Base):
    """A sentence that the author reads: from the policy, or the author's own at submission."""

    __tablename__ = "release_comment"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("release_request.id"), index=True)
    turn: Mapped[int] = mapped_column(Integer)
    author: Mapped[str] = mapped_column(String(40))
    text_zh: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    entry_id: Mapped[str] = mapped_column(String(26))


class ReleaseCertificate(Base):
    """The certificate's fixed part, in its exact bytes; its proof is added when it is read."""

    __tablename__ = "release_certificate"
    request: Mapped[str] = mapped_column(ForeignKey("release_request.id"), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    entries: Mapped[list[str]] = mapped_column(JSONB)
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ReleaseLink(Base):
    """A one-time way to an item's bytes; only the token's hash is kept."""

    __tablename__ = "release_link"
    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("release_request.id"), index=True)
    item: Mapped[int] = mapped_column(Integer)
    person: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ReleaseRecall(Base):
    """One recall, and its reversal by two different people."""

    __tablename__ = "release_recall"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("release_request.id"), index=True)
    by: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    restore_proposed_by: Mapped[str | None] = mapped_column(String(40))
    restore_reason: Mapped[str] = mapped_column(Text, default="")
    restored_by: Mapped[str | None] = mapped_column(String(40))
    restored_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    entry_id: Mapped[str] = mapped_column(String(26))
