"""Two languages: the Chinese sentence is the msgid, English comes from `.po` files.

How the translations of many authors merge without conflict: **one file per room**,
``portal/locale/en/<room>.po`` (portal, catalogue, authorization, audit, release, revenue, sandbox …).
At start all of them are read and merged; nothing is compiled. The same msgid may stand in one file
only, or in several with the same English; a test fails otherwise. After adding sentences run

    python -m gongshu.portal.language          # lists what is missing, as .po stanzas to paste
    python -m gongshu.portal.language --unused # lists stanzas that no sentence uses any more

In templates write ``{{ _("已登记 %(n)s 个版本", n=3) }}`` or ``{% trans %}``; in Python
``_("…", n=3)`` at render time, ``N_("…")`` to mark a constant that is translated later. Chinese has no
plural, so English sentences are worded to read well for any number ("Versions: 3").
Sentences of errors and of data carry both languages themselves (`Words`) and need no msgid.
It decides the language of a request; it never decides what is said.
"""

from __future__ import annotations

import re
import sys
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from markupsafe import Markup

from gongshu.errors import Words

LANGUAGES = ("zh", "en")
COOKIE = "gongshu-language"
HERE = Path(__file__).parent
LOCALE = HERE / "locale" / "en"
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.do,jinja2.ext.loopcontrols", "silent": "false"}}
KEYWORDS = {"_": None, "N_": None, "gettext": None, "pgettext": ((1, "c"), 2)}

_HAN = r"[\u4e00-\u9fff“”《》〔〕（）、。]"
_INSIDE = r"(?:%\(\w+\)s|[^()])*"
BRACKETS = re.compile(rf"(?<={_HAN})\(({_INSIDE})\)|(?<!%)\(((?=[^()]*[\u4e00-\u9fff]){_INSIDE})\)")
PUNCTUATION = [
    (re.compile(rf"(?<={_HAN}){ascii_sign} ?|{ascii_sign}(?={_HAN})"), wide)
    for ascii_sign, wide in ((",", "，"), (";", "；"), (":", "："), (r"\?", "？"))
]

current: ContextVar[str] = ContextVar("language", default="zh")


def N_(sentence: str) -> str:
    """Mark a sentence for extraction; `_` translates it when it is shown."""
    return sentence


def gettext(sentence: str) -> str:
    """The sentence in the language of this request; a missing translation shows the Chinese."""
    if current.get() == "en":
        return english().get(sentence, sentence)
    return typeset(sentence)


def pgettext(context: str, sentence: str) -> str:
    """Like `gettext` for a one-word verb or noun that needs a context."""
    if current.get() == "en":
        return english().get(f"{context}\x04{sentence}", sentence)
    return sentence


def _(sentence: str, **values: object) -> str:
    """Translate and fill in ``%(name)s`` placeholders."""
    text = gettext(sentence)
    return text % values if values else text


def in_words(words: Words) -> str:
    """A bilingual sentence in the language of this request."""
    return words.en if current.get() == "en" else typeset(words.zh)


def lang_of(text: str) -> Markup:
    """The attribute that marks Chinese data (a column's name, a comment) on a page of any language."""
    return Markup(' lang="zh-CN"' if re.search(r"[\u3400-\u9fff]", text) else "")


def typeset(sentence: str) -> str:
    """Full-width punctuation beside Han, which sources write in ASCII."""
    sentence = BRACKETS.sub(lambda found: f"（{found[2] if found[1] is None else found[1]}）", sentence)
    for pattern, sign in PUNCTUATION:
        sentence = pattern.sub(sign, sentence)
    return sentence


def choose(asked: str | None, cookie: str | None, accept: str) -> str:
    """``?lang=`` → cookie → Accept-Language → Chinese."""
    for wish in (asked, cookie):
        if wish in LANGUAGES:
            return wish
    for part in accept.split(","):
        code = part.split(";")[0].strip().lower()[:2]
        if code in LANGUAGES:
            return code
    return "zh"


@cache
def english() -> dict[str, str]:
    """All English sentences, merged over the rooms."""
    return {
        (f"{message.context}\x04{message.id}" if message.context else str(message.id)): str(message.string)
        for _room, message in messages()
        if message.string
    }


def messages() -> list[tuple[str, Catalog.Message]]:  # type: ignore[name-defined]  # Babel's stubs lack it
    """Every message of every room's file, with the room."""
    found = []
    for path in sorted(LOCALE.glob("*.po")):
        with path.open("rb") as file:
            found += [(path.stem, message) for message in _read(file) if message.id]
    return found


def _read(file: IO[bytes]) -> Catalog:
    return read_po(file, locale="en", abort_invalid=True)


def extracted() -> dict[str, str]:
    """Every sentence that templates and portal modules show, with the first place that shows it."""
    found: dict[str, str] = {}
    for name, line, ids, _comments, context in extract_from_dir(
        str(HERE), METHODS, OPTIONS, keywords=KEYWORDS, directory_filter=lambda folder: "__pycache__" not in folder
    ):
        sentence = ids if isinstance(ids, str) else ids[-1]
        found.setdefault(f"{context}\x04{sentence}" if context else sentence, f"{name}:{line}")
    return found


def main(arguments: list[str]) -> int:
    wanted, known, write = extracted(), english(), sys.stdout.write
    if "--unused" in arguments:
        for key in sorted(set(known) - set(wanted)):
            write(key + "\n")
        return 0
    missing = {key: place for key, place in wanted.items() if key not in known}
    for key, place in sorted(missing.items(), key=lambda pair: pair[1]):
        context, _separator, sentence = key.rpartition("\x04")
        write(f"#: {place}" + "\n")
        if context:
            write(f'msgctxt "{context}"' + "\n")
        quoted = sentence.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        write(f'msgid "{quoted}"\nmsgstr ""\n\n')
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
