"""One Pydantic model for page and API: what is wrong with an input, field by field, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from gongshu.errors import GongshuError, Invalid, Words
from gongshu.portal.language import in_words

Model = TypeVar("Model", bound=BaseModel)

SENTENCES = {
    "missing": Words("请填写", "Fill this in"),
    "string_type": Words("应为文字", "Must be text"),
    "string_too_short": Words("至少 {min_length} 个字", "At least {min_length} characters"),
    "string_too_long": Words("最多 {max_length} 个字", "At most {max_length} characters"),
    "string_pattern_mismatch": Words("格式不对,应符合 {pattern}", "Wrong form; it must match {pattern}"),
    "int_parsing": Words("应为整数", "Must be a whole number"),
    "int_type": Words("应为整数", "Must be a whole number"),
    "int_from_float": Words("应为整数", "Must be a whole number"),
    "bool_parsing": Words("应为是或否", "Must be yes or no"),
    "bool_type": Words("应为是或否", "Must be yes or no"),
    "greater_than": Words("应大于 {gt}", "Must be more than {gt}"),
    "greater_than_equal": Words("不能小于 {ge}", "Must be {ge} or more"),
    "less_than": Words("应小于 {lt}", "Must be less than {lt}"),
    "less_than_equal": Words("不能大于 {le}", "Must be {le} or less"),
    "date_parsing": Words("应为日期,如 2027-03-01", "Must be a date such as 2027-03-01"),
    "date_from_datetime_parsing": Words("应为日期,如 2027-03-01", "Must be a date such as 2027-03-01"),
    "date_type": Words("应为日期,如 2027-03-01", "Must be a date such as 2027-03-01"),
    "enum": Words("只能是:{expected}", "Must be one of: {expected}"),
    "literal_error": Words("只能是:{expected}", "Must be one of: {expected}"),
    "extra_forbidden": Words("没有这一项", "There is no such field"),
    "list_type": Words("应为列表", "Must be a list"),
    "dict_type": Words("应为对象", "Must be an object"),
    "model_type": Words("应为对象", "Must be an object"),
    "model_attributes_type": Words("应为对象", "Must be an object"),
    "too_short": Words("至少 {min_length} 项", "At least {min_length} items"),
    "too_long": Words("最多 {max_length} 项", "At most {max_length} items"),
    "json_invalid": Words("不是有效的 JSON", "Not valid JSON"),
    "json_type": Words("不是有效的 JSON", "Not valid JSON"),
}
OTHER = Words("不符合要求", "Not acceptable")


def parse(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Validate. Raises Invalid whose details name every wrong field."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise invalid(error.errors(include_url=False)) from error


def invalid(problems: Sequence[Any]) -> Invalid:
    """The refusal for Pydantic's problems (of a form, or of an API body)."""
    fields = {}
    for problem in problems:
        place = [str(part) for part in problem["loc"] if part not in ("body", "query", "path")]
        words = sentence(problem)
        fields[".".join(place) or "body"] = {"zh": words.zh, "en": words.en}
    count = len(fields)
    return Invalid(
        "form.invalid",
        Words(f"有 {count} 处需要改正,没有保存。", f"Nothing was saved. Things to correct: {count}."),
        Words("改正下列各处后重新提交", "Correct what is listed and submit again"),
        fields=fields,
    )


def sentence(problem: Mapping[str, Any]) -> Words:
    """Pydantic's problem type as a sentence."""
    context = problem.get("ctx") or {}
    words = SENTENCES.get(problem["type"], OTHER)
    try:
        return Words(words.zh.format(**context), words.en.format(**context))
    except (KeyError, IndexError):
        return OTHER


def fields_of(error: GongshuError | None) -> dict[str, str]:
    """Field → sentence in the language of the request, for the error summary."""
    if error is None:
        return {}
    found = error.details.get("fields")
    if not isinstance(found, dict):
        return {}
    return {name: in_words(Words(words["zh"], words["en"])) for name, words in found.items()}


def values_of(form: FormData) -> dict[str, Any]:
    """The text fields of a form; empty ones are left out, a repeated one becomes a list."""
    values: dict[str, Any] = {}
    for key in form:
        texts = [text.strip() for text in form.getlist(key) if isinstance(text, str) and text.strip()]
        if texts:
            values[key] = texts if len(texts) > 1 else texts[0]
    return values
