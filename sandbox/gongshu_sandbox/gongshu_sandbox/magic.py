"""``%%sql`` (and ``%sql``): the cell's text as one statement; a table in the notebook, plain text outside.

``--to df`` keeps the Spark DataFrame under that name; ``--rows 200`` shows more. It runs the statement once.
"""

from __future__ import annotations

import shlex
import time
from typing import Any

from gongshu_sandbox.place import words
from gongshu_sandbox.refusals import Refused
from gongshu_sandbox.session import session
from gongshu_sandbox.sheet import Sheet

ROWS = 50
ROWS_MOST = 2000


def sql(line: str, cell: str | None = None, *, names: dict[str, Any]) -> Sheet:
    """Run the statement; return the sheet to show. Raises Refused on options that it does not know."""
    target, rows, rest = read_options(line)
    statement = cell if cell is not None else rest
    started = time.monotonic()
    frame = session().sql(statement)
    if target:
        names[target] = frame
    shown = frame.limit(rows + 1).toPandas()
    seconds = time.monotonic() - started
    more = len(shown) > rows
    shown = shown.head(rows)
    count = f"{len(shown):,}"
    notes = [
        words(
            f"{'前 ' if more else ''}{count} 行 · {seconds:.2f} 秒",
            f"{'first ' if more else ''}{count} rows · {seconds:.2f} s",
        )
    ]
    if target:
        notes.append(words(f"DataFrame 已存为 {target}", f"DataFrame kept as {target}"))
    cells = [["" if value is None else str(value) for value in row] for row in shown.itertuples(index=False)]
    return Sheet([str(name) for name in shown.columns], cells, notes=notes)


def read_options(line: str) -> tuple[str, int, str]:
    """``--to NAME``, ``--rows N`` and, for the line form, the statement."""
    target, rows, rest = "", ROWS, line
    parts = shlex.split(line) if line.lstrip().startswith("--") else []
    while parts[:1] and parts[0] in {"--to", "--rows"} and len(parts) > 1:
        option, value, *parts = parts
        if option == "--to" and value.isidentifier():
            target = value
        elif option == "--rows" and value.isdigit():
            rows = min(int(value), ROWS_MOST)
        else:
            raise Refused("sql.option", f"选项 {option} {value} 不对。", f"The option {option} {value} is not right.")
        rest = " ".join(parts)
    return target, rows, rest


def register(shell: Any) -> None:
    """Make ``%%sql`` and ``%sql`` known to this shell."""

    def magic(line: str, cell: str | None = None) -> Sheet:
        return sql(line, cell, names=shell.user_ns)

    shell.register_magic_function(magic, magic_kind="line_cell", magic_name="sql")
