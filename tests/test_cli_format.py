from __future__ import annotations

from pathlib import Path

import pytest

from step_tts._errors import InternalServerError, InvalidRequestError
from step_tts._formats import AudioFormat
from step_tts._models import Attempt, AudioInfo, Playback, Receipt, SavedSpeech
from step_tts.cli import _format


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "length unknown"),
        (0.0, "0.00 s"),
        (1.523, "1.52 s"),
        (59.99, "59.99 s"),
        (59.996, "1:00"),
        (125.4, "2:05"),
        (3599.6, "1:00:00"),
        (3725, "1:02:05"),
    ],
)
def test_seconds_are_read_as_people_read_them(seconds: float | None, text: str) -> None:
    """No unit ever shows 60."""
    assert _format.seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (73_024, "73.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (1_234_567_890, "1.2 GB"),
        (10**15, "1000.0 TB"),
    ],
)
def test_bytes_are_read_as_people_read_them(count: int, text: str) -> None:
    """No unit but the last ever shows 1000."""
    assert _format.bytes_text(count) == text


@pytest.mark.parametrize(("channels", "text"), [(1, "mono"), (2, "stereo"), (6, "6 channels")])
def test_channels_have_names(channels: int, text: str) -> None:
    """One and two have words of their own."""
    assert _format.channels_text(channels) == text


def test_facts_that_are_not_known_are_not_shown() -> None:
    """A format that is not walked has fewer facts."""
    whole = AudioInfo(
        format=AudioFormat.WAV, size=73_024, duration=1.52, sample_rate=24000, channels=1
    )
    assert _format.info_text(whole) == "wav, 1.52 s, 24000 Hz, mono, 73.0 kB"
    bare = AudioInfo(format=AudioFormat.AMR, size=5)
    assert _format.info_text(bare) == "amr, length unknown, 5 B"


def test_a_saved_file_as_a_record() -> None:
    """Scripts get numbers, not words."""
    saved = SavedSpeech(
        path=Path("out/hello.mp3"),
        asked=Path("out/hello"),
        size=9,
        info=AudioInfo(format=AudioFormat.MP3, size=9, duration=0.5, warnings=("odd",)),
        receipt=Receipt(
            request_id="r",
            attempts=(Attempt(number=1, outcome="ok"),),
            queued=0.0,
            first_byte=0.25,
            total=0.5,
            sha256="ab",
        ),
    )
    assert _format.saved_record(saved) == {
        "path": "out/hello.mp3",
        "format": "mp3",
        "codec": None,
        "duration": 0.5,
        "sample_rate": None,
        "channels": None,
        "size": 9,
        "checked": "head",
        "warnings": ["odd"],
        "request_id": "r",
        "attempts": 1,
        "first_byte": 0.25,
        "total": 0.5,
        "sha256": "ab",
    }


def test_an_error_as_a_record() -> None:
    """The class says what to do; what the server said comes with it."""
    assert _format.error_record(InvalidRequestError("no")) == {
        "error": "InvalidRequestError",
        "message": "no",
    }
    error = InternalServerError("boom", status_code=500, code="c", request_id="r")
    record = _format.error_record(error)
    assert record["message"] == str(error)
    assert (record["status_code"], record["code"], record["request_id"]) == (500, "c", "r")
    assert (record["retryable"], record["attempts"]) == (True, 0)


@pytest.mark.parametrize(
    ("underruns", "silence", "text"),
    [
        (0, 0, "2.00 s"),
        (1, 0.25, "2.00 s, 1 gap of 0.25 s in all"),
        (3, 1, "2.00 s, 3 gaps of 1.00 s in all"),
    ],
)
def test_what_was_heard_and_its_gaps(underruns: int, silence: float, text: str) -> None:
    """Gaps are worth a word only where there were any."""
    assert _format.playback_text(Playback(seconds=2, underruns=underruns, silence=silence)) == text
