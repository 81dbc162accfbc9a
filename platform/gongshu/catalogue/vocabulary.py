"""The words a registration may use: legal grade, sharing, opening, frequency, levels. Codes stay, names are shown."""

from __future__ import annotations

from collections.abc import Mapping

from gongshu.errors import Invalid, Words

LEGAL_GRADES = {
    "general": Words("一般数据", "general data"),
    "important": Words("重要数据", "important data"),
    "core": Words("核心数据", "core data"),
}
SHARING = {
    "unconditional": Words("无条件共享", "shared without condition"),
    "conditional": Words("有条件共享", "shared on conditions"),
    "none": Words("不予共享", "not shared"),
}
OPENING = {
    "unconditional": Words("无条件开放", "open without condition"),
    "conditional": Words("有条件开放", "open on conditions"),
    "none": Words("不予开放", "not opened"),
}
FREQUENCIES = {
    "realtime": Words("实时", "real time"),
    "daily": Words("每日", "daily"),
    "weekly": Words("每周", "weekly"),
    "monthly": Words("每月", "monthly"),
    "quarterly": Words("每季度", "quarterly"),
    "yearly": Words("每年", "yearly"),
    "once": Words("一次性", "once"),
}
LEVELS = {
    "L1": Words("一般数据1级", "level 1 of general data"),
    "L2": Words("一般数据2级", "level 2 of general data"),
    "L3": Words("一般数据3级", "level 3 of general data"),
    "L4": Words("一般数据4级", "level 4 of general data"),
}
CATEGORIES = {
    "personal": Words("个人信息", "personal information"),
    "organisation": Words("法人信息", "information on organisations"),
    "business": Words("业务数据", "business data"),
    "place": Words("地理位置", "place"),
    "time": Words("时间", "time"),
    "public": Words("公共数据", "public information"),
}
_ALIASES = {"core": ("核心",), "important": ("重要",), "general": ("一般",)}


def require_code(field: str, text: str, known: Mapping[str, Words]) -> str:
    """The code for a code or its Chinese or English name. Raises Invalid listing what is allowed."""
    wanted = text.strip()
    for code, words in known.items():
        if wanted in (code, words.zh, words.en, *_ALIASES.get(code, ())):
            return code
    choices = "、".join(f"{code}({words.zh})" for code, words in known.items())
    raise Invalid(
        f"catalogue.{field}.unknown",
        Words(
            f"“{_short(wanted)}”不是可选的取值,可选:{choices}。", f'"{_short(wanted)}" is not among {", ".join(known)}.'
        ),
        Words("请从列出的取值中选择", "Choose one of those listed"),
        fields={field: {"zh": "只能从列出的取值中选择", "en": "Choose one of those listed"}},
    )


def words_of(code: str, known: Mapping[str, Words]) -> Words:
    """The name of a code; text of the steward's own stands for itself."""
    return known.get(code, Words(code, code))


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:30] + "…"
