"""One statement, one question, one entry: what the policy is asked and what is written before anything runs.

Freeze, grants and quota are read, the question asked, the intent written and the quota reserved in one
transaction, under the lock of the scenario's day. It must never let a statement through without an entry.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session
from ulid import ULID

from gongshu.audit import Receipt, UnitOfWork, Vault
from gongshu.authorization import Grant, grants_in_force, is_frozen
from gongshu.catalogue import DataFile, DatasetVersion, KnownVersions
from gongshu.clock import Clock
from gongshu.database import Sessions, naming_the_database
from gongshu.errors import GongshuError, Unavailable
from gongshu.gateway import journal, quota
from gongshu.gateway.engine import Column, Mask, PinnedFile, SecuredRelation
from gongshu.gateway.journal import Opening
from gongshu.gateway.principal import Principal
from gongshu.policy import Area, Decision, Opa, Resource, Subject, Usage, statement_question

DOUBT_SECONDS = 60.0  # how late a commit of a database that hung may still come through
NamedDatasets = Mapping[tuple[str, ...], str]
"""Name as a plan writes it → dataset."""


@dataclass(frozen=True)
class Request:
    """A statement to be decided. kind: query, analyze, release-table, view. text: for the log."""

    principal: Principal
    kind: str
    names: NamedDatasets
    text: Mapping[str, str]
    digest: str

    @property
    def datasets(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.names.values())))


@dataclass(frozen=True)
class Allowed:
    """An allowed statement: its relations, its limits, and (unless it is an analysis) its durable intent."""

    statement: str
    decision: Decision
    versions: Mapping[str, DatasetVersion]
    grants: Mapping[str, Grant]
    relations: tuple[SecuredRelation, ...]
    receipt: Receipt | None
    reserved_bytes: int


class Asker:
    """Puts the question and keeps the entry. Blocking; one per process."""

    def __init__(
        self,
        sessions: Sessions,
        opa: Opa,
        clock: Clock,
        vault: Vault,
        *,
        instance: str,
        time_zone: str,
        mask_root: bytes,
    ) -> None:
        self.sessions = sessions
        self.clock = clock
        self.vault = vault
        self.instance = instance
        self.time_zone = time_zone
        self.doubtful: dict[str, float] = {}
        self._versions = KnownVersions()
        self._opa = opa
        self._mask_root = mask_root

    def unit(self) -> UnitOfWork:
        return UnitOfWork(self.sessions, writer="gateway", clock=self.clock, vault=self.vault)

    def ask(self, request: Request, meanwhile: Callable[[Allowed], None] | None = None) -> Allowed:
        """Decide a statement and log it. Raises Denied with the clause, Unavailable naming the part.

        An allowed analysis returns no rows: it is neither metered nor logged; a denied one is logged.
        meanwhile: begins what reads nothing (planning) while the intent is being made durable.
        """
        with self.unit() as work, naming_the_database():
            principal = request.principal
            day = quota.lock_day(work.session, principal.scenario, quota.day_of(self.clock.now(), self.time_zone))
            grants = grants_in_force(work.session, principal.actor.pseudonym, principal.scenario, self.clock.now())
            versions = self._versions.newest(work.session, request.datasets)
            by_dataset = {grant.dataset: grant for grant in grants if grant.dataset in versions and grant.in_force}
            wanted = sum(wanted_bytes(versions[name], grant.columns) for name, grant in by_dataset.items())
            used = Usage(day.statements, day.reserved_bytes + day.billed_bytes, wanted)
            decision = self._decide(request, work.session, grants, versions, used)
            opening = self._opening(request, decision, versions, by_dataset)
            if not decision.allowed:
                journal.log_denial(work, opening, decision, day)
                work.commit()
                raise decision.refusal()
            if request.kind == "analyze":
                work.rollback()
                return self._allowed(request, opening, decision, versions, by_dataset, None, 0)
            if meanwhile is not None:
                meanwhile(self._allowed(request, opening, decision, versions, by_dataset, None, wanted))
            journal.log_intent(work, opening, decision, wanted, day)
            try:
                receipt = work.commit()[0]
            except GongshuError:
                self.doubtful[opening.statement] = time.monotonic() + DOUBT_SECONDS
                raise
        return self._allowed(request, opening, decision, versions, by_dataset, receipt, wanted)

    def close(
        self, statement: str, outcome: journal.Outcome, denied: Mapping[str, str] | None = None
    ) -> Receipt | None:
        """Write a statement's outcome. Returns its receipt, or None when it is closed already.

        denied: a reason with its clause, found only while securing (a column outside the grant).
        """
        with self.unit() as work, naming_the_database():
            if not journal.log_outcome(work, statement, outcome, denied):
                return None
            return work.commit()[0]

    def close_doubtful(self) -> None:
        """Close intents whose commit was given up without an answer, as soon as they turn out to be in the log."""
        for statement, until in list(self.doubtful.items()):
            found = self.close(statement, journal.Outcome(status="failed", reason="unavailable.database"))
            if found is not None or time.monotonic() > until:
                self.doubtful.pop(statement, None)

    def refuse(self, principal: Principal, code: str, text: Mapping[str, str], repeated: int) -> None:
        """Record that something was refused before any question could be put (protocol, functions, commands)."""
        with self.unit() as work, naming_the_database():
            journal.log_refusal(work, principal.actor, principal.scenario, code, text, repeated)
            work.commit()

    def _decide(
        self,
        request: Request,
        session: Session,
        grants: Sequence[Grant],
        versions: Mapping[str, DatasetVersion],
        used: Usage,
    ) -> Decision:
        actor = request.principal.actor
        question = statement_question(
            Subject(actor.pseudonym, actor.organisation, sorted({role.value for role in actor.roles})),
            request.principal.scenario,
            [_resource(name, versions.get(name)) for name in request.datasets],
            [grant.snapshot() for grant in grants],
            used,
            frozen=is_frozen(session, actor.organisation),
            now=self.clock.now(),
            action="release-table" if request.kind == "release-table" else "query",
        )
        return self._opa.ask(Area.AUTHORIZATION, question)

    def _opening(
        self,
        request: Request,
        decision: Decision,
        versions: Mapping[str, DatasetVersion],
        grants: Mapping[str, Grant],
    ) -> Opening:
        return Opening(
            statement=str(ULID()),
            kind=request.kind,
            actor=request.principal.actor,
            scenario=request.principal.scenario,
            text=request.text,
            digest=request.digest,
            datasets=tuple((name, versions[name].version if name in versions else 0) for name in request.datasets),
            columns={name: found["columns"] for name, found in decision.obligations.items()},
            grants={name: grant.snapshot() for name, grant in grants.items() if name in request.datasets},
            instance=self.instance,
        )

    def _allowed(
        self,
        request: Request,
        opening: Opening,
        decision: Decision,
        versions: Mapping[str, DatasetVersion],
        grants: Mapping[str, Grant],
        receipt: Receipt | None,
        reserved: int,
    ) -> Allowed:
        key = hmac.digest(self._mask_root, f"gongshu mask 1|{request.principal.scenario}".encode(), hashlib.sha256)
        relations = tuple(
            secured(parts, versions[name], decision.obligations[name], key) for parts, name in request.names.items()
        )
        return Allowed(opening.statement, decision, versions, grants, relations, receipt, reserved)


def wanted_bytes(version: DatasetVersion, columns: Sequence[str]) -> int:
    """Stored bytes of those columns in the pinned version: static, no predicate changes them (document 13 §15)."""
    named = set(columns)
    return sum(column.stored_bytes for column in version.columns if column.name in named)


def _resource(name: str, version: DatasetVersion | None) -> Resource:
    """What does not exist is asked for like what is not granted, and gets the same answer."""
    if version is None:
        return Resource(name, 0, [], None)
    columns = [column.name for column in version.columns]
    return Resource(name, version.version, columns, version.registration_valid_until)


def secured(
    parts: tuple[str, ...], version: DatasetVersion, obligation: Mapping[str, object], key: bytes
) -> SecuredRelation:
    """A dataset version as the policy's obligation lets it be seen."""
    columns = obligation["columns"]
    masks = obligation["masks"]
    row_filter = obligation["row_filter"]
    assert isinstance(columns, list) and isinstance(masks, dict)
    assert row_filter is None or isinstance(row_filter, dict)
    return SecuredRelation(
        name_parts=parts,
        dataset=version.dataset,
        version=version.version,
        files=tuple(_pinned(version.bucket, file) for file in version.files),
        columns=tuple(Column(column.name, column.type, column.comment) for column in version.columns),
        partition_columns=tuple(version.partition_columns),
        allowed=tuple((name, _mask(masks.get(name))) for name in columns),
        row_filter=row_filter,
        mask_key=key,
        entity_column=version.entity_column,
    )


def _pinned(bucket: str, file: DataFile) -> PinnedFile:
    """Exactly the object that was registered. One without a version could be swapped: it is not read."""
    if not file.version_id:
        raise Unavailable("storage")
    return PinnedFile(f"s3a://{bucket}/{file.key}", file.bytes, file.partition, file.version_id, file.etag.strip('"'))


def _mask(found: Mapping[str, object] | None) -> Mask | None:
    if found is None:
        return None
    size = found.get("size")
    return Mask(str(found["kind"]), int(str(size)) if size is not None else None)
