"""What a Content-Type claims, and whether the bytes agree.

Labels are often wrong (wire.md §8), so none is believed; a wrong one is worth a warning. Knows
media types, not bytes.

Sources: RFC 9110 §8.3.1 (syntax); RFC 2586 and 3190 §4 (audio/L16). L16 is big-endian by
definition and little-endian in practice (Watson, Gemini), so ``endianness`` must ask for it.
"""

from __future__ import annotations

from functools import lru_cache

from step_tts._formats import AudioFormat

__all__ = ["Label", "label_of"]

_LONGEST_SHOWN = 80

_CLAIMS: dict[frozenset[str], frozenset[AudioFormat]] = {
    frozenset({"mpeg", "mp3", "x-mp3", "x-mpeg", "mpeg3", "x-mpeg-3"}): frozenset(
        {AudioFormat.MP3, AudioFormat.MP2}
    ),
    frozenset({"wav", "x-wav", "wave", "vnd.wave", "x-pn-wav"}): frozenset(
        {AudioFormat.WAV, AudioFormat.W64}
    ),
    frozenset({"flac", "x-flac"}): frozenset({AudioFormat.FLAC}),
    frozenset({"ogg", "x-ogg", "vorbis", "speex"}): frozenset(
        {
            AudioFormat.OGG_OPUS,
            AudioFormat.OGG_VORBIS,
            AudioFormat.OGG_FLAC,
            AudioFormat.OGG_SPEEX,
        }
    ),
    frozenset({"opus"}): frozenset({AudioFormat.OGG_OPUS, AudioFormat.WEBM}),
    frozenset({"aac", "x-aac", "aacp"}): frozenset({AudioFormat.AAC, AudioFormat.LATM}),
    frozenset({"mp4", "x-m4a", "m4a"}): frozenset({AudioFormat.M4A}),
    frozenset({"webm", "x-matroska"}): frozenset({AudioFormat.WEBM}),
    frozenset({"aiff", "x-aiff"}): frozenset({AudioFormat.AIFF}),
    frozenset({"amr", "amr-wb"}): frozenset({AudioFormat.AMR}),
    frozenset({"basic"}): frozenset({AudioFormat.AU}),
    frozenset({"x-caf"}): frozenset({AudioFormat.CAF}),
    frozenset({"ac3", "eac3"}): frozenset({AudioFormat.AC3}),
    frozenset({"pcm", "x-pcm", "l16", "raw", "x-raw"}): frozenset({AudioFormat.PCM}),
}
_FORMATS = {subtype: formats for subtypes, formats in _CLAIMS.items() for subtype in subtypes}
_SILENT = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/audio"})
_WRAPPING = "text/event-stream"
"""These name a container or nothing in particular, so they say nothing about the audio."""
_TEXTUAL = (
    "text/",
    "application/json",
    "application/problem",
    "application/xml",
    "application/xhtml",
)


class Label:
    """One Content-Type header, or none."""

    def __init__(self, content_type: str | None) -> None:
        media_type, _, rest = (content_type or "").partition(";")
        self.media_type = media_type.strip().lower()
        pairs = (part.partition("=") for part in rest.split(";"))
        self.parameters = {
            name.strip().lower(): value.strip().strip('"').lower() for name, _, value in pairs
        }

    def __str__(self) -> str:
        return self._shown or "no Content-Type"

    @property
    def _shown(self) -> str:
        shown = self.media_type[:_LONGEST_SHOWN]
        return shown if shown.isascii() and shown.isprintable() else ""

    @property
    def aside(self) -> str:
        """The type in brackets, to end a sentence with; empty if there is none to show."""
        return f" (labelled {self._shown})" if self._shown else ""

    @property
    def textual(self) -> bool:
        """It promises text."""
        return self.media_type.startswith(_TEXTUAL)

    @property
    def may_be_audio(self) -> bool:
        """It promises audio, or nothing in particular."""
        return self.media_type.startswith("audio/") or self.media_type in _SILENT

    def number(self, name: str, *, limit: int) -> int | None:
        """A parameter that is a whole number from 1 to ``limit``."""
        text = self.parameters.get(name, "")
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(limit))):
            return None
        return int(text) if 1 <= int(text) <= limit else None

    def contradicts(self, audio_format: AudioFormat) -> bool:
        """Whether it names something other than the bytes are."""
        if self.media_type in _SILENT or self.media_type == _WRAPPING:
            return False
        kind, _, subtype = self.media_type.partition("/")
        claimed = _FORMATS.get(subtype)
        if claimed is not None:
            return audio_format not in {*claimed, AudioFormat.UNKNOWN}
        return kind != "audio"


@lru_cache(maxsize=64)
def label_of(content_type: str | None) -> Label:
    """The same label object for all responses with the same header."""
    return Label(content_type)
