"""Tables of the log. Rows of `audit_entry` are written once; no role may update or delete them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from gongshu.database import Base


class LogHead(Base):
    """One row: the number of entries. Its row lock is the one lock under which indices are given."""

    __tablename__ = "audit_head"
    __unlogged__ = True
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    size: Mapped[int] = mapped_column(BigInteger, default=0)


class LogEntry(Base):
    __tablename__ = "audit_entry"
    __unlogged__ = True
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[str] = mapped_column(String(26), unique=True)
    event: Mapped[str] = mapped_column(String(80), index=True)
    actor: Mapped[str] = mapped_column(String(60), index=True)
    organisation: Mapped[str] = mapped_column(String(60), index=True)
    scenario: Mapped[str] = mapped_column(String(80), index=True)
    time: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    writer: Mapped[str] = mapped_column(String(30))
    allowed: Mapped[bool | None]
    data: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary)


Index("ix_audit_entry_denied", LogEntry.index, postgresql_where=text("NOT allowed"))


class LogMention(Base):
    """What an entry speaks of in its public part: a dataset, a statement, a release."""

    __tablename__ = "audit_mention"
    __unlogged__ = True
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[str] = mapped_column(String(120), primary_key=True)
    index: Mapped[int] = mapped_column(ForeignKey("audit_entry.index"), primary_key=True)


class LogPayload(Base):
    """A private part beside its entry; `wrapped_key` NULL means erased."""

    __tablename__ = "audit_payload"
    __unlogged__ = True
    index: Mapped[int] = mapped_column(ForeignKey("audit_entry.index"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    audience: Mapped[list[str]] = mapped_column(ARRAY(String(60)))
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)


class LogBlob(Base):
    """Content-addressed bytes that anyone may see and entries point to: bundles, price books, keys."""

    __tablename__ = "audit_blob"
    __unlogged__ = True
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(120), default="")
    data: Mapped[bytes] = mapped_column(LargeBinary)


class LogPublisher(Base):
    """One row: how the publisher is. `append` refuses unless it is well (document 13 §10)."""

    __tablename__ = "audit_publisher"
    __unlogged__ = True
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    state: Mapped[str] = mapped_column(String(20))
    words: Mapped[str] = mapped_column(String(400))
    beat_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    behind_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class LogCheckpoint(Base):
    """What the worker has signed and published."""

    __tablename__ = "audit_checkpoint"
    __unlogged__ = True
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[bytes] = mapped_column(LargeBinary)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class LogWriter(Base):
    """Which database role may speak as which writer."""

    __tablename__ = "audit_writer"
    __unlogged__ = True
    role: Mapped[str] = mapped_column(String(60), primary_key=True)
    writer: Mapped[str] = mapped_column(String(30), primary_key=True)


class LogGrant(Base):
    """Which events a writer may write (LIKE patterns; one that refuses outweighs)."""

    __tablename__ = "audit_grant"
    __unlogged__ = True
    writer: Mapped[str] = mapped_column(String(30), primary_key=True)
    pattern: Mapped[str] = mapped_column(String(80), primary_key=True)
    allowed: Mapped[bool]
