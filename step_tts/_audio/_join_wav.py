"""A WAV written before its length is known.

The whole starts with the first part's format chunk, byte for byte: what can play that part can
play the whole. All sizes are left open, as streaming servers do, and ``_repair`` corrects them.

Sources: Microsoft's "New Multimedia Data Types and Data Techniques" 3.0 (all but integer PCM has a
``fact`` chunk); ITU-T G.711 (the codes of silence).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from step_tts._audio._repair import HeaderPatch, repair_wav
from step_tts._audio._writer import Writer
from step_tts._errors import AudioJoinError

if TYPE_CHECKING:
    from step_tts._audio._riff import Layout
    from step_tts._audio._wav import WavWalker
    from step_tts._audio._writer import Kind

__all__ = ["WavWriter"]

_SILENT_CODES = {"pcm_u8": b"\x80", "pcm_alaw": b"\xd5", "pcm_mulaw": b"\xff"}
_OPEN = b"\xff\xff\xff\xff"
_UNCOUNTED = bytes(4)  # FFmpeg believes any other number, and tells a stream's length by it.


class WavWriter(Writer):
    """Writes samples of one kind after a single header.

    Raises:
        AudioJoinError: The WAV holds compressed sound, whose blocks depend on one another.
    """

    checked = "chunks"

    def __init__(self, walker: WavWalker, kind: Kind) -> None:
        wave = walker.wave
        assert wave is not None  # noqa: S101  read before the sound
        if not wave.linear:
            raise AudioJoinError(f"Compressed sound in WAV cannot be joined: {kind}.")
        head = _head(walker.format_chunk, kind, walker.layout)
        super().__init__(kind, sample_rate=wave.sample_rate, head=head)
        self._frame_size = wave.frame_size

    @property
    def patch(self) -> HeaderPatch | None:
        """The true sizes; RF64 if RIFF has no room for them."""
        size = self.samples * self._frame_size
        total = len(self.head) + size
        return repair_wav(self.head, sound_size=size, total=total, frame_size=self._frame_size)

    def begin(self) -> None:
        """Samples are independent: a new part changes nothing."""

    def write(self, frames: bytes) -> bytes:
        """Samples are written as they are."""
        self.samples += len(frames) // self._frame_size
        return frames

    def write_silence(self, seconds: float) -> bytes:
        """Zeros, or what the coding has for them."""
        code = _SILENT_CODES.get(self.kind.codec or "", b"\0")
        return self.write(code * (round(seconds * self.sample_rate) * self._frame_size))


def _head(fmt: bytes, kind: Kind, source: Layout) -> bytes:
    """The same geometry for all little-endian forms of WAV; RIFX stays big-endian."""
    big = source.order == "big"
    integers = (kind.codec or "").startswith(("pcm_s", "pcm_u"))
    parts = (
        b"RIFX" if big else b"RIFF", _OPEN, b"WAVE",
        _chunk(b"fmt ", fmt, source),
        b"" if integers else _chunk(b"fact", _UNCOUNTED, source),
        b"data", _OPEN,
    )  # fmt: skip
    return b"".join(parts)


def _chunk(name: bytes, content: bytes, source: Layout) -> bytes:
    size = len(content).to_bytes(4, source.order)
    return name + size + content + bytes(len(content) % 2)
