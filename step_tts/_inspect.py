"""A file on disk, checked like a response."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import attrs

from step_tts._audio import AudioVerifier

if TYPE_CHECKING:
    import os

    from step_tts._models import AudioInfo

__all__ = ["inspect", "inspect_stream"]

BLOCK_BYTES = 256 * 1024
OPEN_END = "Nothing in it says where it ends, so truncation cannot be ruled out."


def inspect(path: str | os.PathLike[str]) -> AudioInfo:
    """Check an audio file and return its facts. Blocks: in async code, call it in a thread.

    If a streaming server left the sizes open, the file is read to its end and a warning says
    that truncation cannot be ruled out.

    Args:
        path: The file.

    Raises:
        NotAudioError: The file is not audio.
        EmptyAudioError: It is empty, or has a header but no sound.
        TruncatedAudioError: It stops before its end.
        CorruptAudioError: It is damaged, or two files run together.
        OSError: It cannot be read.
    """
    path = Path(path)
    expect = "pcm" if path.suffix.lower() in {".pcm", ".raw"} else None
    with path.open("rb") as file:
        return inspect_stream(file, expect)


def inspect_stream(file: BinaryIO, expect: str | None = None) -> AudioInfo:
    """Check a stream of bytes to its end, as ``inspect`` checks a file."""
    verifier = AudioVerifier(expect=expect)
    while block := file.read(BLOCK_BYTES):
        verifier.feed(block)
    verifier.finish()
    info = verifier.info
    assert info is not None  # noqa: S101  finish() has not raised, so the facts are known
    if verifier.is_open_ended:
        return attrs.evolve(info, warnings=(*info.warnings, OPEN_END))
    return info
