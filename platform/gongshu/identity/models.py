"""Tables of organisations, people and the roles they were appointed to."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gongshu.database import Base


class Organisation(Base):
    """A legal body. `duties` name what an authority or regulator answers for (principal, agency, price, audit…)."""

    __tablename__ = "identity_organisation"
    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    uscc: Mapped[str] = mapped_column(String(18), default="")
    duties: Mapped[list[str]] = mapped_column(ARRAY(String(40)), default=list)


class Person(Base):
    __tablename__ = "identity_person"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(40), unique=True)
    display_zh: Mapped[str] = mapped_column(String(60))
    display_en: Mapped[str] = mapped_column(String(60))
    organisation: Mapped[str] = mapped_column(ForeignKey("identity_organisation.code"), index=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str] = mapped_column(String(8), default="zh")
    appointments: Mapped[list[Appointment]] = relationship(lazy="selectin", cascade="all, delete-orphan")


class Appointment(Base):
    """One role of one person in one organisation (a cdo may serve several departments)."""

    __tablename__ = "identity_appointment"
    person: Mapped[str] = mapped_column(ForeignKey("identity_person.name"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)
    organisation: Mapped[str] = mapped_column(ForeignKey("identity_organisation.code"), primary_key=True)
