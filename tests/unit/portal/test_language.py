"""The language gates: every sentence extracted, translated once, with the same placeholders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gongshu.portal import language

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
HAN = re.compile(r"[\u3400-\u9fff]")
# Words that document 1 does not use: (synonym, the word to use).
SYNONYMS = [
    ("项目", "应用场景"),
    ("导出成果", "成果出域"),
    ("字段", "列"),
    ("数据集", "数据资源"),
    ("市场主体", "经营主体"),
]
PORTAL = Path(language.__file__).parent


def test_every_sentence_has_its_english() -> None:
    missing = sorted(set(language.extracted()) - set(language.english()))
    assert not missing, "run python -m gongshu.portal.language for stanzas to paste"


def test_no_translation_outlives_its_sentence() -> None:
    assert sorted(set(language.english()) - set(language.extracted())) == []


def test_translations_keep_placeholders_and_hold_no_han() -> None:
    for room, message in language.messages():
        assert message.string, (room, message.id)
        assert not message.fuzzy, (room, message.id)
        assert set(PLACEHOLDER.findall(message.id)) == set(PLACEHOLDER.findall(message.string)), (room, message.id)
        assert not HAN.search(message.string), (room, message.id)


def test_a_sentence_in_two_rooms_reads_the_same() -> None:
    seen: dict[str, str] = {}
    for room, message in language.messages():
        assert seen.setdefault(message.id, message.string) == message.string, (room, message.id)


@pytest.mark.parametrize(("synonym", "word"), SYNONYMS)
def test_glossary_words_only(synonym: str, word: str) -> None:
    used = [sentence for sentence in language.extracted() if synonym in sentence]
    assert not used, f"write {word}"


def test_no_sentence_hides_in_an_f_string_where_extraction_cannot_see_it() -> None:
    hidden = re.compile(r"""f["'][^"'\n]*\{(escape\()?_\(""")
    assert [path.name for path in PORTAL.glob("*.py") if hidden.search(path.read_text())] == []


@pytest.mark.parametrize(
    ("asked", "cookie", "accept", "chosen"),
    [
        ("en", "zh", "zh", "en"),
        (None, "en", "zh", "en"),
        (None, None, "en-GB,zh;q=0.8", "en"),
        ("fr", "de", "fr", "zh"),
    ],
)
def test_choice_of_language(asked: str | None, cookie: str | None, accept: str, chosen: str) -> None:
    assert language.choose(asked, cookie, accept) == chosen


def test_punctuation_beside_han_is_full_width() -> None:
    assert language.typeset("列(3):a, b,好?") == "列（3）：a, b，好？"
    assert language.typeset("预结算(第 %(n)s 次)与 %(a)s/%(b)s 列") == "预结算（第 %(n)s 次）与 %(a)s/%(b)s 列"
