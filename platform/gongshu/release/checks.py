"""The automatic checks of an item: evidence first, then its bytes.

Each says pass, review or fail, the risk it addresses and the cells it is about. A machine's verdict
never counts as a person's. Defaults follow ACRO 1.0 (threshold 10, n=2 k=90 %, p 10 %); they are
limits of the policy: `Limits.from_policy` takes them from OPA's answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any

from gongshu.release.personal import personal_data_in
from gongshu.release.table import CellEvidence, TableItem

FINDINGS_CAP = 500
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Verdict(StrEnum):
    PASS = "pass"
    REVIEW = "review"
    FAIL = "fail"


@dataclass(frozen=True)
class Limits:
    """What the checks compare with."""

    threshold: int = 10
    dominance_percent: int = 90
    p_percent: int = 10

    @classmethod
    def from_policy(cls, limits: Mapping[str, Any]) -> Limits:
        """Take the limits the policy named. Raises ValueError for one that is missing or cannot be."""
        named = [limits.get(name) for name in ("entities_per_cell_min", "dominance_percent_max", "p_percent_min")]
        if limits.get("dominance_contributors") != 2 or any(type(value) is not int or value <= 0 for value in named):
            raise ValueError("the policy's limits for the checks are incomplete")
        return cls(*(int(value or 0) for value in named))


@dataclass(frozen=True)
class Finding:
    """One thing a check found. row, column: the cell; None for the whole item. observed: what was seen, masked."""

    code: str
    verdict: Verdict
    row: int | None = None
    column: str | None = None
    observed: str = ""

    def as_value(self) -> dict[str, str | int | None]:
        return {
            "code": self.code,
            "verdict": self.verdict.value,
            "row": self.row,
            "column": self.column,
            "observed": self.observed,
        }


@dataclass(frozen=True)
class CheckResult:
    name: str
    findings: tuple[Finding, ...] = field(default=())

    @property
    def verdict(self) -> Verdict:
        held = {finding.verdict for finding in self.findings}
        return Verdict.FAIL if Verdict.FAIL in held else Verdict.REVIEW if Verdict.REVIEW in held else Verdict.PASS


def run_checks(item: TableItem, limits: Limits) -> list[CheckResult]:
    """Run every check on an item whose rows were read from its bytes; hitting a cap is a finding."""
    sources: dict[str, Callable[[], Iterator[Finding]]] = {
        "evidence": lambda: _coverage(item),
        "threshold": lambda: _threshold(item, limits),
        "dominance": lambda: _dominance(item, limits),
        "p_percent": lambda: _p_percent(item, limits),
        "personal_data": lambda: personal_data(item),
        "formula": lambda: _formula(item),
    }
    return [CheckResult(name, _capped(name, source())) for name, source in sources.items()]


def _capped(name: str, found: Iterator[Finding]) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    for finding in found:
        if len(findings) == FINDINGS_CAP:
            findings.append(Finding(f"{name}.capped", Verdict.REVIEW, observed=str(FINDINGS_CAP)))
            break
        findings.append(finding)
    return tuple(findings)


def _coverage(item: TableItem) -> Iterator[Finding]:
    """Every measured cell has evidence, or the item says that it has none."""
    unreadable = {
        (cell.row, cell.column) for cell in item.evidence if cell.total is not None and _exact(cell.total) is None
    }
    counted = {(cell.row, cell.column) for cell in item.evidence if cell.entities is not None} - unreadable
    for row in range(len(item.rows)):
        for measure in item.measures:
            if (row, measure.name) not in counted:
                yield Finding("evidence.absent", Verdict.REVIEW, row, measure.name)


def _threshold(item: TableItem, limits: Limits) -> Iterator[Finding]:
    for cell in item.evidence:
        if cell.entities is not None and cell.entities < limits.threshold:
            yield Finding("threshold.below", Verdict.FAIL, cell.row, cell.column, f"{cell.entities}<{limits.threshold}")


def _sums(item: TableItem) -> Iterator[tuple[CellEvidence, Fraction, Fraction, Fraction]]:
    """Cells with figures that can be compared; one that is no finite number has no evidence (see `_coverage`)."""
    for cell in item.evidence:
        figures = [_exact(figure) for figure in (cell.total, cell.first, cell.second or "0")]
        total, first, second = figures
        if total is not None and first is not None and second is not None:
            yield cell, total, first, second


def _exact(figure: str | None) -> Fraction | None:
    try:
        return None if figure is None else Fraction(figure)
    except ValueError:
        return None


def _dominance(item: TableItem, limits: Limits) -> Iterator[Finding]:
    """The two largest contributors must not make up more than k % of a sum."""
    for cell, total, first, second in _sums(item):
        if total <= 0 or first < 0:
            if total != 0 or first != 0:
                yield Finding("dominance.undefined", Verdict.REVIEW, cell.row, cell.column)
        elif (first + second) * 100 > total * limits.dominance_percent:
            percent = int((first + second) * 100 / total)
            yield Finding(
                "dominance.above", Verdict.FAIL, cell.row, cell.column, f"{percent}%>{limits.dominance_percent}%"
            )


def _p_percent(item: TableItem, limits: Limits) -> Iterator[Finding]:
    """The second largest must not be able to estimate the largest within p %."""
    for cell, total, first, second in _sums(item):
        if total > 0 and first > 0 and (total - first - second) * 100 < first * limits.p_percent:
            yield Finding("p_percent.within", Verdict.FAIL, cell.row, cell.column, f"p<{limits.p_percent}%")


def personal_data(item: TableItem) -> Iterator[Finding]:
    """Labels that are a person's or a company's number. Measures are the engine's own totals."""
    for position, row in enumerate(item.rows):
        for column, cell in zip(item.by, row, strict=False):
            for kind, certain, shown in personal_data_in("" if cell is None else str(cell)):
                yield Finding(f"personal.{kind}", Verdict.FAIL if certain else Verdict.REVIEW, position, column, shown)


def _formula(item: TableItem) -> Iterator[Finding]:
    """A label that a spreadsheet would run (OWASP CSV injection)."""
    for column in item.columns:
        if column.startswith(FORMULA_STARTS):
            yield Finding("formula.header", Verdict.FAIL, None, column, column[:1])
    for position, row in enumerate(item.rows):
        for column, cell in zip(item.by, row, strict=False):
            if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
                yield Finding("formula.cell", Verdict.FAIL, position, column, repr(cell[:1]))
