"""What the checks say, in both languages: name, the risk it addresses, and the sentence of each finding."""

from __future__ import annotations

from dataclasses import dataclass

from gongshu.errors import Words


@dataclass(frozen=True)
class CheckWords:
    name: Words
    risk: Words


CHECKS = {
    "evidence": CheckWords(
        Words("证据", "evidence"),
        Words("没有证据的格子不能自动判断", "a cell without evidence cannot be judged by machine"),
    ),
    "threshold": CheckWords(Words("门槛", "threshold"), Words("小群体可能认出个人", "a small group may show a person")),
    "dominance": CheckWords(
        Words("支配", "dominance"), Words("少数大户决定合计,合计泄露大户", "a total made by few shows those few")
    ),
    "p_percent": CheckWords(
        Words("p%", "p %"), Words("第二大户可推算第一大户", "the second largest can estimate the largest")
    ),
    "personal_data": CheckWords(
        Words("个人信息", "personal data"), Words("标签里有可识别的号码", "a label holds an identifying number")
    ),
    "formula": CheckWords(
        Words("公式注入", "formula injection"), Words("表格软件会执行该格", "a spreadsheet would run the cell")
    ),
    "differencing": CheckWords(
        Words("差分", "differencing"),
        Words("与已出域的表相减可得出小群体", "subtracting an earlier release shows a small group"),
    ),
}
FINDINGS = {
    "evidence.absent": Words("这一格没有证据", "this cell has no evidence"),
    "threshold.below": Words("不同主体数低于门槛", "fewer distinct entities than the threshold"),
    "dominance.above": Words("最大两个主体占比过高", "the two largest contributors make up too much"),
    "dominance.undefined": Words("合计不为正,无法计算占比", "the sum is not positive, so no share can be computed"),
    "p_percent.within": Words("最大主体的数值可被推算", "the largest contribution can be estimated"),
    "personal.resident_id": Words("疑似居民身份证号", "looks like a resident ID number"),
    "personal.credit_code": Words("疑似统一社会信用代码", "looks like a unified social credit code"),
    "personal.bank_card": Words("疑似银行卡号", "looks like a bank card number"),
    "personal.phone": Words("疑似手机号", "looks like a mobile number"),
    "personal.email": Words("疑似电子邮箱", "looks like an e-mail address"),
    "personal.plate": Words("疑似车牌号", "looks like a number plate"),
    "formula.header": Words("列名以公式符号开头", "a column name begins like a formula"),
    "formula.cell": Words("内容以公式符号开头", "a cell begins like a formula"),
    "differencing.small_group": Words(
        "与已出域版本之差是小群体", "the difference to an earlier release is a small group"
    ),
}
CAPPED = Words("结果过多,只列出前面的部分", "too many findings; only the first are listed")
VERDICTS = {"pass": Words("通过", "pass"), "review": Words("需判断", "to be judged"), "fail": Words("未过", "fail")}


def check_words(name: str) -> CheckWords:
    """The words of a check; a check of an older version keeps its code as its name."""
    return CHECKS.get(name) or CheckWords(Words(name, name), Words("", ""))


def finding_words(code: str, observed: str) -> Words:
    """What a finding says, with what was seen."""
    words = FINDINGS.get(code, CAPPED)
    seen = f"({observed})" if observed else ""
    return Words(words.zh + seen, words.en + (f" {seen}" if seen else ""))
