"""What a killed run left: complete files that are not in the journal. Blocks."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from step_tts._errors import StepTTSError
from step_tts._formats import AUDIO_SUFFIXES, stem
from step_tts._inspect import inspect
from step_tts._models import Receipt, SavedSpeech

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from step_tts._batch._records import Begun
    from step_tts._models import AudioInfo

__all__ = ["adopt", "identity"]


def adopt(asked: Path, begun: Begun) -> SavedSpeech | None:
    """The complete file that a killed run left for a row, if it left one.

    A file older than the start of the row, or the file that was there then, is not from that run,
    and may say something else. If the clock was set back meanwhile, the first test alone could take
    an old file for a new one; it may also take a new one for old, and that row is paid for again.
    """
    for path in _candidates(asked):
        with suppress(OSError, ValueError, StepTTSError):
            if path.stat().st_mtime >= begun.at and identity(path) != begun.stood:
                return _adopted(path, asked, inspect(path))
    return None


def _candidates(asked: Path) -> Iterator[Path]:
    base = stem(asked.name)
    return (asked.with_name(base + suffix) for suffix in sorted(AUDIO_SUFFIXES))


def _adopted(path: Path, asked: Path, info: AudioInfo) -> SavedSpeech:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    receipt = Receipt(
        request_id=None, attempts=(), queued=0.0, first_byte=0.0, total=0.0, sha256=digest
    )
    size = path.stat().st_size
    return SavedSpeech(path=path, asked=asked, size=size, info=info, receipt=receipt)


def identity(path: Path) -> str | None:
    """What distinguishes a file from one that replaces it; ``None`` if there is no file.

    Nor can there be one whose name the encoding of the locale does not have: a ``ValueError``.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return f"{status.st_ino}:{status.st_mtime_ns}:{status.st_size}"
