"""How each reason of the policy reads to a person: what happened, by which clause, what to do next.

It decides words only. What is not granted and what does not exist read the same; no sentence names a
system, a path or another organisation (document 11 §9).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gongshu.errors import Words

ZONE = ZoneInfo("Asia/Shanghai")
GIB = 1 << 30


@dataclass(frozen=True)
class Told:
    """What a sentence may draw on: the reason's own fields and the question it answers."""

    clause: str
    agreement: str
    dataset: str
    question: Mapping[str, Any]

    @property
    def basis(self) -> Words:
        if not self.clause:
            return Words("", "")
        return Words(
            f"依据:{self.agreement} {self.clause}。", f" Basis: {self.agreement}, {clause_in_english(self.clause)}."
        )

    @property
    def clause_zh(self) -> str:
        return f"({self.agreement} {self.clause})" if self.clause else ""

    @property
    def clause_en(self) -> str:
        return f" ({self.agreement}, {clause_in_english(self.clause)})" if self.clause else ""

    def grant_value(self, name: str) -> str:
        """A field of the first grant behind this reason (its agreement, and its dataset when named)."""
        for grant in self.question.get("grants", []):
            if grant["agreement"] == self.agreement and self.dataset in ("", grant["dataset"]):
                return str(grant[name])
        return ""

    def day(self, name: str) -> Words:
        text = self.grant_value(name)
        if not text:
            return Words("约定日", "the agreed day")
        moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(ZONE)
        return Words(
            f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}", f"{moment.day} {moment:%b %Y, %H:%M}"
        )

    def quota_left(self) -> int:
        state = self.question.get("state", {})
        for grant in self.question.get("grants", []):
            if grant["agreement"] == self.agreement:
                return max(0, int(grant["quota"]["billable_bytes_per_day"]) - int(state.get("billable_bytes_today", 0)))
        return 0

    def wanted(self) -> int:
        return int(self.question.get("state", {}).get("billable_bytes_wanted", 0))


_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")}
_CLAUSE = re.compile(r"^第([一二三四五六七八九十]+)条(?:第([一二三四五六七八九十]+)款)?$")


def clause_in_english(clause: str) -> str:
    """``第三条第二款`` as ``clause 3(2)``; anything else as it stands."""
    found = _CLAUSE.match(clause)
    if not found:
        return f"clause {clause}"
    paragraph = f"({_number(found[2])})" if found[2] else ""
    return f"clause {_number(found[1])}{paragraph}"


def _number(text: str) -> int:
    """A Chinese number below one hundred."""
    if "十" not in text:
        return _DIGITS[text]
    tens, _, ones = text.partition("十")
    return _DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0)


def _bytes(count: int) -> str:
    for unit, size in (("GiB", GIB), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count // size}.{(count % size) * 10 // size} {unit}"
    return f"{count} B"


Sentences = Callable[[Told], tuple[Words, Words]]
"""(what happened and by which clause, next step)"""

ASK_MANAGER = Words("请运营负责人申请变更", "ask your manager to request a change")


def _fixed(zh: str, en: str, next_zh: str, next_en: str) -> Sentences:
    return lambda told: (
        Words(f"{zh}{told.clause_zh}。", f"{en}{told.clause_en}."),
        Words(next_zh, next_en),
    )


def _not_granted(told: Told) -> tuple[Words, Words]:
    return (
        Words(
            f"本场景的授权里没有 {told.dataset}。{told.basis.zh}",
            f"This scenario's grant does not include {told.dataset}.{told.basis.en}",
        ),
        Words("改用已授权的表,或请运营负责人申请变更", "Use a granted table, or ask your manager to request a change"),
    )


def _term_over(told: Told) -> tuple[Words, Words]:
    day = told.day("valid_until")
    return (
        Words(
            f"授权已于 {day.zh} 到期,没有执行、没有计费{told.clause_zh}。",
            f"The grant ended on {day.en}; nothing ran, nothing was charged{told.clause_en}.",
        ),
        Words(
            "请运营负责人申请续期;笔记本保留 30 天",
            "Ask your manager to request renewal; your notebooks are kept for 30 days",
        ),
    )


def _term_not_begun(told: Told) -> tuple[Words, Words]:
    day = told.day("valid_from")
    return (
        Words(
            f"授权自 {day.zh} 起生效,现在还没有开始{told.clause_zh}。", f"The grant begins on {day.en}{told.clause_en}."
        ),
        Words("到期开始后再试", "Try again when it has begun"),
    )


def _quota_bytes(told: Told) -> tuple[Words, Words]:
    left, wanted = _bytes(told.quota_left()), _bytes(told.wanted())
    return (
        Words(
            f"今日计费数据量只剩 {left},这条语句要 {wanted},所以没有执行{told.clause_zh}。",
            f"{left} of today's billable quota is left and this statement needs {wanted}, "
            f"so it did not run{told.clause_en}.",
        ),
        Words("减少所读的列,或 00:00 后再试", "Read fewer columns, or try after 00:00"),
    )


def _resource(zh: str, en: str, next_zh: str, next_en: str) -> Sentences:
    return lambda told: (
        Words(f"{told.dataset} {zh}{told.clause_zh}。", f"{told.dataset} {en}{told.clause_en}."),
        Words(next_zh, next_en),
    )


_SENTENCES: dict[str, Sentences] = {
    # authorization
    "granted": _fixed("在授权之内", "Within the grant", "", ""),
    "released": _fixed("成果已准予出域", "The output is released", "", ""),
    "not-granted": _not_granted,
    "no-agreement": _fixed(
        "本场景没有您可用的授权",
        "This scenario has no grant for you",
        "请运营负责人确认场景和人员",
        "Ask your manager about the scenario and its people",
    ),
    "term-over": _term_over,
    "term-not-begun": _term_not_begun,
    "revoked": _fixed(
        "授权已被撤销,没有执行、没有计费",
        "The grant was revoked; nothing ran, nothing was charged",
        "请运营负责人联系实施机构",
        "Ask your manager to contact the agency",
    ),
    "frozen": _fixed(
        "贵机构的授权运营已被冻结,操作没有执行",
        "Your organisation is frozen; nothing was done",
        "请运营负责人联系实施机构;解除须两人办理",
        "Ask your manager to contact the agency; two officers must lift it",
    ),
    "not-analyst": _fixed(
        "沙箱和语句只供本场景的分析员使用",
        "Sandboxes and statements are for the scenario's analysts",
        "请运营负责人在场景中登记人员",
        "Ask your manager to enter you in the scenario",
    ),
    "ambiguous-grant": _resource(
        "同时有两份授权,无法判断用哪一份",
        "is covered by two grants at once",
        "请运营负责人联系实施机构更正协议",
        "Ask your manager to have the agency correct the agreement",
    ),
    "registration-lapsed": _resource(
        "的资源登记已过有效期,暂停使用",
        "has a lapsed registration and cannot be used",
        "请数源单位续办登记",
        "The department must renew its registration",
    ),
    "version-not-granted": _resource(
        "的这个版本早于协议所列版本",
        "is asked for in a version older than the agreement's",
        "改用协议所列或更新的版本",
        "Use the version of the agreement or a later one",
    ),
    "columns-gone": _resource(
        "的当前版本缺少协议所需的列",
        "lacks columns that the agreement needs",
        "请运营负责人申请变更协议",
        "Ask your manager to request a change of the agreement",
    ),
    "output-kind": _fixed(
        "这种成果形式不在协议约定之内",
        "This kind of output is not agreed",
        "改用协议约定的成果形式",
        "Use a kind of output that the agreement names",
    ),
    "quota-bytes": _quota_bytes,
    "quota-statements": _fixed(
        "今日语句数已用完,所以没有执行",
        "Today's statements are used up, so it did not run",
        "00:00 后再试",
        "Try after 00:00",
    ),
    "column-not-granted": lambda told: (
        Words(
            f"本场景的授权里没有 {told.dataset} 的这一列。{told.basis.zh}",
            f"This scenario's grant does not include that column of {told.dataset}.{told.basis.en}",
        ),
        Words("改用已授权的列,或请运营负责人申请变更", "Use a granted column, or ask your manager to request a change"),
    ),
    "not-released": _fixed(
        "没有可领取的成果",
        "There is no released output to fetch",
        "请在成果出域页查看进度",
        "See its progress on the releases page",
    ),
    "recalled": _fixed("成果已召回,不能再领取", "The output was recalled", "请联系实施机构", "Contact the agency"),
    "not-recipient": _fixed(
        "成果只由申请机构的人员领取",
        "Only the applicant's people may fetch it",
        "请联系本机构人员",
        "Ask your colleagues",
    ),
    "question-malformed": _fixed(
        "策略服务不理解这次请求,因此不允许",
        "The policy could not read this request, so the answer is no",
        "请联系平台运维",
        "Contact operations",
    ),
    # release
    "review-two-person": _fixed("须两人审核", "Two reviewers must decide", "", ""),
    "review-automatic": _fixed("符合秒批条件", "Meets the rules for automatic release", "", ""),
    "own-request": _fixed(
        "您是申请人,不能审核自己的成果(职责分离)",
        "You asked for this output and cannot review it",
        "由其他审核员办理",
        "Another reviewer decides",
    ),
    "own-organisation": _fixed(
        "您与申请人同属一个机构,不能审核(职责分离)",
        "You belong to the applicant's organisation, so you cannot review this",
        "由其他审核员办理",
        "Another reviewer decides",
    ),
    "too-few-reviewers": _fixed(
        "同意的审核员还不够", "Too few reviewers have agreed", "等待其余审核员的意见", "Wait for the other reviewers"
    ),
    "not-approved": _fixed(
        "有审核员没有同意出域",
        "A reviewer has not agreed",
        "按意见修改后重新提交",
        "Change it as commented and submit again",
    ),
    "check-failed": _fixed(
        "有未通过的检查,且没有两位审核员的书面说明",
        "A failed check stands without both reviewers' written reasons",
        "修改成果,或由两位审核员书面说明",
        "Change the output, or have both reviewers give written reasons",
    ),
    # pricing (`clause` carries the price's code)
    "within-ceiling": _fixed("价格在上限之内", "The price is within its ceiling", "", ""),
    "price-negative": _fixed("价格不能为负", "A price cannot be negative", "更正价格", "Correct the price"),
    "price-missing": _fixed("没有给出单价", "No unit price is given", "补充单价", "Give a unit price"),
    "public-interest-charged": _fixed(
        "公共治理、公益事业使用不收费",
        "Public-interest use is free of charge",
        "改为零价,可列影子价",
        "Set it to zero; a shadow price may be shown",
    ),
    "zero-rate-charged": _fixed(
        "零价收费标准不能带单价", "A zero-rated price cannot carry a charge", "改为零价", "Set it to zero"
    ),
    "no-ceiling": _fixed(
        "没有生效的最高收费上限,价格不能启用",
        "No ceiling is in force, so the price cannot be activated",
        "先由授权主体设定上限",
        "The authority must set a ceiling first",
    ),
    "over-ceiling": _fixed(
        "价格高于最高收费上限",
        "The price exceeds its ceiling",
        "降低价格,或由授权主体调整上限",
        "Lower the price, or have the authority change the ceiling",
    ),
}

REASON_CODES = frozenset(_SENTENCES)


def words_for(
    code: str, *, clause: str, agreement: str, dataset: str, question: Mapping[str, Any]
) -> tuple[Words, Words]:
    """The sentence and the next step for a reason. Raises KeyError for a code nobody knows."""
    return _SENTENCES[code](Told(clause, agreement, dataset, question))
