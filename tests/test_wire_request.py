from __future__ import annotations

import json
import math
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from step_tts._errors import InvalidRequestError
from step_tts._models import PromptPlacement, SpeechRequest
from step_tts._wire import encode_request, request_warnings

WAV = "https://voices.example/me.wav?signature=s3cr3t"


def encode(request: SpeechRequest, placement: PromptPlacement = "nested") -> dict[str, Any]:
    body = json.loads(encode_request(request, model="Model", placement=placement))
    assert isinstance(body, dict)
    return body


def refusal(request: SpeechRequest, model: str = "Model") -> str:
    with pytest.raises(InvalidRequestError) as caught:
        encode_request(request, model=model, placement="nested")
    assert caught.value.__context__ is None, "the encoder's own exception quotes the text"
    return str(caught.value)


def test_bytes_are_compact_utf8_as_it_is() -> None:
    """Chinese goes out as itself, without blanks between members."""
    body = encode_request(SpeechRequest("你好 \u2028"), model="M", placement="nested")
    assert body == '{"model":"M","input":"你好 \u2028"}'.encode()


def test_every_field_that_is_set_is_sent() -> None:
    """Typed fields, free nested keys and free top-level keys all arrive."""
    request = SpeechRequest(
        "Hi",
        model="Other",
        voice="alloy",
        response_format="wav",
        speed=1.5,
        prompt_text="words",
        prompt_audio_url=WAV,
        extra_body={"prompt_language": "en"},
        extra={"volume": 2, "voice_label": MappingProxyType({"emotion": ("sad", None)})},
    )
    assert encode(request) == {
        "model": "Other",
        "input": "Hi",
        "voice": "alloy",
        "response_format": "wav",
        "speed": 1.5,
        "extra_body": {
            "prompt_text": "words",
            "prompt_audio_url": WAV,
            "prompt_language": "en",
        },
        "volume": 2,
        "voice_label": {"emotion": ["sad", None]},
    }


PROMPT = {"prompt_text": "words", "prompt_audio_url": WAV}


@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        ("nested", {"extra_body": {**PROMPT, "k": 1}}),
        ("top_level", {**PROMPT, "extra_body": {"k": 1}}),
        ("both", {**PROMPT, "extra_body": {**PROMPT, "k": 1}}),
    ],
)
def test_placement_moves_the_prompt_and_nothing_else(
    placement: PromptPlacement, expected: dict[str, object]
) -> None:
    """The free nested keys stay nested wherever the prompt stands."""
    request = SpeechRequest("Hi", prompt_text="words", prompt_audio_url=WAV, extra_body={"k": 1})
    assert encode(request, placement) == {"model": "Model", "input": "Hi", **expected}


@pytest.mark.parametrize("placement", ["nested", "top_level", "both"])
def test_an_empty_extra_body_is_left_out(placement: PromptPlacement) -> None:
    """No placement sends an empty object."""
    assert "extra_body" not in encode(SpeechRequest("Hi"), placement)


def test_top_level_placement_sends_no_nested_object() -> None:
    """With the prompt at the top nothing is left to nest."""
    request = SpeechRequest("Hi", prompt_text="words")
    assert encode(request, "top_level") == {
        "model": "Model",
        "input": "Hi",
        "prompt_text": "words",
    }


def test_extra_may_carry_an_extra_body_of_its_own() -> None:
    """Whoever sets nothing nested through us may send any nested object."""
    assert encode(SpeechRequest("Hi", extra={"extra_body": {"a": 1}}))["extra_body"] == {"a": 1}


@pytest.mark.parametrize(
    ("request_", "key", "where"),
    [
        (SpeechRequest("Hi", extra={"input": "x"}), "input", "extra"),
        (SpeechRequest("Hi", extra={"model": "x"}), "model", "extra"),
        (SpeechRequest("Hi", voice="a", extra={"voice": "b"}), "voice", "extra"),
        (SpeechRequest("Hi", speed=1, extra={"speed": 2}), "speed", "extra"),
        (
            SpeechRequest("Hi", extra_body={"a": 1}, extra={"extra_body": {}}),
            "extra_body",
            "extra",
        ),
        (
            SpeechRequest("Hi", prompt_text="a b", extra_body={"prompt_text": "c"}),
            "prompt_text",
            "extra_body",
        ),
        (
            SpeechRequest("Hi", prompt_text="a b", extra={"prompt_text": "c"}),
            "prompt_text",
            "extra",
        ),
        (
            SpeechRequest("Hi", prompt_audio_url=WAV, extra={"prompt_audio_url": WAV}),
            "prompt_audio_url",
            "extra",
        ),
    ],
)
def test_a_key_given_twice_is_named(request_: SpeechRequest, key: str, where: str) -> None:
    """Two values for one key are refused, whichever placement would have sent."""
    assert refusal(request_) == f"{key} is given twice: as itself and in {where}."


def test_a_typed_key_left_unset_may_be_given_freely() -> None:
    """Only a key that is really set twice collides."""
    request = SpeechRequest("Hi", extra_body={"prompt_text": "x"}, extra={"voice": {"id": 3}})
    assert encode(request)["extra_body"] == {"prompt_text": "x"}
    assert encode(request)["voice"] == {"id": 3}


def _cycle() -> dict[str, object]:
    value: dict[str, object] = {}
    value["self"] = value
    return value


def _deep() -> list[object]:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, "contains NaN, an infinity, or itself"),
        ([-math.inf], "contains NaN, an infinity, or itself"),
        (_cycle(), "contains NaN, an infinity, or itself"),
        ({"a": {1, 2}}, "contains a value that JSON cannot express"),
        (b"bytes", "contains a value that JSON cannot express"),
        ({("a",): 1}, "contains a value that JSON cannot express"),
        ("\ud800", "contains a lone surrogate, half a character that UTF-8 cannot encode"),
        ({"a": ["\udfff"]}, "contains a lone surrogate, half a character that UTF-8 cannot encode"),
        ({"\ud800": 1}, "contains a lone surrogate, half a character that UTF-8 cannot encode"),
        (_deep(), "is nested too deeply"),
    ],
)
@pytest.mark.parametrize("place", ["extra", "extra_body"])
def test_values_that_cannot_be_sent_are_named(place: str, value: object, reason: str) -> None:
    """The message names the key and the reason, never the value."""
    free = {"good": 1, "bad": value}
    request = SpeechRequest("Hi", **{place: free})  # type: ignore[arg-type]  # by name
    assert refusal(request) == f"{place}['bad'] {reason}."


def test_keys_that_are_no_names_are_refused() -> None:
    """A free key must be a str that UTF-8 can carry."""
    assert refusal(SpeechRequest("Hi", extra={1: 2})) == (  # type: ignore[dict-item]  # the point
        "extra has the key 1, which is not a str."
    )
    assert "extra['\\ud800'] contains a lone surrogate" in refusal(
        SpeechRequest("Hi", extra={"\ud800": 2})
    )


def test_free_keys_must_be_a_mapping() -> None:
    """A list of pairs is no mapping."""
    request = SpeechRequest("Hi", extra_body=[("a", 1)])  # type: ignore[arg-type]  # the point
    assert refusal(request) == "extra_body must be a mapping, not list."


@pytest.mark.parametrize("field", ["model", "voice", "response_format", "prompt_text"])
def test_typed_texts_are_checked(field: str) -> None:
    """Blank, not text, or not encodable: each has its reason and its field."""
    blank = SpeechRequest("Hi", **{field: " \n"})  # type: ignore[arg-type]  # by name
    number = SpeechRequest("Hi", **{field: 3})  # type: ignore[arg-type]  # the point
    broken = SpeechRequest("Hi", **{field: "a\ud800"})  # type: ignore[arg-type]  # by name
    assert refusal(blank) == f"{field} is blank: leave it out or give it a value."
    assert refusal(number) == f"{field} must be a str, not int."
    assert refusal(broken).startswith(f"{field} contains a lone surrogate")


def test_a_lone_surrogate_in_the_text_is_refused_without_showing_the_text() -> None:
    """Half an emoji cannot be sent; the words around it stay private."""
    reason = refusal(SpeechRequest("private words \ud83d"))
    assert reason.startswith("input contains a lone surrogate")
    assert "private" not in reason


def test_a_blank_client_model_is_refused_unless_the_request_names_one() -> None:
    """The model that counts is the one that would be sent."""
    assert refusal(SpeechRequest("Hi"), model=" ").startswith("model is blank")
    named = SpeechRequest("Hi", model="M")
    assert b'"M"' in encode_request(named, model="", placement="nested")


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("data:audio/wav;base64,c2VjcmV0", "must start with http:// or https://, not data:"),
        ("file:///home/secret.wav", "must start with http:// or https://, not file:"),
        ("secret:x", "must start with http:// or https://, not something else"),
        ("voices.example/secret.wav", "must start with http:// or https://, not something else"),
        ("//voices.example/secret.wav", "must start with http:// or https://, not something"),
        ("https:///secret.wav", "names no host"),
        ("https://?token=secret", "names no host"),
        ("https://[::1/secret.wav", "is not a URL: its host or port is malformed"),
        ("https://h:secret/a.wav", "is not a URL: its host or port is malformed"),
        ("https://h:99999/secret.wav", "is not a URL: its host or port is malformed"),
        ("https://h/secret voice.wav", "contains white space or a control character"),
        ("https://h/secret.wav\n", "contains white space or a control character"),
        ("   ", "is blank"),
    ],
)
def test_prompt_links_are_checked_without_showing_them(link: str, reason: str) -> None:
    """A link the server could not fetch is refused; its path and query stay private."""
    message = refusal(SpeechRequest("Hi", prompt_audio_url=link))
    assert message.startswith(f"prompt_audio_url {reason}")
    assert "secret" not in message


@pytest.mark.parametrize(
    "link",
    ["http://h/a.wav", "HTTPS://H:8443/a", "https://[::1]/a.wav", "https://例子.cn/声音.wav"],
)
def test_sound_prompt_links_go_out_unchanged(link: str) -> None:
    """What passes the check is not rewritten: a signature covers every character."""
    assert encode(SpeechRequest("Hi", prompt_audio_url=link))["extra_body"] == {
        "prompt_audio_url": link
    }


@pytest.mark.parametrize(
    ("text", "link", "count"),
    [
        (None, None, 0),
        ("zh", None, 0),
        ("zh", WAV, 1),
        (" EN ", WAV, 1),
        ("exact words", WAV, 0),
        (None, "https://h/a.WAV", 0),
        (None, "https://h/a.mp3?name=b.wav", 1),
        ("zh", "https://h/a", 2),
        (None, "https://h/a.wav#t=1", 0),
        (None, "https://[broken/a.mp3", 1),
    ],
)
def test_warnings_name_what_will_disappoint(text: str | None, link: str | None, count: int) -> None:
    """A language for a transcript, and a link that is no WAV, are allowed but said."""
    warnings = request_warnings(SpeechRequest("Hi", prompt_text=text, prompt_audio_url=link))
    assert len(warnings) == count
    assert not any("h/a" in warning for warning in warnings)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    text=st.text(min_size=1).filter(str.strip),
    extra=st.dictionaries(st.text(max_size=8), json_values, max_size=4),
)
def test_any_request_is_encoded_exactly_or_refused(text: str, extra: dict[str, object]) -> None:
    """What goes out reads back as what was asked; nothing but our refusal is raised."""
    try:
        encoded = encode_request(SpeechRequest(text, extra=extra), model="M", placement="nested")
    except InvalidRequestError:
        return
    assert json.loads(encoded.decode("utf-8", "strict")) == {"model": "M", "input": text, **extra}
