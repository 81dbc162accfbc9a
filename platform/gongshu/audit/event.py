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

Value: TypeAlias = "str | int | bool | Sequence[Value] | Mapping[str, Value] | None"


class EventType(StrEnum):
    """`area.noun.past_tense`. Each room adds its own block; a member is never renamed or reused."""

    # audit: the log about itself
    KEY_ACTIVATED = "audit.key.activated"
    PAYLOAD_ERASED = "audit.payload.erased"
    LOG_READ = "audit.log.read"
    LOG_EXPORTED = "audit.log.exported"
    BUNDLE_ARCHIVED = "policy.bundle.archived"
    PART_STARTED = "platform.part.started"
    # identity
    ORGANISATION_CREATED = "identity.organisation.created"
    PERSON_CREATED = "identity.person.created"
    PERSON_CHANGED = "identity.person.changed"
    LOGIN_SUCCEEDED = "identity.login.succeeded"
    LOGIN_REFUSED = "identity.login.refused"
    # catalogue
    DATASET_REGISTERED = "catalogue.dataset.registered"
    VERSION_DELIVERED = "catalogue.version.delivered"
    VERSION_PREPARED = "catalogue.version.prepared"
    VERSION_RETURNED = "catalogue.version.returned"
    VERSION_SIGNED_OFF = "catalogue.version.signed_off"
    REGISTRATION_RENEWED = "catalogue.registration.renewed"
    # authorization
    SCENARIO_DRAFTED = "authorization.scenario.drafted"
    SCENARIO_SUBMITTED = "authorization.scenario.submitted"
    SCENARIO_WITHDRAWN = "authorization.scenario.withdrawn"
    SCENARIO_AUTHORISED = "authorization.scenario.authorised"
    DOCUMENT_ATTACHED = "authorization.document.attached"
    REQUEST_DECIDED = "authorization.request.decided"
    AGREEMENT_DRAFTED = "authorization.agreement.drafted"
    AGREEMENT_SIGNED = "authorization.agreement.signed"
    AGREEMENT_COMPILED = "authorization.agreement.compiled"
    AGREEMENT_REVOKED = "authorization.agreement.revoked"
    ORGANISATION_FROZEN = "authorization.organisation.frozen"
    UNFREEZE_ASKED = "authorization.unfreeze.asked"
    ORGANISATION_UNFROZEN = "authorization.organisation.unfrozen"
    SPAWN_DECIDED = "authorization.spawn.decided"
    # policy
    # release
    RELEASE_ITEM_ADDED = "release.item.added"
    RELEASE_SUBMITTED = "release.request.submitted"
    RELEASE_CHECKED = "release.request.checked"
    RELEASE_REVIEW_DECIDED = "release.review_need.decided"
    RELEASE_REVIEWED = "release.review.submitted"
    RELEASE_RETURNED = "release.request.returned"
    RELEASE_APPROVED = "release.request.approved"
    RELEASE_REJECTED = "release.request.rejected"
    RELEASE_WITHDRAWN = "release.request.withdrawn"
    RELEASE_ITEM_RELEASED = "release.item.released"
    RELEASE_ITEM_CHANGED = "release.item.found_changed"
    RELEASE_LINK_ISSUED = "release.link.issued"
    RELEASE_ITEM_DOWNLOADED = "release.item.downloaded"
    RELEASE_RECALLED = "release.request.recalled"
    RELEASE_RESTORE_PROPOSED = "release.restore.proposed"
    RELEASE_RESTORED = "release.request.restored"
    # gateway
    STATEMENT_INTENT = "statement.intent.logged"
    STATEMENT_DENIAL = "statement.denial.logged"
    STATEMENT_OUTCOME = "statement.outcome.logged"
    # revenue
    CEILING_SET = "price.ceiling.set"
    PRICE_BOOK_PUBLISHED = "price.book.published"
    PRICE_BOOK_REFUSED = "price.book.refused"
    CLOSING_REFUSED = "settlement.closing.refused"
    PERIOD_CLOSED = "settlement.period.closed"
    # sandbox (reported by hub and doors)
    SANDBOX_STARTED = "sandbox.server.started"
    SANDBOX_STOPPED = "sandbox.server.stopped"
    DOOR_REFUSED = "sandbox.door.refused"
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
