"""The life of a request: the table is total, ends end, approval needs two, and the docs show the same table."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from gongshu.errors import Conflict
from gongshu.release.outcome import LAST_ROUND, Outcome, Vote, derive
from gongshu.release.states import TRANSITIONS, State, Step, Writer, diagram, may_follow, next_state
from tests.parts.places import ROOT

# The machine may be busy: what is tested is the sum, not the speed.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
votes = st.sampled_from(list(Vote))


def test_the_table_names_each_step_once_and_every_state_can_be_reached() -> None:
    assert len({(t.source, t.step) for t in TRANSITIONS}) == len(TRANSITIONS)
    reached = {State.DRAFT}
    for _ in State:
        reached |= {t.target for t in TRANSITIONS if t.source in reached}
    assert reached == set(State)


@pytest.mark.parametrize("end", [State.REJECTED, State.WITHDRAWN])
def test_what_is_over_stays_over(end: State) -> None:
    assert not any(may_follow(end, step) for step in Step)


def test_only_reviewers_lead_to_release_and_never_the_author() -> None:
    leading = {t.writer for t in TRANSITIONS if t.target in (State.APPROVED,) or t.step is Step.RELEASE}
    assert leading == {Writer.REVIEWERS}
    assert all(t.writer is Writer.OFFICER for t in TRANSITIONS if t.source in (State.RELEASED, State.RECALLED))


class RequestLife(RuleBasedStateMachine):
    """Any order of steps: nothing is released that was not in review and approved before."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State.DRAFT
        self.passed: list[State] = [State.DRAFT]

    @rule(step=st.sampled_from(list(Step)))
    def take(self, step: Step) -> None:
        if not may_follow(self.state, step):
            with pytest.raises(Conflict):
                next_state(self.state, step)
            return
        self.state = next_state(self.state, step)
        self.passed.append(self.state)
        if self.state is State.RELEASED:
            assert State.APPROVED in self.passed and State.IN_REVIEW in self.passed


TestRequestLife = RequestLife.TestCase
TestRequestLife.settings = PATIENT


@PATIENT
@given(st.lists(st.dictionaries(st.integers(1, 3), votes, min_size=1), max_size=2), st.integers(1, LAST_ROUND))
def test_approval_is_two_people_approving_everything(ballots: list[dict[int, Vote]], turn_round: int) -> None:
    try:
        outcome = derive(ballots, turn_round)
    except ValueError:
        assert len(ballots) == 2 and set(ballots[0]) != set(ballots[1])
        return
    everything = [vote for ballot in ballots for vote in ballot.values()]
    assert (outcome is Outcome.APPROVED) == (len(ballots) == 2 and set(everything) == {Vote.APPROVE})
    assert (outcome is Outcome.WAITING) == (len(ballots) < 2)
    if outcome is Outcome.CONSOLIDATE:
        assert turn_round < LAST_ROUND and {Vote.APPROVE, Vote.REJECT} <= set(everything)


def test_the_documented_diagram_is_the_table() -> None:
    page = (ROOT / "docs" / "life-of-a-release.md").read_text()
    assert f"```mermaid\n{diagram()}```" in page, "write the output of gongshu.release.states.diagram() into the page"
