"""The automatic checks: each just inside and just outside its limit, and personal numbers by their checksums."""

from __future__ import annotations

import pytest

from gongshu.release.checks import Limits, Verdict, run_checks
from gongshu.release.differencing import check_differencing, counted
from gongshu.release.personal import personal_data_in
from gongshu.release.table import CellEvidence, Measure, TableItem, digests_of, read_table, table_bytes, table_from

LIMITS = Limits(threshold=10, dominance_percent=90, p_percent=10)


def item(*cells: CellEvidence, labels: tuple[str, ...] = ("荔湾", "越秀")) -> TableItem:
    return TableItem(
        "t", "", ("district",), (Measure("spend", "sum", "spend_yuan"),), tuple((label, 1) for label in labels), cells,
        (), "S", "E", "A", "r",
    )  # fmt: skip


def verdicts(*cells: CellEvidence, **more: tuple[str, ...]) -> dict[str, Verdict]:
    return {check.name: check.verdict for check in run_checks(item(*cells, **more), LIMITS)}


def cell(
    entities: int | None = 50, total: str = "1000", first: str = "100", second: str = "90", row: int = 0
) -> CellEvidence:
    return CellEvidence(row, "spend", entities, "tourism.stays", total, first, second)


@pytest.mark.parametrize(("entities", "verdict"), [(10, Verdict.PASS), (9, Verdict.FAIL), (0, Verdict.FAIL)])
def test_threshold_counts_entities(entities: int, verdict: Verdict) -> None:
    assert verdicts(cell(entities), cell(row=1))["threshold"] is verdict


def test_the_dataset_with_the_fewest_entities_decides() -> None:
    few = CellEvidence(0, "spend", 3, "transit.trips")
    assert verdicts(cell(50), few, cell(row=1))["threshold"] is Verdict.FAIL


@pytest.mark.parametrize(
    ("first", "second", "dominance", "p_percent"),
    [
        ("450", "450", Verdict.PASS, Verdict.PASS),
        ("450.5", "450", Verdict.FAIL, Verdict.PASS),
        ("890", "21", Verdict.FAIL, Verdict.PASS),
        ("910", "1", Verdict.FAIL, Verdict.FAIL),
        ("0", "0", Verdict.PASS, Verdict.PASS),
    ],
)
def test_dominance_and_p_percent_at_their_limits(
    first: str, second: str, dominance: Verdict, p_percent: Verdict
) -> None:
    found = verdicts(cell(first=first, second=second), cell(row=1))
    assert (found["dominance"], found["p_percent"]) == (dominance, p_percent)


def test_a_cell_without_evidence_goes_to_people_and_never_passes() -> None:
    assert verdicts(cell(None), cell(row=1))["evidence"] is Verdict.REVIEW
    assert verdicts(cell(row=1))["evidence"] is Verdict.REVIEW


def test_a_figure_that_is_no_number_is_no_evidence() -> None:
    odd = CellEvidence(0, "spend", 50, "tourism.stays", "NaN", "NaN", None)
    found = verdicts(odd, cell(row=1))
    assert (found["evidence"], found["dominance"]) == (Verdict.REVIEW, Verdict.PASS)


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_a_label_that_a_spreadsheet_would_run_fails(label: str) -> None:
    assert verdicts(cell(), cell(row=1), labels=(label, "b"))["formula"] is Verdict.FAIL


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("11010519491231002X", "resident_id"),
        ("客户 13800138000 来电", "phone"),
        ("6222021234567890128", "bank_card"),
        ("chen@example.com", "email"),
        ("91350100M000100Y43", "credit_code"),
        ("粤A12345", "plate"),
    ],
)
def test_personal_numbers_are_found_and_masked(text: str, kind: str) -> None:
    hits = list(personal_data_in(text))
    assert kind in {found for found, _certain, _shown in hits}
    assert all(shown not in text for _kind, _certain, shown in hits)


@pytest.mark.parametrize("text", ["440103", "2026-11", "110105194912310021", "6222021234567890129", "20,117", "JFK"])
def test_ordinary_labels_are_not_taken_for_people(text: str) -> None:
    assert list(personal_data_in(text)) == []


def test_an_item_survives_its_bytes() -> None:
    made = item(cell(), cell(row=1), labels=('含,逗号"引号', ""))
    data = table_bytes(made)
    shape = {"by": ["district"], "measures": [{"name": "spend", "kind": "sum", "column": "spend_yuan"}]}
    again = table_from(shape, [one.as_value() for one in made.evidence], data)
    assert list(read_table(data))[1][0] == '含,逗号"引号'
    assert again.evidence == made.evidence and table_bytes(again) == data
    assert len(digests_of(data).sm3) == 64


def test_only_small_differences_of_the_same_groups_are_shown() -> None:
    shape = {"by": ["district"], "measures": [{"name": "n", "kind": "count", "column": "x"}]}

    def table(release: str, counts: list[int]) -> object:
        evidence = [CellEvidence(row, "n", count, "d").as_value() for row, count in enumerate(counts)]
        return counted(release, shape, evidence, [[str(row), "1"] for row in range(len(counts))])

    found = check_differencing(table("R-2", [20, 30, 40]), [table("R-1", [20, 33, 55])], LIMITS)  # type: ignore[arg-type,list-item]
    assert [(one.row, one.observed) for one in found.findings] == [(1, "R-1: 3<10")]
