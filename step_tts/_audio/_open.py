"""Sound without structure: raw PCM, and unknown formats.

Only HTTP can say where such a body ends.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from step_tts._audio._walk import Source, Steps, Walker
from step_tts._errors import TruncatedAudioError
from step_tts._formats import AudioFormat

if TYPE_CHECKING:
    from step_tts._audio._labels import Label

__all__ = ["OpenWalker", "PcmWalker"]

_SAMPLE_SIZE = 2


class OpenWalker(Walker):
    """Passes everything."""

    checked = "nothing"

    def walk(self, source: Source) -> Steps[None]:
        """Pass all bytes."""
        yield from source.skip(math.inf)


class PcmWalker(Walker):
    """Counts 16-bit samples, described by the Content-Type."""

    checked = "nothing"

    def __init__(self, label: Label) -> None:
        super().__init__(AudioFormat.PCM)
        self.sample_rate = label.number("rate", limit=768_000)
        self.channels = label.number("channels", limit=255)
        big = label.parameters.get("endianness", "").startswith("big")
        self.codec = "pcm_s16be" if big else "pcm_s16le"
        self._frame_size = _SAMPLE_SIZE * (self.channels or 1)
        self._size = 0

    @property
    def duration(self) -> float | None:
        """Seconds so far, if the Content-Type names a rate."""
        return self._size // self._frame_size / self.sample_rate if self.sample_rate else None

    def walk(self, source: Source) -> Steps[None]:
        """Pass all bytes; they must be whole samples."""
        yield from source.skip(math.inf, watch=[self._count])
        if self._size % self._frame_size:
            raise TruncatedAudioError("The PCM ends inside a sample.")

    def _count(self, piece: bytes) -> None:
        self._size += len(piece)
