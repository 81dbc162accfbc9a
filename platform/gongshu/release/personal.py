"""Finds numbers that name a person or company in a text, by their checksums; hits are shown masked.

Resident ID (GB 11643) and unified social credit code (GB 32100) by python-stdnum, bank card by Luhn;
a bare pattern (phone, plate, e-mail) is never called certain unless its form alone identifies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import luhn
from stdnum.cn import ric, uscc

_RESIDENT_ID = re.compile(r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])")
_CREDIT_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXY]{18}(?![0-9A-Za-z])")
_CARD = re.compile(r"(?<!\d)[2-6]\d{15,18}(?!\d)")
_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·.]?[A-HJ-NP-Z0-9]{5,6}"
)


def personal_data_in(text: str) -> Iterator[tuple[str, bool, str]]:
    """Yield (kind, certain, masked text) for every hit."""
    seen_as_id = False
    for hit in _RESIDENT_ID.findall(text):
        if ric.is_valid(hit.upper()):
            seen_as_id = True
            yield "resident_id", True, _masked(hit)
    for hit in _CREDIT_CODE.findall(text):
        if not ric.is_valid(hit) and uscc.is_valid(hit):
            yield "credit_code", False, _masked(hit)
    if not seen_as_id:
        for hit in _CARD.findall(text):
            if luhn.is_valid(hit):
                yield "bank_card", True, _masked(hit)
    for kind, pattern, certain in (("phone", _PHONE, True), ("email", _EMAIL, True), ("plate", _PLATE, False)):
        for hit in pattern.findall(text):
            yield kind, certain, _masked(hit)


def _masked(hit: str) -> str:
    return f"{hit[:2]}{'*' * (len(hit) - 4)}{hit[-2:]}" if len(hit) > 4 else "*" * len(hit)
