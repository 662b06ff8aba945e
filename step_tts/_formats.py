"""What kinds of audio there are, and what each is called: its media type and its file suffixes.

Knows only names. The bytes say what a piece of audio is (``_audio``).
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["AUDIO_SUFFIXES", "AudioFormat", "path_for", "stem"]


class AudioFormat(enum.StrEnum):
    """The format of a piece of audio, as its bytes show it."""

    MP3 = "mp3"
    WAV = "wav"
    FLAC = "flac"
    OGG_OPUS = "ogg_opus"
    OGG_VORBIS = "ogg_vorbis"
    OGG_FLAC = "ogg_flac"
    OGG_SPEEX = "ogg_speex"
    AAC = "aac"
    M4A = "m4a"
    WEBM = "webm"
    PCM = "pcm"
    MP2 = "mp2"
    LATM = "latm"
    W64 = "w64"
    AIFF = "aiff"
    AMR = "amr"
    CAF = "caf"
    AU = "au"
    AC3 = "ac3"
    WAVPACK = "wavpack"
    UNKNOWN = "unknown"

    @property
    def media_type(self) -> str:
        """The media type for a ``Content-Type`` header, such as ``audio/mpeg``.

        This is the IANA name if there is one, except for ``audio/wav``: few players know
        RFC 2361's ``audio/vnd.wave``.
        """
        return _NAMES[self][0]

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The file suffixes for this format, the usual one first."""
        return _NAMES[self][1:]

    @property
    def suffix(self) -> str:
        """The usual file suffix, with its dot."""
        return self.suffixes[0]


_NAMES: dict[AudioFormat, tuple[str, ...]] = {
    AudioFormat.MP3: ("audio/mpeg", ".mp3"),
    AudioFormat.WAV: ("audio/wav", ".wav", ".wave"),
    AudioFormat.FLAC: ("audio/flac", ".flac"),
    AudioFormat.OGG_OPUS: ("audio/ogg", ".opus", ".ogg", ".oga"),
    AudioFormat.OGG_VORBIS: ("audio/ogg", ".ogg", ".oga"),
    AudioFormat.OGG_FLAC: ("audio/ogg", ".oga", ".ogg"),
    AudioFormat.OGG_SPEEX: ("audio/ogg", ".spx", ".ogg", ".oga"),
    AudioFormat.AAC: ("audio/aac", ".aac"),
    AudioFormat.M4A: ("audio/mp4", ".m4a", ".mp4"),
    AudioFormat.WEBM: ("audio/webm", ".webm", ".mka"),
    AudioFormat.PCM: ("application/octet-stream", ".pcm", ".raw"),
    AudioFormat.MP2: ("audio/mpeg", ".mp2"),
    AudioFormat.LATM: ("audio/aac", ".latm", ".loas"),
    AudioFormat.W64: ("audio/x-w64", ".w64"),
    AudioFormat.AIFF: ("audio/aiff", ".aiff", ".aif", ".aifc"),
    AudioFormat.AMR: ("audio/amr", ".amr"),
    AudioFormat.CAF: ("audio/x-caf", ".caf"),
    AudioFormat.AU: ("audio/basic", ".au", ".snd"),
    AudioFormat.AC3: ("audio/ac3", ".ac3"),
    AudioFormat.WAVPACK: ("audio/x-wavpack", ".wv"),
    AudioFormat.UNKNOWN: ("application/octet-stream", ".bin"),
}
"""The media type of each format, then its suffixes."""

AUDIO_SUFFIXES = frozenset(suffix for kind in AudioFormat for suffix in kind.suffixes) - {".bin"}


def stem(name: str) -> str:
    """A name without the suffix of an audio format: the bytes choose that."""
    base, dot, suffix = name.rpartition(".")
    return base if base and (dot + suffix).lower() in AUDIO_SUFFIXES else name


def path_for(asked: Path, format: AudioFormat) -> Path:  # noqa: A002  the word for it
    """The path with the right suffix: ``hello`` → ``hello.mp3``; ``hello.wav`` → ``hello.mp3``.

    A suffix that names no audio format belongs to the name: ``v1.2`` → ``v1.2.mp3``.
    """
    if asked.suffix.lower() in format.suffixes:
        return asked
    return asked.with_name(stem(asked.name) + format.suffix)
