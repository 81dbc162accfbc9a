"""An amount in Chinese capital numerals (大写), as invoices carry it: 壹佰贰拾万肆仟叁佰叁拾捌元伍角整."""

from __future__ import annotations

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
GROUPS = ("", "万", "亿", "万亿")


def capital_yuan(fen: int) -> str:
    """Write fen in capitals. Raises ValueError beyond 10¹⁶ yuan."""
    if abs(fen) >= 10**18:
        raise ValueError("too large for capitals")
    yuan, rest = divmod(abs(fen), 100)
    jiao, cent = divmod(rest, 10)
    words = (_whole(yuan) + "元") if yuan else ""
    if jiao:
        words += DIGITS[jiao] + "角"
    if cent:
        words += ("零" if yuan and not jiao else "") + DIGITS[cent] + "分"
    if not words:
        return "零元整"
    return ("负" if fen < 0 else "") + words + ("" if cent else "整")


def _whole(number: int) -> str:
    words, gap = "", False
    for position in range(3, -1, -1):
        group = number // 10_000**position % 10_000
        if group == 0:
            gap = gap or bool(words)
            continue
        if words and (gap or group < 1000):
            words += "零"
        words += _group(group) + GROUPS[position]
        gap = False
    return words


def _group(number: int) -> str:
    words, zero = "", False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if digit == 0:
            zero = bool(words)
            continue
        words += ("零" if zero and words else "") + DIGITS[digit] + PLACES[place]
        zero = False
    return words
