"""What the names in a plan mean: a temporary view of the session, or a dataset.

It decides from part lists as Spark's own parser found them, never from joined strings. A name that is
no view is a dataset to be asked for, existing or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql.connect import proto

from gongshu.gateway.admission import Admitted, encode
from gongshu.gateway.asking import NamedDatasets
from gongshu.gateway.engine import Engine, ViewPlan
from gongshu.gateway.sessions import ClientSession, Names, StoredView

CATALOGS = ("spark_catalog",)


@dataclass(frozen=True)
class Resolved:
    """The names of a plan: datasets by the names used for them, and the views it is to be inlined with."""

    datasets: NamedDatasets
    views: tuple[ViewPlan, ...]


def resolve(engine: Engine, session: ClientSession, admitted: Admitted) -> Resolved:
    """Ask the engine for the names in a plan. Raises EngineRefusal for what may not be named at all."""
    views: dict[str, StoredView] = dict(session.views)
    # Inner references were taken out first, so that outer ones may use them.
    for alias, relation in admitted.references.items():
        views[alias] = _to_view(engine, session, alias, relation, views)
    return _names_of(engine, session, admitted.root, views)


def make_view(engine: Engine, session: ClientSession, name: str, admitted: Admitted) -> StoredView:
    """A temporary view of a plan, with the views it uses as they are now."""
    resolved = resolve(engine, session, admitted)
    plan = ViewPlan((name,), admitted.plan(), resolved.views)
    return StoredView(name.lower(), plan, dict(resolved.datasets))


def _to_view(
    engine: Engine, session: ClientSession, alias: str, relation: proto.Relation, views: Mapping[str, StoredView]
) -> StoredView:
    resolved = _names_of(engine, session, relation, views)
    return StoredView(alias, ViewPlan((alias,), encode(relation), resolved.views), dict(resolved.datasets))


def _names_of(
    engine: Engine, session: ClientSession, relation: proto.Relation, views: Mapping[str, StoredView]
) -> Resolved:
    datasets: dict[tuple[str, ...], str] = {}
    used: list[ViewPlan] = []
    for parts in _named(engine, session, relation):
        view = views.get(parts[0].lower()) if len(parts) == 1 else None
        if view is None:
            datasets[parts] = dataset_named(parts, session.database)
        else:
            used.append(ViewPlan(parts, view.view.plan, view.view.views))
            datasets.update(view.names)
    return Resolved(datasets, tuple(used))


def _named(engine: Engine, session: ClientSession, relation: proto.Relation) -> Names:
    """The names in a relation. A notebook's query comes three times in a row, under another plan id each time."""
    text = relation.sql if relation.HasField("sql") else relation
    digest = hashlib.sha256(f"{type(text).__name__}|".encode() + text.SerializeToString(deterministic=True)).digest()
    known = session.described.get(digest)
    if known is None:
        known = engine.describe(session.key, encode(relation)).names
        session.remember_names(digest, known)
    return known


def dataset_named(parts: tuple[str, ...], database: str) -> str:
    """`spark_catalog.tourism.stays`, `Tourism.Stays`, or `stays` after USE tourism → tourism.stays."""
    lowered = tuple(part.lower() for part in parts)
    if len(lowered) == 3 and lowered[0] in CATALOGS:
        lowered = lowered[1:]
    if len(lowered) == 1 and database != "default":
        lowered = (database, *lowered)
    return ".".join(lowered)
