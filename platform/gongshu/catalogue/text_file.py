"""Reading a CSV that somebody uploaded: encoding, header, ragged rows, and what type each column is.

Types are decided by every value, not by a sample: a column is a number only when each of its values is
one and none begins with a zero that would be lost. It never shows a value in an error.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from gongshu.catalogue.columns import DECLARED, require_names
from gongshu.errors import Invalid, Words

BLOCK_BYTES = 8 << 20
AS_UTF8 = Words("请另存为 UTF-8 编码的 CSV,或改用 Parquet", "Save it as CSV in UTF-8, or use Parquet")
MEND_ROW = Words("请改正这一行后重新上传", "Correct that row and upload again")

# Tried in this order; the pattern first, then a cast that knows the calendar.
CANDIDATES: tuple[tuple[str, str], ...] = (
    ("BIGINT", r"^(0|-?[1-9][0-9]{0,17})$"),
    ("DOUBLE", r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$"),
    ("BOOLEAN", r"^(true|false)$"),
    ("DATE", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    ("TIMESTAMP_NTZ", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?$"),
    ("TIMESTAMP", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"),
)
PATTERNS = dict(CANDIDATES)


@dataclass
class Guess:
    """What a column may still be."""

    name: str
    declared: str | None
    left: list[str] = field(default_factory=lambda: [name for name, _pattern in CANDIDATES])
    has_values: bool = False

    @property
    def kind(self) -> pa.DataType:
        if self.declared:
            return DECLARED[self.declared]
        return DECLARED[self.left[0]] if self.left and self.has_values else pa.string()


class CsvFile:
    """An uploaded CSV, checked. `schema` is decided by a first pass, `batches` is the second."""

    def __init__(self, path: Path, declared: Mapping[str, str]) -> None:
        require_utf8(path)
        self.path = path
        self.names = _header(path)
        require_names(self.names)
        self.schema = self._decide({name: _known(kind) for name, kind in declared.items()})

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._read({one.name: one.type for one in self.schema})

    def _decide(self, declared: Mapping[str, str]) -> pa.Schema:
        guesses = [Guess(name, declared.get(name)) for name in self.names]
        row = 1
        for batch in self._read({name: pa.string() for name in self.names}):
            for guess, values in zip(guesses, batch.columns, strict=True):
                _narrow(guess, values, row)
            row += batch.num_rows
        return pa.schema([(guess.name, guess.kind) for guess in guesses])

    def _read(self, types: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        bad: list[pacsv.InvalidRow] = []

        def note(row: pacsv.InvalidRow) -> str:
            bad.append(row)
            return "error"

        try:
            yield from pacsv.open_csv(
                self.path,
                read_options=pacsv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
                parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
                convert_options=pacsv.ConvertOptions(
                    column_types=types,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                    true_values=["true"],
                    false_values=["false"],
                ),
            )
        except pa.ArrowInvalid as error:
            raise _malformed(bad, str(error)) from None  # Arrow's own words quote the row


def require_utf8(path: Path) -> None:
    """Raise Invalid naming the line where the text stops being UTF-8, and the likely encoding.

    A quote left open would swallow the rows after it without a word, so quotes must come in pairs.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    line, quotes = 1, 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            if b"\x00" in block:
                raise _wrong_encoding(line, "UTF-16" if block[:2] in (b"\xff\xfe", b"\xfe\xff") else "")
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                line += block[: max(error.start, 0)].count(b"\n")
                raise _wrong_encoding(line, _likely(block)) from None
            line += block.count(b"\n")
            quotes += block.count(b'"')
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _wrong_encoding(line, "") from None
    if quotes % 2:
        raise _malformed([], "")


def _likely(block: bytes) -> str:
    try:
        codecs.getincrementaldecoder("gb18030")().decode(block)
    except UnicodeDecodeError:
        return ""
    return "GB18030"


def _wrong_encoding(line: int, likely: str) -> Invalid:
    guess = Words(f",看起来是 {likely}", f"; it looks like {likely}") if likely else Words("", "")
    return Invalid(
        "catalogue.csv.encoding",
        Words(
            f"文件不是 UTF-8 编码(第 {line} 行起){guess.zh}。", f"The file is not UTF-8 (from line {line}){guess.en}."
        ),
        AS_UTF8,
        line=line,
    )


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            names = next(csv.reader(file, strict=True), [])
        except csv.Error:
            names = []
    if not any(names):
        raise Invalid(
            "catalogue.csv.header",
            Words("文件没有可读的表头。", "The file has no readable header."),
            Words("第一行应为列名,以逗号分隔", "The first line must hold the column names, separated by commas"),
        )
    return names


def _known(kind: str) -> str:
    wanted = kind.strip().upper()
    if wanted not in DECLARED:
        raise Invalid(
            "catalogue.column.declared",
            Words(
                f"没有类型“{kind[:30]}”,可选:{'、'.join(DECLARED)}。",
                f'There is no type "{kind[:30]}"; known: {", ".join(DECLARED)}.',
            ),
            Words("改正列的类型后重新提交", "Correct the column's type and submit again"),
        )
    return wanted


def _narrow(guess: Guess, values: pa.StringArray, first_row: int) -> None:
    """Strike out what these values cannot be. A declared type that they break raises Invalid with the row."""
    present = values.drop_null()
    if len(present) == 0:
        return
    guess.has_values = True
    if guess.declared:
        _require_declared(guess, values, first_row)
        return
    while guess.left and not _all_are(present, guess.left[0]):
        guess.left.pop(0)


def _all_are(values: pa.StringArray, kind: str) -> bool:
    if not pc.all(pc.match_substring_regex(values, PATTERNS[kind])).as_py():
        return False
    return _casts(values, kind)


def _casts(values: pa.StringArray, kind: str) -> bool:
    try:
        pc.cast(values, DECLARED[kind])
    except pa.ArrowInvalid:
        return False
    return True


def _require_declared(guess: Guess, values: pa.StringArray, first_row: int) -> None:
    assert guess.declared
    if _casts(values, guess.declared):
        return
    low, high = 0, len(values)
    while high - low > 1:  # the first value that does not cast, by halving
        middle = (low + high) // 2
        broken = not _casts(values.slice(low, middle - low), guess.declared)
        low, high = (low, middle) if broken else (middle, high)
    row = first_row + low
    raise Invalid(
        "catalogue.csv.value",
        Words(
            f"第 {row} 行数据的列 {guess.name} 不是 {guess.declared}。",
            f"In data row {row}, column {guess.name} is no {guess.declared}.",
        ),
        MEND_ROW,
        row=row,
        column=guess.name,
    )


def _malformed(bad: list[pacsv.InvalidRow], text: str) -> Invalid:
    if bad:
        row = bad[0]
        number = row.number if row.number is not None else _number_in(text)
        at = Words(f"第 {number} 行", f"Row {number}") if number else Words("有一行", "A row")
        return Invalid(
            "catalogue.csv.ragged",
            Words(
                f"{at.zh}有 {row.actual_columns} 个值,表头有 {row.expected_columns} 列。",
                f"{at.en} has {row.actual_columns} values; the header has {row.expected_columns} columns.",
            ),
            MEND_ROW,
            row=number,
        )
    return Invalid(
        "catalogue.csv.malformed",
        Words(
            "CSV 无法读取:引号不成对,或一行过长。",
            "The CSV cannot be read: a quote is not closed, or a row is too long.",
        ),
        Words("请检查引号,或改用 Parquet 格式", "Check the quotes, or use Parquet"),
    )


def _number_in(text: str) -> int | None:
    found = re.search(r"Row #(\d+)", text)
    return int(found.group(1)) if found else None
