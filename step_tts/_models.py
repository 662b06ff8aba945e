"""The frozen values that callers build and receive.

Knows what requests and results consist of, and which requests are invalid.
Knows nothing of JSON field names (``_wire`` does), of bytes (``_audio`` does) or of I/O.
No repr here shows spoken text, prompt links or audio.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import attrs

from step_tts._attempt import Attempt
from step_tts._errors import APIError, InvalidRequestError, StepTTSError
from step_tts._formats import AUDIO_SUFFIXES, AudioFormat
from step_tts._numbers import is_positive

__all__ = [
    "Attempt",
    "AudioInfo",
    "BatchItem",
    "BatchOrder",
    "BatchResult",
    "NarratedSegment",
    "NeedMore",
    "NotAudio",
    "Playback",
    "PromptPlacement",
    "Receipt",
    "SavedSpeech",
    "Sniffed",
    "Speech",
    "SpeechRequest",
    "Suspicion",
]

DEFAULT_MODEL = "Step-Audio-TTS-3B"

PromptPlacement: TypeAlias = Literal["nested", "top_level", "both"]
"""Where ``prompt_text`` and ``prompt_audio_url`` go in the JSON body.

``nested``, inside a literal ``extra_body`` object, is what the service documents. Some servers of
the same family read them at the top level (wire.md §2.1, §3).
"""


@attrs.frozen
class NotAudio:
    """A result of ``sniff``: the bytes are not audio."""

    looks_like: str
    """What they look like, as a noun phrase: ``a JSON document``."""


@attrs.frozen
class NeedMore:
    """A result of ``sniff``: there are too few bytes to tell."""

    at_least: int
    """How many bytes, counted from the start, are needed to try again."""


Sniffed: TypeAlias = AudioFormat | NotAudio | NeedMore


@attrs.frozen(kw_only=True)
class AudioInfo:
    """What the bytes themselves say about a piece of audio."""

    format: AudioFormat
    """The format of the bytes, whatever the ``Content-Type`` says."""
    size: int
    """Size of the audio as received, in bytes."""
    duration: float | None = None
    """Duration in seconds, or ``None`` if the checks for this format do not determine it."""
    sample_rate: int | None = None
    """Sample rate in hertz, or ``None`` if nothing states it."""
    channels: int | None = None
    """1 is mono, 2 is stereo; ``None`` if nothing states it."""
    codec: str | None = None
    """The codec inside the container: ``mp3``, ``pcm_s16le``, ``pcm_f32le``, ``opus``, ..."""
    checked: Literal["frames", "chunks", "pages", "head", "nothing"] = "head"
    """How deep the check went: every frame, every chunk, every page, only the header, or nothing
    at all (``allow_unknown_audio``, raw PCM)."""
    warnings: tuple[str, ...] = ()
    """Oddities that do not affect the sound, one sentence each."""


@attrs.frozen(kw_only=True)
class Receipt:
    """How a piece of audio was obtained."""

    request_id: str | None
    """The server's id for the successful request, for its support staff; ``None`` if it gave
    none, and for a narration, whose segments have their own."""
    attempts: tuple[Attempt, ...]
    """All attempts, oldest first; the last one succeeded."""
    queued: float
    """Seconds spent waiting for a free slot of the client, over all attempts."""
    first_byte: float
    """Seconds from sending the successful attempt to its first byte of audio."""
    total: float
    """Seconds from the start of the call to its end: queueing, attempts and back-off."""
    sha256: str | None = None
    """Hex digest of the audio as returned or as saved on disk; ``None`` for streams."""


@attrs.frozen(kw_only=True)
class Speech:
    """Complete, verified audio in memory."""

    audio: bytes = attrs.field(repr=lambda audio: f"<{len(audio)} bytes>")
    """The contents of the audio file."""
    info: AudioInfo
    """What the bytes say."""
    receipt: Receipt
    """How the audio was obtained."""


Suspicion: TypeAlias = Literal["short", "long", "silent"]
"""What is wrong with audio that is valid but cannot be a reading of its text: cut off or garbled
by the model, or nothing but digital silence."""


@attrs.frozen(kw_only=True)
class NarratedSegment:
    """The part of a long text that was spoken by one request, and where it is heard."""

    text: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")
    """The segment, exactly as it appears in the text."""
    text_start: int
    """Where it starts in the whole text, in characters."""
    text_end: int
    """Where it ends in the whole text, in characters."""
    sentences: tuple[str, ...] = attrs.field(repr=lambda found: f"<{len(found)} sentences>")
    """Its sentences, without surrounding white space."""
    start: float
    """Where it starts in the whole audio, in seconds."""
    end: float
    """Where it ends in the whole audio, in seconds."""
    request_id: str | None
    """The server's id for the request."""
    attempts: int
    """How many attempts it took."""
    suspect: Suspicion | None
    """What is implausible about the audio for its text, or ``None``."""


@attrs.frozen(kw_only=True)
class SavedSpeech:
    """Complete, verified audio in a file."""

    path: Path
    """Where the file is, with the suffix that matches its bytes."""
    asked: Path
    """The path you asked for."""
    size: int
    """Size of the file in bytes; ``info.size`` counts the audio as received."""
    info: AudioInfo
    """What the bytes say."""
    receipt: Receipt
    """How the audio was obtained."""
    segments: tuple[NarratedSegment, ...] = ()
    """The map from text to audio, if this is a narration."""

    @property
    def suffix_corrected(self) -> bool:
        """Whether the path you asked for had the suffix of another audio format."""
        asked = self.asked.suffix.lower()
        return asked in AUDIO_SUFFIXES and self.path.suffix.lower() != asked


@attrs.frozen(kw_only=True)
class Playback:
    """What was heard."""

    seconds: float
    """Seconds of sound that were played."""
    underruns: int
    """How often sound arrived too late and silence was played in its place."""
    silence: float
    """Total seconds of that silence."""


def _text(_: object, __: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str):
        raise InvalidRequestError(f"The text to speak must be a str, not {type(value).__name__}.")
    if not value.strip():
        raise InvalidRequestError("The text to speak is empty or blank: there is nothing to say.")


def _speed(_: object, __: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not is_positive(value):
        raise InvalidRequestError(f"speed must be a positive, finite number, not {value!r}.")


@attrs.frozen
class SpeechRequest:
    """One text to speak and how to speak it.

    Only fields that are set are sent. Rules that concern the wire format (placement, URL schemes,
    encodable text) are checked when the request is encoded, before anything is sent.

    Raises:
        InvalidRequestError: The text is blank, or the speed is not a positive, finite number.
    """

    input: str = attrs.field(validator=_text)
    """The text to speak."""
    model: str | None = attrs.field(default=None, kw_only=True)
    """Defaults to the client's model."""
    voice: str | None = attrs.field(default=None, kw_only=True)
    """A voice, by the server's name for it; some servers require one."""
    prompt_text: str | None = attrs.field(default=None, kw_only=True)
    """The exact words of the reference recording, or ``zh`` or ``en``."""
    prompt_audio_url: str | None = attrs.field(default=None, kw_only=True)
    """An absolute http(s) URL of a WAV recording of the voice to imitate."""
    response_format: str | None = attrs.field(default=None, kw_only=True)
    """The format to ask for, such as ``mp3``. The server may send another."""
    speed: float | None = attrs.field(default=None, kw_only=True, validator=_speed)
    """Speed of speech; 1 is normal. Servers differ in the range they accept."""
    extra_body: Mapping[str, object] = attrs.field(factory=dict, kw_only=True, hash=False)
    """Extra keys for the nested ``extra_body`` object."""
    extra: Mapping[str, object] = attrs.field(factory=dict, kw_only=True, hash=False)
    """Extra keys for the top level of the JSON body."""

    def __repr__(self) -> str:
        """Name the fields that are set, and show none that could be private."""
        public = {
            "model": self.model,
            "voice": self.voice,
            "response_format": self.response_format,
            "speed": self.speed,
        }
        shown = [f"{name}={value!r}" for name, value in public.items() if value is not None]
        return f"SpeechRequest({', '.join([f'<{len(self.input)} characters>', *shown])})"


BatchOrder: TypeAlias = Literal["completion", "input"]
"""The order of a batch's results: as rows are completed, or in input order."""


@attrs.frozen
class BatchItem:
    """One row of a batch: what to speak and, optionally, the name of its file."""

    input: str | SpeechRequest = attrs.field(repr=lambda value: f"<{type(value).__name__}>")
    """The text, or a request."""
    name: str | None = None
    """File name without suffix; made safe before use. Defaults to the batch's template."""
    index: int | None = None
    """The row's number if that is not its position in the input, as in part of a larger file.
    Numbers must be ascending and may have gaps; a row without one takes the next."""


@attrs.frozen(kw_only=True)
class BatchResult:
    """The outcome of one row: exactly one of ``saved``, ``speech`` and ``error`` is set."""

    index: int
    """The row's number: that of its ``BatchItem``, or its position in the input, from 0."""
    name: str
    """The row's file name without suffix."""
    saved: SavedSpeech | None = None
    """The file, in a batch with a directory."""
    speech: Speech | None = None
    """The audio, in a batch without a directory."""
    error: StepTTSError | None = None
    """Why the row failed."""
    resumed: bool = False
    """Whether the result is from an earlier run; nothing was sent for it in this one."""
    shared: bool = False
    """Whether the audio is that of an identical row; nothing was sent for this one."""

    @property
    def ok(self) -> bool:
        """Whether the row was spoken."""
        return self.error is None

    @property
    def info(self) -> AudioInfo | None:
        """What the bytes say, if the row was spoken."""
        done = self.saved or self.speech
        return done.info if done else None

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All attempts of this row."""
        if isinstance(self.error, APIError):
            return self.error.attempts
        done = self.saved or self.speech
        return done.receipt.attempts if done else ()
