"""What the facts of a piece of audio mean to a device, or why it cannot be played.

Knows which codings can be played. Pure; must not know how they are decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from step_tts._errors import UnplayableAudioError
from step_tts._formats import AudioFormat

if TYPE_CHECKING:
    from step_tts._models import AudioInfo

__all__ = ["DECODED", "SampleKind", "Shape", "shape_of"]

SampleKind: TypeAlias = Literal["u8", "s16", "s24", "s32", "f32"]
"""The samples a device takes: in the machine's byte order, 24 bits in three bytes."""

DECODED = {
    AudioFormat.MP3: "MP3",
    AudioFormat.MP2: "MP3",
    AudioFormat.FLAC: "FLAC",
    AudioFormat.OGG_VORBIS: "VORBIS",
}
"""What miniaudio decodes, with its names for the decoders."""

_SAMPLES: dict[str, SampleKind] = {
    "pcm_u8": "u8",
    "pcm_s16": "s16",
    "pcm_s24": "s24",
    "pcm_s32": "s32",
    "pcm_s64": "s32",
    "pcm_f16": "f32",
    "pcm_f32": "f32",
    "pcm_f64": "f32",
    "pcm_alaw": "s16",
    "pcm_mulaw": "s16",
}
_UNCODED = frozenset({AudioFormat.WAV, AudioFormat.W64, AudioFormat.PCM})
_WIDTHS: dict[SampleKind, int] = {"u8": 1, "s16": 2, "s24": 3, "s32": 4, "f32": 4}


@attrs.frozen
class Shape:
    """Samples as a device takes them."""

    kind: SampleKind
    rate: int
    """Hertz."""
    channels: int

    @property
    def frame_size(self) -> int:
        """Bytes of one sample on all channels."""
        return _WIDTHS[self.kind] * self.channels

    @property
    def silence(self) -> bytes:
        """One byte of silence."""
        return b"\x80" if self.kind == "u8" else b"\0"


def shape_of(info: AudioInfo) -> Shape:
    """The samples this audio will be decoded to.

    Raises:
        UnplayableAudioError: It cannot be decoded here, or its facts are unknown.
    """
    kind = _kind(info)
    if kind is None:
        raise UnplayableAudioError(
            f"{_name(info)} cannot be played here: "
            "ask for WAV or MP3 (response_format), or save it."
        )
    if info.sample_rate is None:
        raise UnplayableAudioError(
            f"The sample rate of this {_name(info)} is unknown: "
            "ask for WAV (response_format), or save it."
        )
    return Shape(kind, info.sample_rate, info.channels or 1)


def _name(info: AudioInfo) -> str:
    name = info.format.value.upper().replace("_", " ")
    return f"{name} of {info.codec}" if info.format in _UNCODED and info.codec else name


def _kind(info: AudioInfo) -> SampleKind | None:
    if info.format in DECODED:
        return "s16"
    if info.format not in _UNCODED or info.codec is None:
        return None
    return _SAMPLES.get(info.codec.removesuffix("le").removesuffix("be"))
