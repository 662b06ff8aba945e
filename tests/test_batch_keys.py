"""When two rows are the same."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import attrs
import pytest

from step_tts._batch._keys import fold, request_key, text_keys
from step_tts._models import SpeechRequest

REQUEST = SpeechRequest("Hello", voice="v", extra={"a": 1, "b": {"c": 2}})


def key(request: SpeechRequest, model: str = "m", placement: Any = "nested") -> bytes | None:
    return request_key(request, model=model, placement=placement)


def test_a_digest_has_sixteen_bytes_and_no_order() -> None:
    """Keys in another order, or in a read-only mapping, say the same."""
    again = SpeechRequest(
        "Hello", voice="v", model="m", extra=MappingProxyType({"b": {"c": 2}, "a": 1})
    )
    assert len(key(REQUEST) or b"") == 16
    assert key(REQUEST) == key(again)


@pytest.mark.parametrize(
    "change",
    [
        {"input": "Hello!"},
        {"model": "n"},
        {"voice": None},
        {"prompt_text": "p"},
        {"prompt_audio_url": "http://h/a.wav"},
        {"response_format": "wav"},
        {"speed": 1.5},
        {"extra_body": {"a": 1}},
        {"extra": {"a": 1}},
    ],
)
def test_whatever_is_heard_counts(change: dict[str, Any]) -> None:
    """Every field of a request."""
    assert key(attrs.evolve(REQUEST, **change)) != key(REQUEST)


def test_the_clients_options_count() -> None:
    """Where prompts stand, and the model of rows that name none."""
    assert key(REQUEST) != key(REQUEST, model="n")
    assert key(REQUEST) != key(REQUEST, placement="both")


@pytest.mark.parametrize("value", [object(), {1: 2, "a": 3}])
def test_what_json_cannot_express_has_no_digest(value: object) -> None:
    """It will not be sent either."""
    assert key(SpeechRequest("x", extra={"bad": value})) is None


def test_lone_surrogates_have_no_digest() -> None:
    """The encoder refuses them, with a reason."""
    assert key(SpeechRequest("\ud800")) is None
    assert text_keys(model="m", placement="nested")("\ud800") == b""


def test_a_text_alone_is_digested_as_its_request() -> None:
    """Sooner, and as blank ones are refused, not at all."""
    text_key = text_keys(model="m", placement="both")
    assert text_key("Hello\0") == key(SpeechRequest("Hello\0"), placement="both")
    assert text_key(" \n") == b""


def test_names_that_a_file_system_holds_to_be_one() -> None:
    """In case, and in how an accent is written."""
    assert fold("Straße-É") == fold("STRASSE-E\u0301")
    assert fold("Abc") == "abc"
