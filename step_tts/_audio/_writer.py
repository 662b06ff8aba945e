"""Writes joined audio: one writer for each kind.

Knows what must be equal in all parts. What the bytes look like is known to each writer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

import attrs

from step_tts._audio._mp3 import MpegWalker
from step_tts._formats import AudioFormat
from step_tts._models import AudioInfo

if TYPE_CHECKING:
    from step_tts._audio._repair import HeaderPatch
    from step_tts._audio._walk import Walker

__all__ = ["Kind", "Writer"]


@attrs.frozen
class Kind:
    """What a player learns at the start and does not expect to change."""

    format: AudioFormat
    codec: str | None
    sample_rate: int | None
    channels: int | None
    frame_size: int = 0
    """Bytes; free-format MP3 only, where every frame must be as long as the first."""

    @classmethod
    def of(cls, walker: Walker) -> Kind:
        """The kind of the part that a walker is walking."""
        audio_format = AudioFormat.WAV if walker.format is AudioFormat.W64 else walker.format
        size = walker.free_size if isinstance(walker, MpegWalker) else 0
        return cls(audio_format, walker.codec, walker.sample_rate, walker.channels, size)

    def __str__(self) -> str:
        name = self.format.value.upper()
        codec = f" ({self.codec})" if self.codec != self.format else ""
        frames = f", frames of {self.frame_size} bytes" if self.frame_size else ""
        channels = {1: "mono", 2: "stereo"}.get(self.channels or 0, f"{self.channels} channels")
        return f"{name}{codec}, {self.sample_rate} Hz, {channels}{frames}"


class Writer(ABC):
    """Writes frames of one kind after a single header.

    Attributes:
        head: What comes before the first frame. It states nothing that may turn out wrong.
        samples: Samples written per channel, including pauses.
    """

    checked: Literal["frames", "chunks"]

    def __init__(self, kind: Kind, *, sample_rate: int, head: bytes) -> None:
        self.kind = kind
        self.sample_rate = sample_rate
        self.head = head
        self.samples = 0

    @property
    def duration(self) -> float:
        """Seconds written."""
        return self.samples / self.sample_rate

    def info(self, size: int) -> AudioInfo:
        """The facts of the whole so far, ``size`` bytes of it."""
        return AudioInfo(
            format=self.kind.format,
            size=size,
            duration=self.duration,
            sample_rate=self.sample_rate,
            channels=self.kind.channels,
            codec=self.kind.codec,
            checked=self.checked,
        )

    @property
    @abstractmethod
    def patch(self) -> HeaderPatch | None:
        """What corrects the head for what has been written."""

    @abstractmethod
    def begin(self) -> None:
        """A part of the same kind begins."""

    @abstractmethod
    def write(self, frames: bytes) -> bytes:
        """Write whole frames of the part; return the bytes this adds."""

    @abstractmethod
    def write_silence(self, seconds: float) -> bytes:
        """Write silence between two parts; return the bytes this adds."""
