"""The life of a release request: one table is the truth, for code, pages, tests and the docs' diagram.

It decides which step may follow which, and whose step it is; it never looks at votes or bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gongshu.errors import Conflict, Words


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    CHECKED = "checked"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    APPROVED = "approved"
    RELEASED = "released"
    RECALLED = "recalled"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    ADD_ITEM = "add_item"
    SUBMIT = "submit"
    CHECK = "check"
    OPEN_REVIEW = "open_review"
    VOTE = "vote"
    RETURN = "return"
    APPROVE = "approve"
    REJECT = "reject"
    RELEASE = "release"
    WITHDRAW = "withdraw"
    RECALL = "recall"
    RESTORE = "restore"


class Writer(StrEnum):
    """Whose step it is."""

    AUTHOR = "author"
    POLICY = "policy"
    REVIEWERS = "reviewers"
    OFFICER = "officer"


@dataclass(frozen=True)
class Transition:
    source: State
    step: Step
    target: State
    writer: Writer


TRANSITIONS = (
    Transition(State.DRAFT, Step.ADD_ITEM, State.DRAFT, Writer.AUTHOR),
    Transition(State.RETURNED, Step.ADD_ITEM, State.RETURNED, Writer.AUTHOR),
    Transition(State.DRAFT, Step.SUBMIT, State.SUBMITTED, Writer.AUTHOR),
    Transition(State.RETURNED, Step.SUBMIT, State.SUBMITTED, Writer.AUTHOR),
    Transition(State.SUBMITTED, Step.CHECK, State.CHECKED, Writer.POLICY),
    Transition(State.CHECKED, Step.OPEN_REVIEW, State.IN_REVIEW, Writer.POLICY),
    Transition(State.CHECKED, Step.RETURN, State.RETURNED, Writer.POLICY),
    Transition(State.IN_REVIEW, Step.VOTE, State.IN_REVIEW, Writer.REVIEWERS),
    Transition(State.IN_REVIEW, Step.RETURN, State.RETURNED, Writer.REVIEWERS),
    Transition(State.IN_REVIEW, Step.APPROVE, State.APPROVED, Writer.REVIEWERS),
    Transition(State.IN_REVIEW, Step.REJECT, State.REJECTED, Writer.REVIEWERS),
    Transition(State.APPROVED, Step.RELEASE, State.RELEASED, Writer.REVIEWERS),
    Transition(State.DRAFT, Step.WITHDRAW, State.WITHDRAWN, Writer.AUTHOR),
    Transition(State.RETURNED, Step.WITHDRAW, State.WITHDRAWN, Writer.AUTHOR),
    Transition(State.IN_REVIEW, Step.WITHDRAW, State.WITHDRAWN, Writer.AUTHOR),
    Transition(State.RELEASED, Step.RECALL, State.RECALLED, Writer.OFFICER),
    Transition(State.RECALLED, Step.RESTORE, State.RELEASED, Writer.OFFICER),
)

_TARGETS = {(t.source, t.step): t.target for t in TRANSITIONS}

STATE_WORDS = {
    State.DRAFT: Words("草稿", "draft"),
    State.SUBMITTED: Words("已提交", "submitted"),
    State.CHECKED: Words("已检查", "checked"),
    State.IN_REVIEW: Words("审核中", "in review"),
    State.RETURNED: Words("已退回", "returned"),
    State.APPROVED: Words("已同意", "approved"),
    State.RELEASED: Words("已出域", "released"),
    State.RECALLED: Words("已召回", "recalled"),
    State.REJECTED: Words("不同意", "rejected"),
    State.WITHDRAWN: Words("已撤回", "withdrawn"),
}


def may_follow(state: State, step: Step) -> bool:
    """Whether the step exists from this state."""
    return (state, step) in _TARGETS


def next_state(state: State, step: Step) -> State:
    """The state after the step. Raises Conflict when the table has no such step."""
    target = _TARGETS.get((state, step))
    if target is None:
        words = STATE_WORDS[state]
        raise Conflict(
            "release.state",
            Words(
                f"这件申请现在是「{words.zh}」,不能这样办理。",
                f"This request is {words.en}; this step is not possible now.",
            ),
            Words("请刷新页面,看它走到了哪一步", "Reload the page to see where it stands"),
            state=state.value,
        )
    return target


def diagram() -> str:
    """The table as a Mermaid state diagram, for the docs (compared in CI)."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.DRAFT}"]
    lines += [f"    {t.source} --> {t.target}: {t.step} ({t.writer})" for t in TRANSITIONS]
    return "\n".join(lines) + "\n"
