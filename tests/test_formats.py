"""Names of formats are true, and paths take their suffixes from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from step_tts._audio._labels import label_of
from step_tts._formats import AUDIO_SUFFIXES, AudioFormat, path_for


@pytest.mark.parametrize("format_", AudioFormat)
def test_every_format_has_suffixes_of_its_own_kind(format_: AudioFormat) -> None:
    """Lower case, with a dot, the usual one first."""
    assert format_.suffix == format_.suffixes[0]
    assert all(suffix == "." + suffix[1:].lower() for suffix in format_.suffixes)
    assert format_ is AudioFormat.UNKNOWN or AUDIO_SUFFIXES.issuperset(format_.suffixes)


@pytest.mark.parametrize("format_", AudioFormat)
def test_every_format_has_a_media_type_that_fits_it(format_: AudioFormat) -> None:
    """Sent on under its own label, audio would pass the client's check of labels."""
    label = label_of(format_.media_type)
    assert str(label) == format_.media_type
    assert label.may_be_audio
    assert not label.contradicts(format_)


def test_unknown_audio_claims_no_suffix() -> None:
    """``.bin`` says nothing about audio."""
    assert AudioFormat.UNKNOWN.suffix == ".bin"
    assert ".bin" not in AUDIO_SUFFIXES


@pytest.mark.parametrize(
    ("asked", "format_", "given"),
    [
        ("hello", AudioFormat.MP3, "hello.mp3"),
        ("hello.mp3", AudioFormat.MP3, "hello.mp3"),
        ("hello.MP3", AudioFormat.MP3, "hello.MP3"),
        ("hello.wav", AudioFormat.MP3, "hello.mp3"),
        ("hello.wave", AudioFormat.WAV, "hello.wave"),
        ("v1.2", AudioFormat.WAV, "v1.2.wav"),
        ("chapter.1.flac", AudioFormat.OGG_OPUS, "chapter.1.opus"),
        ("a.ogg", AudioFormat.OGG_OPUS, "a.ogg"),
        (".wav", AudioFormat.WAV, ".wav.wav"),
        ("什么", AudioFormat.WAV, "什么.wav"),
    ],
)
def test_path_for(asked: str, format_: AudioFormat, given: str) -> None:
    """The bytes choose the suffix; other dots belong to the name."""
    assert path_for(Path("d") / asked, format_) == Path("d") / given
