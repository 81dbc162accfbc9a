"""Where a case can stand and what moves it: one table, from which the docs and the pages read.

It decides which step is open; a step that is not in the table does not exist.
"""

from __future__ import annotations

from enum import StrEnum

from gongshu.errors import Conflict, Words


class ScenarioState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    AGREED = "agreed"
    VETOED = "vetoed"
    AUTHORISED = "authorised"
    TO_BE_SIGNED = "to-be-signed"
    ACTIVE = "active"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"


class AgreementState(StrEnum):
    TO_BE_SIGNED = "to-be-signed"
    ACTIVE = "active"
    REVOKED = "revoked"


class RequestState(StrEnum):
    TO_BE_DECIDED = "to-be-decided"
    AGREED = "agreed"
    VETOED = "vetoed"


S = ScenarioState

# verb: (states it starts from, words of the verb)
MOVES: dict[str, tuple[frozenset[ScenarioState], Words]] = {
    "attach": (
        frozenset({S.DRAFT, S.SUBMITTED, S.AGREED, S.AUTHORISED, S.TO_BE_SIGNED}),
        Words("附文件", "attach a document"),
    ),
    "submit": (frozenset({S.DRAFT}), Words("提交申请", "submit the application")),
    "withdraw": (frozenset({S.DRAFT, S.SUBMITTED, S.AGREED}), Words("撤回申请", "withdraw the application")),
    "decide": (frozenset({S.SUBMITTED}), Words("审定列", "decide the columns")),
    "authorise": (frozenset({S.AGREED}), Words("批准授权", "authorise")),
    "draft-agreement": (frozenset({S.AUTHORISED}), Words("拟订协议", "draft the agreement")),
    "sign": (frozenset({S.TO_BE_SIGNED}), Words("签署协议", "sign the agreement")),
    "revoke": (frozenset({S.ACTIVE, S.TO_BE_SIGNED}), Words("撤销授权", "revoke the agreement")),
}

STATE_WORDS = {
    S.DRAFT: Words("草稿", "draft"),
    S.SUBMITTED: Words("已提交", "submitted"),
    S.AGREED: Words("数源单位已同意", "agreed by the departments"),
    S.VETOED: Words("数源单位不同意", "vetoed by the departments"),
    S.AUTHORISED: Words("已批准", "authorised"),
    S.TO_BE_SIGNED: Words("待签署", "to be signed"),
    S.ACTIVE: Words("生效", "active"),
    S.REVOKED: Words("已撤销", "revoked"),
    S.WITHDRAWN: Words("已撤回", "withdrawn"),
}


def can_move(state: str, verb: str) -> bool:
    return ScenarioState(state) in MOVES[verb][0]


def require_move(state: str, verb: str) -> None:
    """Raise Conflict when the case does not stand where this verb starts."""
    if can_move(state, verb):
        return
    now, words = STATE_WORDS[ScenarioState(state)], MOVES[verb][1]
    raise Conflict(
        "authorization.state",
        Words(
            f"应用场景现在是「{now.zh}」,不能{words.zh}。",
            f"The scenario is {now.en}; it is not possible to {words.en}.",
        ),
        Words("刷新页面查看当前进度", "Reload to see where it stands"),
        state=state,
    )
