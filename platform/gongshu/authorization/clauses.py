"""The text of an agreement: eighteen numbered clauses, each said in words and in effect.

It decides how what was agreed is written down and which clause a refusal will cite. Texts are Chinese
(the language of the agreement); gists are English. Nothing here is looked at by the policy: the terms are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gongshu.policy import describe_filter, describe_mask

KEYS = (
    "purpose",
    "parties",
    "scope",
    "columns",
    "masks",
    "environment",
    "quota",
    "people",
    "term",
    "audit",
    "security",
    "output",
    "exit",
    "redevelopment",
    "price",
    "split",
    "breach",
    "final",
)
DIGITS = "零一二三四五六七八九"
# The clauses that the policy may cite, as they stand in a grant.
CITED = ("scope", "columns", "masks", "quota", "term", "output", "exit", "price")
USES = {"industry": "产业发展", "public-interest": "公共治理、公益事业"}
KINDS = {"table": "统计表", "chart": "图表", "text": "文字报告", "model": "模型"}


@dataclass(frozen=True)
class Facts:
    """What the text is made of; `terms` are the compiled terms, one per dataset."""

    title: str
    purpose: str
    beneficiary: str
    operator: str
    agency: str
    principal: str
    providers: Mapping[str, str]
    analysts: int
    term: str
    term_en: str
    terms: Sequence[Mapping[str, Any]]
    split: Sequence[Mapping[str, str]]


def clause_number(key: str) -> str:
    """``scope`` → 第三条."""
    return f"第{_chinese(KEYS.index(key) + 1)}条"


def cited_clauses() -> dict[str, str]:
    """The clauses a grant carries, by name."""
    return {**{key: clause_number(key) for key in CITED}, "row_filter": f"{clause_number('scope')}第二款"}


def _chinese(number: int) -> str:
    if number < 10:
        return DIGITS[number]
    return ("" if number < 20 else DIGITS[number // 10]) + "十" + (DIGITS[number % 10] if number % 10 else "")


def write_clauses(facts: Facts) -> list[dict[str, str]]:
    """The eighteen clauses: number, key, title, text (Chinese), gist (English), effect (what the machine does)."""
    written = {**_scope(facts), **_limits(facts), **_duties()}
    return [{"number": clause_number(key), "key": key, **written[key]} for key in KEYS]


def _clause(title: str, text: str, gist: str, effect: str = "") -> dict[str, str]:
    return {"title": title, "text": text, "gist": gist, "effect": effect}


def _scope(facts: Facts) -> dict[str, dict[str, str]]:
    datasets = "、".join(f"{term['dataset']}(第 {term['version']} 版起)" for term in facts.terms)
    filters = {term["dataset"]: describe_filter(term["row_filter"]) for term in facts.terms if term["row_filter"]}
    limited = ";".join(f"{dataset} 限于 {text}" for dataset, text in filters.items()) or "不限行范围"
    columns = ";".join(f"{term['dataset']}:{'、'.join(term['columns'])}" for term in facts.terms)
    masks = [
        f"{term['dataset']}.{column} {describe_mask(mask).zh}"
        for term in facts.terms
        for column, mask in term["masks"].items()
    ]
    masked = [
        f"{term['dataset']}.{column} → {mask['kind']}" for term in facts.terms for column, mask in term["masks"].items()
    ]
    return {
        "purpose": _clause(
            "目的",
            f"应用场景「{facts.title}」:{facts.purpose} 受益人:{facts.beneficiary}",
            "The scenario, its purpose and beneficiary.",
        ),
        "parties": _clause(
            "各方",
            f"授权主体:{facts.principal};实施机构:{facts.agency};授权运营单位:{facts.operator};"
            f"数源单位:{'、'.join(facts.providers.values())}。",
            "Authorising office, implementing agency, operator, providing departments.",
        ),
        "scope": _clause(
            "数据范围",
            f"第一款 授权使用下列数据资源:{datasets}。未列明的数据资源视同不存在。第二款 行范围:{limited}。",
            "The datasets and, in paragraph 2, the rows; whatever is not named does not exist here.",
            "; ".join(f"{dataset}: {text}" for dataset, text in filters.items()) or datasets,
        ),
        "columns": _clause(
            "数据列",
            f"可使用的列:{columns}。",
            "The columns that may be used.",
            f"{sum(len(t['columns']) for t in facts.terms)} 列",
        ),
        "masks": _clause(
            "去标识",
            f"下列各列去标识后提供:{';'.join(masks)}。" if masks else "本协议的各列直接提供。",
            "How columns are masked before anyone sees them.",
            "; ".join(masked),
        ),
    }


def _limits(facts: Facts) -> dict[str, dict[str, str]]:
    quota, kinds = facts.terms[0]["quota"], facts.terms[0]["output_kinds"]
    gib = quota["billable_bytes_per_day"] / (1 << 30)
    prices = ";".join(f"{term['dataset']} 按 {term['price']}({USES[term['use']]})" for term in facts.terms)
    shares = ";".join(f"{one['party']} {one['share']}" for one in facts.split)
    return {
        "quota": _clause(
            "用量",
            f"每日计费数据量不超过 {gib:g} GiB(计费字节 {quota['billable_bytes_per_day']}),"
            f"语句不超过 {quota['statements_per_day']} 条。",
            "Daily limits of billable bytes and statements.",
            f"{quota['billable_bytes_per_day']} B, {quota['statements_per_day']}",
        ),
        "people": _clause(
            "人员",
            f"由授权运营单位的分析员 {facts.analysts} 人使用,人员变更须事先登记。",
            "Only the operator's entered analysts may use it.",
        ),
        "term": _clause(
            "期限",
            f"自双方签署之日起{facts.term};到期自动失效,无须通知。",
            f"{facts.term_en} from the last signature; it ends by itself.",
            facts.term_en,
        ),
        "output": _clause(
            "成果形式与出域",
            f"第一款 成果形式:{'、'.join(KINDS[kind] for kind in kinds)}。"
            "第二款 成果经两名其他机构的审核员同意后方可出域。"
            "第三款 统计表每格不同主体数不得低于规定门槛。",
            "Kinds of output; two reviewers of another organisation; a threshold per cell.",
            ", ".join(kinds),
        ),
        "price": _clause(
            "收费",
            f"公共数据运营服务费:{prices};不高于授权主体设定的上限。",
            "Which price applies to which dataset, under the ceiling.",
            prices,
        ),
        "split": _clause(
            "收益分配",
            f"平台机构的收入按下列比例分配:{shares}。政府份额作为非税收入上缴国库。",
            "How the platform's income is split.",
            shares,
        ),
    }


def _duties() -> dict[str, dict[str, str]]:
    return {
        "environment": _clause(
            "使用环境",
            "只在平台的沙箱中使用;原始数据不出域,数据可用不可见。",
            "Only in the platform's sandbox; raw data never leaves.",
        ),
        "audit": _clause(
            "审计与存证",
            "每条语句、每次判定、每件成果记入可核验的审计日志;没有记录,就不放行。",
            "Everything is logged verifiably; no record, no release.",
        ),
        "security": _clause(
            "安全审查",
            "接受实施机构和监督部门的安全审查与合规评估。",
            "Security reviews and compliance assessments are accepted.",
        ),
        "exit": _clause(
            "暂停、撤销与退出",
            "有违约或风险时,实施机构可随时冻结或撤销授权,立即生效;退出后清除沙箱数据并保留日志。",
            "The agency may freeze or revoke at once; sandboxes are wiped, the log is kept.",
        ),
        "redevelopment": _clause(
            "已交付产品", "不得对已交付的产品再行开发。", "Delivered products are not developed further."
        ),
        "breach": _clause(
            "违约责任",
            "试图识别个人、绕过控制或转让授权的,撤销授权并依法追究。",
            "Re-identification, evasion or transfer ends the grant.",
        ),
        "final": _clause(
            "附则",
            "本协议经双方签署生效,编译为平台的授权规则执行;争议由签署地管辖。",
            "In force when both have signed; executed as compiled.",
        ),
    }
