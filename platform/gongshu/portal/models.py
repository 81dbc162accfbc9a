"""The portal's own table: who is logged in. No state of the field lives here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from gongshu.database import Base


class PortalSession(Base):
    """One login of one person. The cookie holds the id, the row only its SHA-256."""

    __tablename__ = "portal_session"
    __unlogged__ = True
    id_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("identity_person.name"), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    appointments: Mapped[str] = mapped_column(String(2000), default="")
    """The roles held at login: a change of role ends the session."""
