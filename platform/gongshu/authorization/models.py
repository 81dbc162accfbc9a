"""Tables of scenarios, what they ask for, what was agreed and signed, the compiled grants, and freezes.

Rows that were signed or compiled are never changed; an end is a new fact beside them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gongshu.database import Base

MOMENT = DateTime(timezone=True)


class Scenario(Base):
    """One purpose of one operator. `state` follows `states.MOVES`."""

    __tablename__ = "authorization_scenario"
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    operator: Mapped[str] = mapped_column(ForeignKey("identity_organisation.code"), index=True)
    applicant: Mapped[str] = mapped_column(String(40))
    title_zh: Mapped[str] = mapped_column(String(120))
    title_en: Mapped[str] = mapped_column(String(120))
    purpose: Mapped[str] = mapped_column(Text)
    beneficiary: Mapped[str] = mapped_column(Text)
    output_kinds: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    term_months: Mapped[int | None]
    term_minutes: Mapped[int | None]
    quota: Mapped[dict[str, int]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(MOMENT)
    submitted_at: Mapped[datetime | None] = mapped_column(MOMENT)
    authorised_by: Mapped[str | None] = mapped_column(String(40))
    authorised_organisation: Mapped[str | None] = mapped_column(String(60))
    authorised_at: Mapped[datetime | None] = mapped_column(MOMENT)
    entry_id: Mapped[str] = mapped_column(String(26))
    analysts: Mapped[list[ScenarioAnalyst]] = relationship(lazy="selectin", order_by="ScenarioAnalyst.person")
    requests: Mapped[list[ColumnRequest]] = relationship(lazy="selectin", order_by="ColumnRequest.id")


class ScenarioAnalyst(Base):
    __tablename__ = "authorization_analyst"
    scenario: Mapped[str] = mapped_column(ForeignKey("authorization_scenario.code"), primary_key=True)
    person: Mapped[str] = mapped_column(String(40), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(40), index=True)


class ColumnRequest(Base):
    """What a scenario asks of one dataset, and what its provider's steward decided."""

    __tablename__ = "authorization_request"
    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    scenario: Mapped[str] = mapped_column(ForeignKey("authorization_scenario.code"), index=True)
    dataset: Mapped[str] = mapped_column(String(120))
    dataset_version: Mapped[int]
    provider: Mapped[str] = mapped_column(ForeignKey("identity_organisation.code"), index=True)
    row_filter: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    use: Mapped[str] = mapped_column(String(20))
    price: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20))
    decided_by: Mapped[str | None] = mapped_column(String(40))
    decided_at: Mapped[datetime | None] = mapped_column(MOMENT)
    decision_reason: Mapped[str] = mapped_column(Text, default="")
    agreed_filter: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    entry_id: Mapped[str] = mapped_column(String(26))
    columns: Mapped[list[RequestedColumn]] = relationship(lazy="selectin", order_by="RequestedColumn.position")
    __table_args__ = (UniqueConstraint("scenario", "dataset", name="uq_authorization_request_dataset"),)


class RequestedColumn(Base):
    """One column of a request. `verdict` is empty until the steward says agree or veto."""

    __tablename__ = "authorization_request_column"
    request: Mapped[str] = mapped_column(ForeignKey("authorization_request.id"), primary_key=True)
    column: Mapped[str] = mapped_column(String(120), primary_key=True)
    position: Mapped[int]
    mask: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    verdict: Mapped[str] = mapped_column(String(10), default="")
    agreed_mask: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class Document(Base):
    """An attachment of a case, kept under its digest: plan, commission, legal opinion, fair-competition review."""

    __tablename__ = "authorization_document"
    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    scenario: Mapped[str] = mapped_column(ForeignKey("authorization_scenario.code"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(60))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    attached_by: Mapped[str] = mapped_column(String(40))
    attached_organisation: Mapped[str] = mapped_column(String(60))
    attached_at: Mapped[datetime] = mapped_column(MOMENT)
    entry_id: Mapped[str] = mapped_column(String(26))


class Agreement(Base):
    """The numbered clauses both sides sign. `terms` is what they compile to, `digest` what is signed."""

    __tablename__ = "authorization_agreement"
    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[str] = mapped_column(String(60), unique=True)
    scenario: Mapped[str] = mapped_column(ForeignKey("authorization_scenario.code"), index=True)
    operator: Mapped[str] = mapped_column(ForeignKey("identity_organisation.code"), index=True)
    clauses: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    terms: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    split: Mapped[list[dict[str, str]]] = mapped_column(JSONB)
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(20))
    drafted_by: Mapped[str] = mapped_column(String(40))
    drafted_at: Mapped[datetime] = mapped_column(MOMENT)
    valid_from: Mapped[datetime | None] = mapped_column(MOMENT)
    valid_until: Mapped[datetime | None] = mapped_column(MOMENT)
    revoked_at: Mapped[datetime | None] = mapped_column(MOMENT)
    revoked_by: Mapped[str | None] = mapped_column(String(40))
    revoked_reason: Mapped[str] = mapped_column(Text, default="")
    entry_id: Mapped[str] = mapped_column(String(26))
    signatures: Mapped[list[Signature]] = relationship(lazy="selectin", order_by="Signature.signed_at")
    __table_args__ = (
        # One unfinished or active agreement per scenario: the second of two drafts at once fails here.
        Index(
            "uq_authorization_agreement_live",
            "scenario",
            unique=True,
            postgresql_where=text("state in ('to-be-signed', 'active')"),
        ),
    )


class Signature(Base):
    """One side's signature over the agreement's digest; a person and an organisation sign once."""

    __tablename__ = "authorization_signature"
    agreement: Mapped[str] = mapped_column(ForeignKey("authorization_agreement.id"), primary_key=True)
    side: Mapped[str] = mapped_column(String(20), primary_key=True)
    person: Mapped[str] = mapped_column(String(40))
    organisation: Mapped[str] = mapped_column(String(60))
    digest: Mapped[str] = mapped_column(String(64))
    signed_at: Mapped[datetime] = mapped_column(MOMENT)
    entry_id: Mapped[str] = mapped_column(String(26))
    __table_args__ = (
        UniqueConstraint("agreement", "person", name="uq_authorization_signature_person"),
        UniqueConstraint("agreement", "organisation", name="uq_authorization_signature_organisation"),
    )


class GrantRow(Base):
    """A compiled grant: one dataset of one agreement. Its end is the agreement's."""

    __tablename__ = "authorization_grant"
    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    agreement: Mapped[str] = mapped_column(ForeignKey("authorization_agreement.id"), index=True)
    scenario: Mapped[str] = mapped_column(ForeignKey("authorization_scenario.code"), index=True)
    dataset: Mapped[str] = mapped_column(String(120), index=True)
    provider: Mapped[str] = mapped_column(String(60), index=True)
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB)
    valid_from: Mapped[datetime] = mapped_column(MOMENT)
    valid_until: Mapped[datetime] = mapped_column(MOMENT)


class Freeze(Base):
    """An organisation put on hold. Lifting it takes two different officers: one asks, another lifts."""

    __tablename__ = "authorization_freeze"
    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    organisation: Mapped[str] = mapped_column(ForeignKey("identity_organisation.code"))
    reason: Mapped[str] = mapped_column(Text)
    frozen_by: Mapped[str] = mapped_column(String(40))
    frozen_at: Mapped[datetime] = mapped_column(MOMENT)
    lift_asked_by: Mapped[str | None] = mapped_column(String(40))
    lift_asked_at: Mapped[datetime | None] = mapped_column(MOMENT)
    lift_reason: Mapped[str] = mapped_column(Text, default="")
    lifted_by: Mapped[str | None] = mapped_column(String(40))
    lifted_at: Mapped[datetime | None] = mapped_column(MOMENT)
    entry_id: Mapped[str] = mapped_column(String(26))
    __table_args__ = (
        Index("uq_authorization_freeze_open", "organisation", unique=True, postgresql_where=text("lifted_at is null")),
    )
