from __future__ import annotations

import math
import pickle
import typing
from pathlib import Path
from typing import Any

import attrs
import pytest

from step_tts import _models
from step_tts._errors import APIError, InvalidRequestError, StepTTSError
from step_tts._formats import AudioFormat
from step_tts._models import (
    Attempt,
    AudioInfo,
    BatchItem,
    BatchResult,
    Receipt,
    SavedSpeech,
    Speech,
    SpeechRequest,
)
from step_tts._policies import RetryPolicy, Timeouts

INFO = AudioInfo(format=AudioFormat.MP3, size=3)
ATTEMPTS = (Attempt(number=1, outcome="ok"),)
RECEIPT = Receipt(request_id="r", attempts=ATTEMPTS, queued=0.0, first_byte=0.1, total=0.2)


def saved(asked: str, path: str) -> SavedSpeech:
    return SavedSpeech(path=Path(path), asked=Path(asked), size=9, info=INFO, receipt=RECEIPT)


@pytest.mark.parametrize(
    ("asked", "path", "corrected"),
    [
        ("a.wav", "a.mp3", True),
        ("a.WAV", "a.mp3", True),
        ("a.mp3", "a.mp3", False),
        ("a.MP3", "a.MP3", False),
        ("a", "a.mp3", False),
        ("a.v2", "a.v2.mp3", False),
        ("a.bin", "a.bin.mp3", False),
    ],
)
def test_a_corrected_suffix_is_told(asked: str, path: str, corrected: bool) -> None:
    """Only an audio suffix can be wrong about the audio."""
    assert saved(asked, path).suffix_corrected is corrected


@pytest.mark.parametrize("text", ["", " ", "\n\t\u3000"])
def test_blank_text_is_refused(text: str) -> None:
    """Some servers answer it with an empty 200, and bill it."""
    with pytest.raises(InvalidRequestError, match="empty or blank"):
        SpeechRequest(text)


@pytest.mark.parametrize("text", [None, b"bytes", 3])
def test_text_must_be_text(text: Any) -> None:
    """The message names the type and not the value."""
    with pytest.raises(InvalidRequestError, match=f"must be a str, not {type(text).__name__}"):
        SpeechRequest(text)


@pytest.mark.parametrize("speed", [0, -1, math.nan, math.inf, "1.5"])
def test_speed_must_be_positive_and_finite(speed: Any) -> None:
    """The range is the server's business, sense is ours."""
    with pytest.raises(InvalidRequestError, match="speed must be a positive, finite number"):
        SpeechRequest("Hi", speed=speed)


def test_sensible_requests_are_made() -> None:
    """All that is set is kept; mappings start empty and are not shared."""
    assert SpeechRequest("Hi", speed=1.5).speed == 1.5
    assert SpeechRequest("Hi").extra == {}
    assert SpeechRequest("Hi").extra is not SpeechRequest("Hi").extra


def test_requests_can_be_told_apart_in_a_set() -> None:
    """Equal ones are one, whatever their mappings hold."""
    requests = [SpeechRequest("Hi", extra={"a": [1]}), SpeechRequest("Hi", extra={"a": [1]})]
    assert len({*requests, SpeechRequest("Hi", extra={"a": [2]})}) == 2


def test_a_request_does_not_show_what_is_private() -> None:
    """Text, prompt, link and free keys stay out of the repr."""
    request = SpeechRequest(
        "private",
        model="M",
        prompt_text="private",
        prompt_audio_url="https://private",
        extra={"private": 1},
        extra_body={"private": 1},
        speed=2.0,
    )
    assert repr(request) == "SpeechRequest(<7 characters>, model='M', speed=2.0)"
    assert (
        repr(BatchItem(request, name="n"))
        == "BatchItem(input=<SpeechRequest>, name='n', index=None)"
    )
    assert repr(BatchItem("private")) == "BatchItem(input=<str>, name=None, index=None)"


def test_speech_does_not_show_its_audio() -> None:
    """Megabytes have no place in a repr."""
    speech = Speech(audio=b"abc", info=INFO, receipt=RECEIPT)
    assert repr(speech).startswith("Speech(audio=<3 bytes>, info=AudioInfo(")


def test_a_batch_result_answers_for_what_it_holds() -> None:
    """Success, in a file or in memory, and failure, with or without attempts."""
    file = BatchResult(index=0, name="a", saved=saved("a", "a.mp3"))
    memory = BatchResult(index=1, name="b", speech=Speech(audio=b"", info=INFO, receipt=RECEIPT))
    for done in (file, memory):
        assert done.ok
        assert (done.info, done.attempts) == (INFO, ATTEMPTS)
    failed = APIError("It failed.")
    failed.attempts = ATTEMPTS
    tried = BatchResult(index=2, name="c", error=failed)
    untried = BatchResult(index=3, name="d", error=StepTTSError("No."))
    assert not tried.ok
    assert (tried.info, tried.attempts) == (None, ATTEMPTS)
    assert untried.attempts == ()


VALUES = [kind for kind in vars(_models).values() if attrs.has(kind)]


@pytest.mark.parametrize("kind", VALUES)
def test_values_are_frozen_and_their_hints_resolve(kind: type) -> None:
    """They can be shared between tasks, and tools can read their types."""
    assert "__setattr__" in vars(kind), "attrs.frozen defines one that refuses"
    assert typing.get_type_hints(kind)


@pytest.mark.parametrize("value", [INFO, RECEIPT, SpeechRequest("Hi"), Timeouts(), RetryPolicy()])
def test_values_cross_process_borders(value: object) -> None:
    """Equal after pickling."""
    assert pickle.loads(pickle.dumps(value)) == value
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        value.anything = 1  # type: ignore[attr-defined]  # the point
