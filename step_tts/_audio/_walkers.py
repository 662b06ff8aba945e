"""Which walker walks which format.

Servers send MP3 and WAV; the other walkers are imported when their format first occurs, so that
a program that never meets FLAC does not load it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from step_tts._audio._mp3 import MpegWalker
from step_tts._audio._open import OpenWalker
from step_tts._audio._wav import WavWalker
from step_tts._formats import AudioFormat

if TYPE_CHECKING:
    from step_tts._audio._walk import Walker

__all__ = ["walker_class"]

_USUAL: dict[AudioFormat, type[Walker]] = {
    AudioFormat.MP3: MpegWalker,
    AudioFormat.MP2: MpegWalker,
    AudioFormat.WAV: WavWalker,
    AudioFormat.W64: WavWalker,
}
_OTHERS = {
    AudioFormat.FLAC: "_flac.FlacWalker",
    AudioFormat.OGG_OPUS: "_ogg.OggWalker",
    AudioFormat.OGG_VORBIS: "_ogg.OggWalker",
    AudioFormat.OGG_FLAC: "_ogg.OggWalker",
    AudioFormat.OGG_SPEEX: "_ogg.OggWalker",
    AudioFormat.AAC: "_framed.FramedWalker",
    AudioFormat.LATM: "_framed.FramedWalker",
    AudioFormat.AC3: "_framed.FramedWalker",
    AudioFormat.AMR: "_framed.FramedWalker",
    AudioFormat.WAVPACK: "_framed.FramedWalker",
    AudioFormat.M4A: "_mp4.Mp4Walker",
    AudioFormat.WEBM: "_matroska.MatroskaWalker",
    AudioFormat.AIFF: "_chunked.AiffWalker",
    AudioFormat.CAF: "_chunked.CafWalker",
    AudioFormat.AU: "_chunked.AuWalker",
}


def walker_class(audio_format: AudioFormat) -> type[Walker]:
    """The walker for a format; for one without a walker, one that passes everything."""
    if audio_format not in _OTHERS:
        return _USUAL.get(audio_format, OpenWalker)
    module, _, name = _OTHERS[audio_format].partition(".")
    return cast("type[Walker]", getattr(import_module(f"step_tts._audio.{module}"), name))
