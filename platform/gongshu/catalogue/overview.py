"""Reading the catalogue for pages: who sees which version, search, counts.

A version that is not signed off is seen by its own department and by regulators only; to everyone else
it does not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from gongshu.catalogue.models import Dataset, Version
from gongshu.catalogue.service import PREPARED, SIGNED_OFF, absent, find_dataset
from gongshu.identity import Actor, Role


@dataclass(frozen=True)
class Listed:
    """One line of the list: a dataset with the newest version the person may see."""

    dataset: Dataset
    version: Version
    levels: Counter[str]


def sees_drafts(actor: Actor, provider: str) -> bool:
    """Whether versions in preparation of that department exist for this person."""
    return actor.has(Role.STEWARD, provider) or actor.has(Role.CDO, provider) or actor.has(Role.REGULATOR)


def visible_versions(actor: Actor, dataset: Dataset) -> list[Version]:
    """The versions the person may see, oldest first."""
    everything = sees_drafts(actor, dataset.provider)
    return [one for one in dataset.versions if everything or one.state == SIGNED_OFF]


def visible_dataset(session: Session, actor: Actor, name: str) -> tuple[Dataset, list[Version]]:
    """A dataset with at least one version the person may see. Raises NotFound."""
    dataset = find_dataset(session, name)
    versions = visible_versions(actor, dataset)
    if not versions:
        raise absent(name)
    return dataset, versions


def visible_version(session: Session, actor: Actor, name: str, number: int) -> Version:
    """One version the person may see. Raises NotFound."""
    _dataset, versions = visible_dataset(session, actor, name)
    for version in versions:
        if version.number == number:
            return version
    raise absent(f"{name} v{number}")


def list_datasets(
    session: Session, actor: Actor, *, text: str = "", level: str = "", provider: str = ""
) -> list[Listed]:
    """All datasets the person may see, by name; level: only those whose highest level it is."""
    query = select(Dataset).order_by(Dataset.name)
    if text:
        named = (Dataset.name, Dataset.title_zh, Dataset.title_en)
        query = query.where(or_(*(column.icontains(text, autoescape=True) for column in named)))
    if provider:
        query = query.where(Dataset.provider == provider)
    loads = (selectinload(Dataset.versions).selectinload(Version.columns),)
    found = []
    for dataset in session.scalars(query.options(*loads)):
        versions = visible_versions(actor, dataset)
        if versions:
            levels = Counter(column.level for column in versions[-1].columns)
            found.append(Listed(dataset, versions[-1], levels))
    return [one for one in found if not level or max(one.levels, default="") == level]


def waiting_versions(session: Session, providers: Sequence[str], state: str = PREPARED) -> list[Version]:
    """Versions of these departments in a state that waits for somebody."""
    query = (
        select(Version)
        .join(Dataset)
        .where(Dataset.provider.in_(list(providers)), Version.state == state)
        .order_by(Version.prepared_at)
        .options(selectinload(Version.of))
    )
    return list(session.scalars(query))


def lapsing_registrations(session: Session, providers: Sequence[str], before: date) -> list[Dataset]:
    """Datasets of these departments whose registration ends before that day."""
    query = select(Dataset).where(Dataset.provider.in_(list(providers)), Dataset.registration_valid_until < before)
    return list(session.scalars(query.order_by(Dataset.registration_valid_until)))
