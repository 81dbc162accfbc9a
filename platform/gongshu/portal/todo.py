"""What waits for whom: rooms register here what they have to show on the home page.

The arrow goes from the room's pages to this module, never back: `home` only reads the registry.

    @todo.provides(Role.REVIEWER)
    def waiting_reviews(ctx: Context) -> Iterable[Todo]: ...

    @todo.facts(Role.MANAGER)
    def bill_so_far(ctx: Context) -> Iterable[Fact]: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from markupsafe import Markup

from gongshu.errors import Unavailable
from gongshu.identity import Role

if TYPE_CHECKING:
    from gongshu.portal.edge import Context


@dataclass(frozen=True)
class Todo:
    """One line of the home page. path: without prefix. status: a code of `status.STATUSES`.

    mine: it is this person's turn; otherwise the person waits for somebody else. title and note are
    already in the language of the request.
    """

    title: str
    path: str
    status: str
    due: datetime | None = None
    note: str = ""
    mine: bool = True


@dataclass(frozen=True)
class Fact:
    """One number of the role's strip; path leads to the list it was counted from."""

    label: str
    value: str | Markup
    path: str = ""
    note: str = ""


Line = TypeVar("Line", "Todo", "Fact")
Provider = Callable[["Context"], Iterable[Todo]]
FactProvider = Callable[["Context"], Iterable[Fact]]
_TODOS: list[tuple[frozenset[Role], Provider]] = []
_FACTS: list[tuple[frozenset[Role], FactProvider]] = []


def provides(*roles: Role) -> Callable[[Provider], Provider]:
    """Register a provider of home page lines for people who hold one of the roles."""

    def register(provider: Provider) -> Provider:
        _TODOS.append((frozenset(roles), provider))
        return provider

    return register


def facts(*roles: Role) -> Callable[[FactProvider], FactProvider]:
    """Register a provider of facts for people who hold one of the roles."""

    def register(provider: FactProvider) -> FactProvider:
        _FACTS.append((frozenset(roles), provider))
        return provider

    return register


def todos_for(ctx: Context) -> tuple[list[Todo], list[Unavailable]]:
    """All lines for the person, the earliest due first, those without a date last; and what could not be asked."""
    found, missing = _collect(ctx, _TODOS)
    return sorted(found, key=lambda one: (one.due is None, one.due or ctx.now)), missing


def facts_for(ctx: Context) -> tuple[list[Fact], list[Unavailable]]:
    """All facts for the person; and what could not be asked."""
    return _collect(ctx, _FACTS)


def _collect(
    ctx: Context, providers: list[tuple[frozenset[Role], Callable[[Context], Iterable[Line]]]]
) -> tuple[list[Line], list[Unavailable]]:
    """One part that is down costs its own lines, not the page."""
    found: list[Line] = []
    missing: list[Unavailable] = []
    for roles, provider in providers:
        if roles & ctx.actor.roles:
            try:
                found += list(provider(ctx))
            except Unavailable as error:
                if error.part == "database":
                    raise
                missing.append(error)
    return found, missing
