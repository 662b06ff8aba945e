"""Decoders that nobody here wrote, each asked how many samples it hears in a file.

A program or package that is not installed skips the test, and says so.
"""

from __future__ import annotations

import shutil
import subprocess
from array import array
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["DECODERS", "samples_of"]


def _run(name: str, *arguments: str) -> bytes:
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([program, *arguments], capture_output=True, check=True, timeout=120)
    assert not done.stderr, done.stderr[:500]
    return done.stdout


def samples_of(path: Path) -> array[int]:
    """The sound as 16-bit mono, decoded by FFmpeg's libraries."""
    av: Any = pytest.importorskip("av", reason="PyAV is not installed")
    to_mono = av.AudioResampler(format="s16", layout="mono")
    heard = array("h")
    with av.open(str(path)) as file:
        for frame in file.decode(audio=0):
            for plain in to_mono.resample(frame):
                heard.frombytes(bytes(plain.planes[0])[: plain.samples * 2])
    return heard


def _ffmpeg(path: Path) -> int:
    wanted = ("-f", "s16le", "-ac", "1", "-")
    return len(_run("ffmpeg", "-v", "error", "-i", str(path), *wanted)) // 2


def _mpg123(path: Path) -> int:
    if path.suffix == ".wav":
        pytest.skip("mpg123 plays MPEG audio only")
    return len(_run("mpg123", "-q", "-m", "-s", str(path))) // 2


def _libsndfile(path: Path) -> int:
    soundfile: Any = pytest.importorskip("soundfile", reason="soundfile is not installed")
    with soundfile.SoundFile(path) as file:
        # In one read: it seeks between two, and complains of the reservoirs it has then lost.
        count = len(file.read(dtype="int16"))
        assert count == file.frames
    return count


def _miniaudio(path: Path) -> int:
    miniaudio: Any = pytest.importorskip("miniaudio", reason="miniaudio is not installed")
    info = miniaudio.get_file_info(str(path))
    decoded = miniaudio.decode_file(
        str(path), sample_rate=info.sample_rate, nchannels=info.nchannels
    )
    assert decoded.num_frames == info.num_frames
    return int(decoded.num_frames)


def _pyav(path: Path) -> int:
    av: Any = pytest.importorskip("av", reason="PyAV is not installed")
    with av.open(str(path)) as file:
        return int(sum(frame.samples for frame in file.decode(audio=0)))


def _mutagen(path: Path) -> int:
    mutagen: Any = pytest.importorskip("mutagen", reason="mutagen is not installed")
    info = mutagen.File(path).info
    return int(info.length * info.sample_rate + 0.5)


DECODERS: dict[str, Callable[[Path], int]] = {
    "ffmpeg": _ffmpeg,
    "mpg123": _mpg123,
    "libsndfile": _libsndfile,
    "miniaudio": _miniaudio,
    "PyAV": _pyav,
    "mutagen": _mutagen,
}
