"""What may be written into the log: one event type per thing that can happen, each with its public part.

The public part is hashed and shown to anyone: codes, pseudonyms, digests and counts only. Whatever
only some may see goes into named private parts, which enter the hashed bytes as salted commitments
(document 13 §8). Values are strings, integers, booleans, None, lists and dicts; never floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = "str | int | bool | None | Sequence[Value] | Mapping[str, Value]"


class EventType(StrEnum):
    """`area.noun.past_tense`. Each room adds its own block; a member is never renamed or reused."""

    # identity
    ORGANISATION_CREATED = "identity.organisation.created"
    PERSON_CREATED = "identity.person.created"
    PERSON_CHANGED = "identity.person.changed"
    LOGIN_SUCCEEDED = "identity.login.succeeded"
    LOGIN_REFUSED = "identity.login.refused"
    # catalogue
    # authorization
    # policy
    # release
    # gateway
    STATEMENT_INTENT = "statement.intent.logged"
    STATEMENT_DENIAL = "statement.denial.logged"
    STATEMENT_OUTCOME = "statement.outcome.logged"
    # revenue
    # sandbox (reported by hub and doors)
    # platform


@dataclass(frozen=True)
class Private:
    """One private part: who beside the regulators may see it (organisation codes)."""

    payload: Mapping[str, Value]
    audience: tuple[str, ...] = ()


@dataclass(frozen=True)
class Event:
    """Something that happened, before it has a place in the log.

    actor: a person's pseudonym (`p-…`) or ``system:<part>``. organisation, scenario: codes or "".
    """

    type: EventType
    actor: str
    organisation: str = ""
    scenario: str = ""
    public: Mapping[str, Value] = field(default_factory=dict)
    private: Mapping[str, Private] = field(default_factory=dict)
