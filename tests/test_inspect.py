"""A file on disk is held to the same checks as an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sounds import mp3, wav

import step_tts
from step_tts import AudioFormat, inspect
from step_tts._inspect import OPEN_END

if TYPE_CHECKING:
    from pathlib import Path


def test_a_whole_file_gives_its_facts(tmp_path: Path) -> None:
    """The bytes are asked, not the name."""
    path = tmp_path / "a.mp3"
    path.write_bytes(wav(30_000))

    info = inspect(str(path))

    assert (info.format, info.sample_rate, info.channels) == (AudioFormat.WAV, 22050, 1)
    assert info.duration == pytest.approx(30_000 / 22050)
    assert info.size == path.stat().st_size
    assert info.warnings == ()


def test_a_streamed_file_ends_where_it_ends(tmp_path: Path) -> None:
    """Open sizes are read to the end of the file, which may be that of a stream that was cut."""
    path = tmp_path / "a.wav"
    path.write_bytes(wav(200_000, streamed=True))

    info = inspect(path)

    assert info.duration == pytest.approx(200_000 / 22050)
    assert info.warnings == (OPEN_END,)


def test_raw_pcm_goes_by_its_suffix(tmp_path: Path) -> None:
    """Headerless sound has nothing else to go by."""
    path = tmp_path / "a.pcm"
    path.write_bytes(bytes(range(100, 250)))

    assert inspect(path).format is AudioFormat.PCM


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", step_tts.EmptyAudioError),
        (b'{"error": "no"}', step_tts.NotAudioError),
        (wav()[:-100], step_tts.TruncatedAudioError),
        (mp3()[:-1], step_tts.TruncatedAudioError),
        (wav() + wav(), step_tts.CorruptAudioError),
    ],
)
def test_what_is_not_whole_audio_says_why(
    content: bytes, error: type[Exception], tmp_path: Path
) -> None:
    """The same errors as for an answer."""
    path = tmp_path / "a"
    path.write_bytes(content)

    with pytest.raises(error):
        inspect(path)


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    """Not reading is not the audio's fault."""
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "a")
