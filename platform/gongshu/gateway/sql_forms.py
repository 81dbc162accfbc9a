"""Recognises the few SQL commands that the gateway answers by itself; everything else is a query for Spark to vet.

It decides only who answers. A text that is mistaken for a query is refused by the engine, one that is
mistaken for a command gets an answer from the analyst's own grant: neither can reach data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"(?:`[^`]+`|\w+)"
_NAMES = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_LIKE = r"(?:\s+LIKE)?\s+'(?P<pattern>[^']*)'"


@dataclass(frozen=True)
class Form:
    """kind: show-tables, show-views, show-databases, show-columns, describe, create-view, drop-view, explain, use,
    nothing (accepted and without effect)."""

    kind: str
    names: tuple[str, ...] = ()
    pattern: str = ""
    query: str = ""
    replace: bool = False
    quiet: bool = False


_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"^{text}$", re.IGNORECASE | re.DOTALL))
    for kind, text in (
        ("show-tables", rf"SHOW\s+TABLES(?:\s+(?:FROM|IN)\s+(?P<names>{_NAMES}))?(?:{_LIKE})?"),
        ("show-views", rf"SHOW\s+VIEWS(?:\s+(?:FROM|IN)\s+(?P<names>{_NAMES}))?(?:{_LIKE})?"),
        ("show-databases", rf"SHOW\s+(?:DATABASES|SCHEMAS|NAMESPACES)(?:{_LIKE})?"),
        ("show-columns", rf"SHOW\s+COLUMNS\s+(?:FROM|IN)\s+(?P<names>{_NAMES})"),
        ("describe", rf"(?:DESC|DESCRIBE)\s+(?:TABLE\s+)?(?:EXTENDED\s+|FORMATTED\s+)?(?P<names>{_NAMES})"),
        (
            "create-view",
            rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?TEMP(?:ORARY)?\s+VIEW\s+(?P<quiet>IF\s+NOT\s+EXISTS\s+)?"
            rf"(?P<names>{_NAME})\s+AS\s+(?P<query>.+)",
        ),
        ("drop-view", rf"DROP\s+VIEW\s+(?P<quiet>IF\s+EXISTS\s+)?(?P<names>{_NAME})"),
        (
            "explain",
            r"EXPLAIN\s+(?:EXTENDED\s+|FORMATTED\s+|CODEGEN\s+|COST\s+)?(?P<query>(?:SELECT|WITH|FROM|TABLE|VALUES|\()\W?.*)",
        ),
        ("use", rf"USE\s+(?:DATABASE\s+|SCHEMA\s+|NAMESPACE\s+)?(?P<names>{_NAMES})"),
        (
            "nothing",
            rf"(?:UNCACHE\s+TABLE|REFRESH\s+TABLE|CACHE\s+(?:LAZY\s+)?TABLE)\s+(?:IF\s+EXISTS\s+)?(?P<names>{_NAMES})",
        ),
        ("nothing", r"CLEAR\s+CACHE"),
    )
)


def recognise(sql: str) -> Form | None:
    """The command that the gateway answers, or None for a query."""
    text = without_comments(sql).strip().rstrip(";").strip()
    for kind, pattern in _FORMS:
        found = pattern.match(text)
        if found:
            groups = found.groupdict()
            return Form(
                kind=kind,
                names=parts_of(groups.get("names") or ""),
                pattern=groups.get("pattern") or "",
                query=groups.get("query") or "",
                replace=bool(groups.get("replace")),
                quiet=bool(groups.get("quiet")),
            )
    return None


def parts_of(name: str) -> tuple[str, ...]:
    """`a`.b → ("a", "b")."""
    return tuple(part.strip().strip("`") for part in re.findall(_NAME, name))


def without_comments(sql: str) -> str:
    """Leading comments only: those inside a query are the parser's."""
    text = sql.lstrip()
    while True:
        if text.startswith("--"):
            text = text.partition("\n")[2].lstrip()
        elif text.startswith("/*") and "*/" in text:
            text = text.partition("*/")[2].lstrip()
        else:
            return text


def matches(name: str, pattern: str) -> bool:
    """Spark's SHOW pattern: `*` any text, `|` alternatives, case-blind; pyspark's listTables uses the same."""
    if not pattern:
        return True
    alternatives = (re.escape(one.strip()).replace(r"\*", ".*").replace("%", ".*") for one in pattern.split("|"))
    return any(re.fullmatch(one, name, re.IGNORECASE) for one in alternatives)
