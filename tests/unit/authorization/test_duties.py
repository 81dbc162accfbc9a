"""Separation of duty as a property: whatever is tried in whatever order, nobody holds two duties in one case."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as some

from gongshu.authorization.clauses import KEYS, cited_clauses, clause_number
from gongshu.authorization.compiling import end_of_term
from gongshu.authorization.duties import Act, Side, can_act, require_separate
from gongshu.authorization.states import MOVES, STATE_WORDS, ScenarioState, can_move, require_move
from gongshu.errors import Conflict
from gongshu.policy import clause_in_english

PEOPLE = some.sampled_from([f"p-{name}" for name in "abcdef"])
PLACES = some.sampled_from(["operator-a", "tourism", "transport", "principal", "agency"])
ATTEMPTS = some.lists(some.builds(Act, some.sampled_from(Side), PEOPLE, PLACES), max_size=30)


@given(ATTEMPTS)
def test_no_person_and_no_organisation_ever_holds_two_duties_in_one_case(attempts: list[Act]) -> None:
    acts: list[Act] = []
    for attempt in attempts:
        if can_act(acts, attempt):
            require_separate(acts, attempt)
            acts.append(attempt)
    for one in acts:
        sides = {act.side for act in acts if act.person == one.person or act.organisation == one.organisation}
        assert sides == {one.side}


@given(ATTEMPTS, some.builds(Act, some.sampled_from(Side), PEOPLE, PLACES))
def test_who_stands_on_no_other_side_is_never_kept_out(attempts: list[Act], new: Act) -> None:
    others = [act for act in attempts if act.side is not new.side]
    free = all(act.person != new.person and act.organisation != new.organisation for act in others)
    assert can_act(attempts, new) == free


@given(some.lists(some.sampled_from(sorted(MOVES)), max_size=20))
def test_only_moves_of_the_table_pass_from_any_state(verbs: list[str]) -> None:
    for state in ScenarioState:
        for verb in verbs:
            try:
                require_move(state, verb)
            except Conflict:
                assert state not in MOVES[verb][0]
            else:
                assert can_move(state, verb)


def test_an_end_is_an_end() -> None:
    """Nothing moves a case that was withdrawn, vetoed or revoked."""
    for state in (ScenarioState.WITHDRAWN, ScenarioState.VETOED, ScenarioState.REVOKED):
        assert not any(can_move(state, verb) for verb in MOVES)
    assert set(STATE_WORDS) == set(ScenarioState)


@given(some.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1)), some.integers(1, 60))
def test_a_term_of_months_never_passes_five_years(start: datetime, months: int) -> None:
    begin = start.replace(tzinfo=UTC)
    end = end_of_term(begin, months, None)
    assert begin < end
    whole = (end.year - begin.year) * 12 + end.month - begin.month
    assert whole == months
    assert end.day <= begin.day


def test_terms_end_on_the_last_day_where_a_month_is_short() -> None:
    assert end_of_term(datetime(2026, 1, 31, tzinfo=UTC), 1, None) == datetime(2026, 2, 28, tzinfo=UTC)
    assert end_of_term(datetime(2024, 2, 29, tzinfo=UTC), 60, None) == datetime(2029, 2, 28, tzinfo=UTC)
    assert end_of_term(datetime(2026, 1, 31, tzinfo=UTC), None, 3) == datetime(2026, 1, 31, 0, 3, tzinfo=UTC)


def test_clauses_are_numbered_as_the_grants_cite_them() -> None:
    assert [clause_in_english(clause_number(key)) for key in KEYS] == [f"clause {n}" for n in range(1, 19)]
    assert cited_clauses() == {
        "scope": "第三条",
        "row_filter": "第三条第二款",
        "columns": "第四条",
        "masks": "第五条",
        "quota": "第七条",
        "term": "第九条",
        "output": "第十二条",
        "exit": "第十三条",
        "price": "第十五条",
    }
