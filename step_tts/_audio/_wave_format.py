"""The ``fmt`` chunk of a WAV: how its sound is coded.

Knows the format tags and what people call the codings. Does not know where the chunk is.

Sources: Microsoft ``mmreg.h`` and ``WAVEFORMATEXTENSIBLE``.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Literal

import attrs

from step_tts._errors import CorruptAudioError

__all__ = ["FORMAT_SIZE", "WaveFormat"]

FORMAT_SIZE = 28
"""Bytes of the chunk that ``WaveFormat.parse`` reads: up to the coding of an extensible one."""

_EXTENSIBLE = 0xFFFE
_LINEAR = {
    (1, 1): "pcm_u8",
    (1, 2): "pcm_s16",
    (1, 3): "pcm_s24",
    (1, 4): "pcm_s32",
    (1, 8): "pcm_s64",
    (3, 2): "pcm_f16",
    (3, 4): "pcm_f32",
    (3, 8): "pcm_f64",
}
_NAMED = {
    0x0002: "adpcm_ms",
    0x0006: "pcm_alaw",
    0x0007: "pcm_mulaw",
    0x0011: "adpcm_ima_wav",
    0x0031: "gsm_ms",
    0x0050: "mp2",
    0x0055: "mp3",
    0x00FF: "aac",
    0x674F: "vorbis",
    0xF1AC: "flac",
}
_FIELDS = {"little": struct.Struct("<HHIIH"), "big": struct.Struct(">HHIIH")}


@attrs.frozen
class WaveFormat:
    """The ``fmt`` chunk."""

    codec: str
    channels: int
    sample_rate: int
    byte_rate: int
    frame_size: int
    """Bytes of one sample on all channels (of one block, for compressed sound)."""
    linear: bool
    """Every ``frame_size`` bytes are one moment of sound."""

    @classmethod
    @lru_cache(maxsize=64)
    def parse(cls, body: bytes, order: Literal["little", "big"]) -> WaveFormat:
        """Read the beginning of a ``fmt`` chunk; equal chunks share one result.

        Raises:
            CorruptAudioError: It is too short, or has no channels, rate or frame size.
        """
        fields = _FIELDS[order]
        whole = body[: fields.size].ljust(fields.size, b"\0")
        tag, channels, rate, byte_rate, align = fields.unpack(whole)
        if len(body) < fields.size or not (channels and rate and align):
            raise CorruptAudioError("The WAV's format chunk is invalid.")
        if tag == _EXTENSIBLE and len(body) >= FORMAT_SIZE:
            tag = int.from_bytes(body[24:FORMAT_SIZE], order) & 0xFFFF
        linear = tag in {1, 3, 6, 7}
        codec = _codec(tag, align // channels, order)
        return cls(codec, channels, rate, byte_rate, align, linear)


def _codec(tag: int, width: int, order: str) -> str:
    """FFmpeg's name for the coding, which is what people know."""
    name = _LINEAR.get((tag, width))
    if name is None:
        return _NAMED.get(tag, f"wav_0x{tag:04x}")
    return name if width == 1 else f"{name}{order[0]}e"
