"""A row's named fields → the request they describe.

Knows the field names people write, which of them mean the same, and what type each must have.
Knows nothing of lines, files or request bodies. No message quotes what was to be spoken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

from step_tts._errors import InvalidRequestError
from step_tts._models import BatchItem, SpeechRequest

__all__ = [
    "Fields",
    "build_item",
    "build_request",
    "canonical",
    "is_field",
    "kind",
    "parse_json",
]

Fields: TypeAlias = Mapping[str, object]
"""A row's fields by name; a name that is absent, or ``None``, is not set."""

_FIELDS = (
    "input",
    "name",
    "model",
    "voice",
    "prompt_text",
    "prompt_audio_url",
    "response_format",
    "speed",
    "extra_body",
    "extra",
)
_OBJECTS = {"extra", "extra_body"}
_SYNONYMS = {"text": "input"}
"""Piper's rows say ``text``, and so do the files people already have."""


def build_item(fields: Fields, defaults: Fields) -> BatchItem:
    """Build one row of a batch; the defaults fill in what it does not set.

    Raises:
        InvalidRequestError: An unknown field, a field of the wrong type, or nothing to say.
    """
    fields = canonical(fields)
    merged = {**defaults, **{name: value for name, value in fields.items() if value is not None}}
    for name in _OBJECTS & defaults.keys():
        merged[name] = {**_object(defaults, name), **_object(fields, name)}
    return BatchItem(build_request(merged), _string(fields, "name"))


def build_request(fields: Fields) -> SpeechRequest:
    """Build the request that these fields describe.

    Raises:
        InvalidRequestError: A field is of the wrong type, or there is nothing to say.
    """
    text = _string(fields, "input")
    if text is None:
        raise InvalidRequestError("The row has no text: set its input (or text) field.")
    return SpeechRequest(
        text,
        model=_string(fields, "model"),
        voice=_string(fields, "voice"),
        prompt_text=_string(fields, "prompt_text"),
        prompt_audio_url=_string(fields, "prompt_audio_url"),
        response_format=_string(fields, "response_format"),
        speed=_number(fields, "speed"),
        extra_body=_object(fields, "extra_body"),
        extra=_object(fields, "extra"),
    )


def canonical(fields: Fields) -> Fields:
    """Give every field its one name.

    Raises:
        InvalidRequestError: An unknown field, or the same field under two names. A misspelt
            ``voice`` would otherwise be paid for in the wrong voice.
    """
    named: dict[str, object] = {}
    for place, (field, value) in enumerate(fields.items(), 1):
        name = _SYNONYMS.get(field, field)
        if name not in _FIELDS:
            raise InvalidRequestError(f"{_unknown(field, place)} {_ADVICE}")
        if name in named:
            raise InvalidRequestError("The row gives its text twice: as input and as text.")
        named[name] = value
    return named


_ADVICE = f"The fields are {', '.join(_FIELDS)}; other keys for the server go into extra."


def _unknown(field: str, place: int) -> str:
    # What does not look like a name may be a text that was to be spoken: it is not shown.
    if field.isidentifier() and field.isascii() and len(field) <= 40:
        return f"Unknown field {field!r}."
    return f"Field {place} has an unknown name."


def _string(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value
    raise InvalidRequestError(f"{name} must be a string, not {kind(value)}.")


def _number(fields: Fields, name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRequestError(f"{name} must be a number, not {kind(value)}.")
    try:
        return float(value)
    except OverflowError:
        raise InvalidRequestError(f"{name} is too large a number.") from None


def _object(fields: Fields, name: str) -> Mapping[str, object]:
    value = fields.get(name)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise InvalidRequestError(f"{name} must be a JSON object, not {kind(value)}.")


def is_field(name: str) -> bool:
    """Whether a row may have a field of this name."""
    return name in _FIELDS or name in _SYNONYMS


def parse_json(text: str, what: str) -> object:
    """Read JSON that a person wrote.

    Raises:
        InvalidRequestError: ``what`` is not JSON; the message says where.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at column {error.colno}"
    except (ValueError, RecursionError):  # a number of 5000 digits; ten thousand brackets
        reason = "a number is too long or the nesting too deep"
    raise InvalidRequestError(f"{what} is not valid JSON: {reason}.")


def kind(value: object) -> str:
    """Say what a JSON value is, without showing it."""
    return _KINDS.get(type(value), type(value).__name__)


_KINDS: dict[type, str] = {
    bool: "true or false",
    dict: "an object",
    float: "a number",
    int: "a number",
    list: "an array",
    str: "a string",
    type(None): "null",
}
