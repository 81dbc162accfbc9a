"""Answers SHOW, DESCRIBE and `spark.catalog.*` from what the analyst's grants name, never from Spark.

It decides how the granted tables are shown: only columns of the grant, masks and levels in their comments,
masked types as they come out. What is not granted and what does not exist are equally not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy.orm import Session

from gongshu.authorization import grants_in_force
from gongshu.catalogue import DatasetVersion, dataset_versions
from gongshu.clock import Clock
from gongshu.errors import Denied, Words
from gongshu.gateway.principal import Principal
from gongshu.gateway.sql_forms import Form, matches, parts_of
from gongshu.policy import describe_mask

CATALOG = "spark_catalog"
MASKED_TEXT = frozenset({"sha-256-keyed", "show-last-4", "mask-alphanum"})


@dataclass(frozen=True)
class ShownColumn:
    name: str
    type: str
    comment: str
    nullable: bool = True
    partition: bool = False


@dataclass(frozen=True)
class ShownTable:
    database: str
    name: str
    comment: str
    columns: tuple[ShownColumn, ...] = ()


@dataclass(frozen=True)
class Scope:
    """Everything this session may know of: granted tables, its own views, its current database."""

    tables: tuple[ShownTable, ...]
    views: tuple[str, ...]
    database: str

    @property
    def databases(self) -> tuple[str, ...]:
        return tuple(sorted({"default", *(table.database for table in self.tables)}))

    def find(self, parts: Sequence[str]) -> ShownTable | None:
        lowered = [part.lower() for part in parts if part.lower() != CATALOG]
        if len(lowered) == 1:
            lowered = [self.database, *lowered]
        return next((table for table in self.tables if [table.database, table.name] == lowered), None)

    def require(self, parts: Sequence[str]) -> ShownTable:
        found = self.find(parts)
        if found is None:
            name = ".".join(parts)
            raise Denied(
                "gateway.catalogue.not_granted",
                Words(f"本场景的授权里没有 {name}。", f"This scenario's grant does not include {name}."),
                Words(
                    "用 spark.catalog.listTables() 查看已授权的表", "See granted tables with spark.catalog.listTables()"
                ),
            )
        return found


def read_scope(session: Session, principal: Principal, clock: Clock, views: Sequence[str], database: str) -> Scope:
    """The tables that the principal's grants in force name, with their present versions."""
    grants = grants_in_force(session, principal.actor.pseudonym, principal.scenario, clock.now())
    live = {grant.dataset: grant for grant in grants if grant.in_force}
    versions = dataset_versions(session, sorted(live))
    tables = [_shown(version, live[name].columns, live[name].masks) for name, version in sorted(versions.items())]
    return Scope(tuple(tables), tuple(sorted(views)), database)


def _shown(version: DatasetVersion, granted: Sequence[str], masks: Mapping[str, Mapping[str, object]]) -> ShownTable:
    database, _, name = version.dataset.partition(".")
    stored = {column.name: column for column in version.columns}
    columns = []
    for column in (stored[name] for name in granted if name in stored):
        mask = masks.get(column.name)
        said = [column.comment, f"{column.level}"] + ([describe_mask(mask).zh] if mask else [])
        columns.append(
            ShownColumn(
                column.name,
                column.type,
                " · ".join(part for part in said if part),
                partition=column.name in version.partition_columns,
            )
        )
    return ShownTable(database, name, "", tuple(columns))


def answer_catalog(scope: Scope, kind: str, asked: object) -> pa.Table:
    """Answer one `spark.catalog` call. kind: the field of spark.connect.Catalog; asked: its message."""
    database = getattr(asked, "db_name", "") or ""
    pattern = getattr(asked, "pattern", "") or ""
    table_name = getattr(asked, "table_name", "") or ""
    parts = (*((database,) if database else ()), *parts_of(table_name))
    match kind:
        case "current_database":
            return _one("current_database", scope.database)
        case "current_catalog":
            return _one("current_catalog", CATALOG)
        case "list_catalogs":
            return pa.table({"name": [CATALOG], "description": pa.array([None], pa.string())})
        case "list_databases":
            return _databases([name for name in scope.databases if matches(name, pattern)])
        case "get_database":
            _require_database(scope, database)
            return _databases([database.lower()])
        case "database_exists":
            return _one("value", database.lower() in scope.databases)
        case "list_tables":
            return _tables(_tables_in(scope, database, pattern), [v for v in scope.views if matches(v, pattern)])
        case "list_views":
            return _tables([], [view for view in scope.views if matches(view, pattern)])
        case "get_table":
            if len(parts) == 1 and parts[0].lower() in scope.views:
                return _tables([], [parts[0].lower()])
            return _tables([scope.require(parts)], [])
        case "table_exists":
            is_view = len(parts) == 1 and parts[0].lower() in scope.views
            return _one("value", is_view or scope.find(parts) is not None)
        case "list_columns":
            return _columns(scope.require(parts).columns)
        case "is_cached":
            return _one("value", False)
        case _:
            return pa.table({})


def answer_form(scope: Scope, form: Form) -> pa.Table:
    """Answer SHOW and DESCRIBE written as SQL."""
    match form.kind:
        case "show-tables":
            database = form.names[-1] if form.names else ""
            found = _tables_in(scope, database, form.pattern)
            views = [view for view in scope.views if matches(view, form.pattern)]
            return pa.table(
                {
                    "namespace": pa.array([table.database for table in found] + [""] * len(views), pa.string()),
                    "tableName": pa.array([table.name for table in found] + views, pa.string()),
                    "isTemporary": pa.array([False] * len(found) + [True] * len(views), pa.bool_()),
                }
            )
        case "show-views":
            views = [view for view in scope.views if matches(view, form.pattern)]
            return pa.table(
                {
                    "namespace": pa.array([""] * len(views), pa.string()),
                    "viewName": pa.array(views, pa.string()),
                    "isTemporary": pa.array([True] * len(views), pa.bool_()),
                }
            )
        case "show-databases":
            return pa.table(
                {"namespace": pa.array([n for n in scope.databases if matches(n, form.pattern)], pa.string())}
            )
        case "show-columns":
            return pa.table({"col_name": pa.array([c.name for c in scope.require(form.names).columns], pa.string())})
        case "describe":
            columns = scope.require(form.names).columns
            return pa.table(
                {
                    "col_name": pa.array([column.name for column in columns], pa.string()),
                    "data_type": pa.array([column.type for column in columns], pa.string()),
                    "comment": pa.array([column.comment for column in columns], pa.string()),
                }
            )
        case _:
            return pa.table({})


def _require_database(scope: Scope, name: str) -> None:
    if name.lower() not in scope.databases:
        raise Denied(
            "gateway.catalogue.not_granted",
            Words(f"本场景的授权里没有库 {name}。", f"This scenario's grant has no database {name}."),
            Words("用 spark.catalog.listDatabases() 查看", "See spark.catalog.listDatabases()"),
        )


def require_database(scope: Scope, parts: Sequence[str]) -> str:
    """The database of a USE. Raises Denied like an absent table."""
    name = parts[-1].lower()
    _require_database(scope, name)
    return name


def _tables_in(scope: Scope, database: str, pattern: str) -> list[ShownTable]:
    """Without a database: every granted table, whatever the current database is (document 13 §16)."""
    wanted = parts_of(database)[-1].lower() if database else ""
    return [t for t in scope.tables if (not wanted or t.database == wanted) and matches(t.name, pattern)]


def _one(name: str, value: str | bool) -> pa.Table:
    return pa.table({name: [value]})


def _databases(names: Sequence[str]) -> pa.Table:
    return pa.table(
        {
            "name": pa.array(names, pa.string()),
            "catalog": pa.array([CATALOG] * len(names), pa.string()),
            "description": pa.array([""] * len(names), pa.string()),
            "locationUri": pa.array([""] * len(names), pa.string()),
        }
    )


def _tables(found: Sequence[ShownTable], views: Sequence[str]) -> pa.Table:
    count = len(found)
    return pa.table(
        {
            "name": pa.array([table.name for table in found] + list(views), pa.string()),
            "catalog": pa.array([CATALOG] * count + [None] * len(views), pa.string()),
            "namespace": pa.array([[table.database] for table in found] + [[] for _ in views], pa.list_(pa.string())),
            "description": pa.array([table.comment for table in found] + [""] * len(views), pa.string()),
            "tableType": pa.array(["VIEW"] * count + ["TEMPORARY"] * len(views), pa.string()),
            "isTemporary": pa.array([False] * count + [True] * len(views), pa.bool_()),
        }
    )


def _columns(columns: Sequence[ShownColumn]) -> pa.Table:
    return pa.table(
        {
            "name": pa.array([column.name for column in columns], pa.string()),
            "description": pa.array([column.comment for column in columns], pa.string()),
            "dataType": pa.array([column.type for column in columns], pa.string()),
            "nullable": pa.array([column.nullable for column in columns], pa.bool_()),
            "isPartition": pa.array([column.partition for column in columns], pa.bool_()),
            "isBucket": pa.array([False] * len(columns), pa.bool_()),
            "isCluster": pa.array([False] * len(columns), pa.bool_()),
        }
    )
