"""Sessions: an opaque id in the cookie, its hash in PostgreSQL, 30 minutes idle, 12 hours in all.

A session ends by time, by logout, by a change of roles, or because the person is no longer active.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from gongshu.errors import NotFound
from gongshu.identity import Actor, find_actor
from gongshu.portal.models import PortalSession

IDLE = timedelta(minutes=30)
WHOLE = timedelta(hours=12)
SEEN_STEP = timedelta(minutes=1)


def cookie_name(secure: bool) -> str:
    """`__Host-` binds the cookie to the portal's own host; it needs TLS."""
    return "__Host-gongshu" if secure else "gongshu-session"


def open_session(session: Session, person: str, now: datetime) -> str:
    """Start a session and return the id for the cookie. The caller commits."""
    opaque = secrets.token_urlsafe(32)
    actor = find_actor(session, person)
    row = PortalSession(
        id_hash=_hash(opaque), person=person, created_at=now, seen_at=now, appointments=_appointments(actor)
    )
    session.execute(delete(PortalSession).where(PortalSession.created_at < now - WHOLE))
    session.add(row)
    return opaque


def find_session(session: Session, opaque: str, now: datetime) -> Actor | None:
    """Who holds this id, or None when there is no such session or it has ended. Commits the sighting."""
    row = session.get(PortalSession, _hash(opaque))
    if row is None:
        return None
    if now - row.seen_at > IDLE or now - row.created_at > WHOLE:
        return None
    try:
        actor = find_actor(session, row.person)
    except NotFound:
        return None
    if _appointments(actor) != row.appointments:
        return None
    if now - row.seen_at > SEEN_STEP:
        row.seen_at = now
        session.commit()
    return actor


def close_session(session: Session, opaque: str) -> None:
    """End this session. The caller commits."""
    session.execute(delete(PortalSession).where(PortalSession.id_hash == _hash(opaque)))


def sessions_of(session: Session, person: str) -> list[PortalSession]:
    """The person's open sessions, newest first."""
    rows = session.query(PortalSession).filter_by(person=person).order_by(PortalSession.created_at.desc())
    return list(rows)


def _hash(opaque: str) -> bytes:
    return hashlib.sha256(opaque.encode()).digest()


def _appointments(actor: Actor) -> str:
    return " ".join(sorted(f"{role.value}@{place}" for role, place in actor.appointments))
