"""How values read: money, bytes, moments, remaining time, digests. Used as Jinja filters and in Python.

Times are shown in the agency's zone by explicit patterns; amounts are exact integers, never floats.
"""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from gongshu.money import format_yuan
from gongshu.portal.language import _, current

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
UNITS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def money(fen: int) -> Markup:
    """¥1,204,338.50 (English: CN¥…), with the exact fen for machines."""
    sign = "CN¥" if current.get() == "en" else "¥"
    amount = format_yuan(fen)
    shown = f"-{sign}{amount[1:]}" if amount.startswith("-") else f"{sign}{amount}"
    return Markup('<data value="{}">{}</data>').format(fen, shown)


def size(count: int) -> str:
    """Bytes in binary units, two decimals from GiB up, one below."""
    for unit, name in UNITS:
        if count >= unit:
            return f"{count / unit:.{2 if unit >= 1 << 30 else 1}f} {name}"
    return f"{count} B"


def number(value: int) -> str:
    return f"{value:,}"


def share(part: Fraction | int, whole: int = 1) -> str:
    """A share with one decimal; '–' when there is nothing to share."""
    return f"{float(Fraction(part) / whole * 100):.1f}%" if whole else "–"


def day(moment: datetime, zone: str) -> str:
    local = moment.astimezone(ZoneInfo(zone))
    if current.get() == "en":
        return f"{local.day} {MONTHS[local.month - 1]} {local.year}"
    return f"{local.year}年{local.month}月{local.day}日"


def minute(moment: datetime, zone: str) -> str:
    local = moment.astimezone(ZoneInfo(zone))
    between = ", " if current.get() == "en" else " "
    return f"{day(moment, zone)}{between}{local:%H:%M}"


def time_tag(moment: datetime | None, zone: str, *, with_utc: bool = False, only_day: bool = False) -> Markup:
    """`<time>` in the agency's zone; log pages add UTC."""
    if moment is None:
        return Markup("–")
    text = day(moment, zone) if only_day else minute(moment, zone)
    if with_utc:
        text += f" (UTC {moment.astimezone(UTC):%Y-%m-%d %H:%M:%S})"
    return Markup('<time datetime="{}">{}</time>').format(moment.astimezone(UTC).isoformat(), text)


def remaining(until: datetime, now: datetime) -> str:
    """ "还剩 3 小时 12 分" in two units; past moments say how long ago."""
    minutes = int((until - now).total_seconds() // 60)
    parts = _two_units(abs(minutes))
    return _("还剩 %(time)s", time=parts) if minutes >= 0 else _("已过 %(time)s", time=parts)


def _two_units(minutes: int) -> str:
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    if days:
        return _("%(d)s 天 %(h)s 小时", d=days, h=hours) if hours and days < 30 else _("%(d)s 天", d=days)
    if hours:
        return _("%(h)s 小时 %(m)s 分", h=hours, m=left)
    return _("%(m)s 分钟", m=left)


def digest(hex_text: str, groups: int | None = None) -> Markup:
    """A digest in groups of four; `groups` shortens it and keeps the whole in the title."""
    pieces = [hex_text[i : i + 4] for i in range(0, len(hex_text), 4)]
    shown = " ".join(pieces[:groups]) + (" …" if groups and groups < len(pieces) else "")
    return Markup('<span class="gs-digest" title="{}">{}</span>').format(hex_text, escape(shown))
