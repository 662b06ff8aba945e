"""Samples written one after the other, without a header.

Samples stand alone, so nothing needs to be known of them but how long one is, on all channels,
and what their silence looks like.

Source: ITU-T G.711 (the codes of silence).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from step_tts._audio._writer import Kind, Writer

if TYPE_CHECKING:
    from step_tts._audio._repair import HeaderPatch

__all__ = ["PcmWriter"]

_SILENT_CODES = {"pcm_u8": b"\x80", "pcm_alaw": b"\xd5", "pcm_mulaw": b"\xff"}


class PcmWriter(Writer):
    """Writes samples of one kind."""

    checked: Literal["chunks", "nothing"] = "nothing"

    def __init__(self, kind: Kind, *, sample_rate: int, frame_size: int, head: bytes = b"") -> None:
        super().__init__(kind, sample_rate=sample_rate, head=head)
        self._frame_size = frame_size

    @property
    def patch(self) -> HeaderPatch | None:
        """There is no header."""
        return None

    def begin(self) -> None:
        """A new part changes nothing."""

    def write(self, frames: bytes) -> bytes:
        """Samples are written as they are."""
        self.samples += len(frames) // self._frame_size
        return frames

    def write_silence(self, seconds: float) -> bytes:
        """Zeros, or what the coding has for them."""
        code = _SILENT_CODES.get(self.kind.codec or "", b"\0")
        return self.write(code * (round(seconds * self.sample_rate) * self._frame_size))
