"""The frozen values that callers build and receive.

Knows what a request and a result are made of, and which requests make no sense.
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
"""Where ``prompt_text`` and ``prompt_audio_url`` stand in the JSON body.

``nested`` is documented: inside a literal ``extra_body`` object. Servers of the same family
read them at the top level (wire.md §2.1, §3).
"""


@attrs.frozen
class NotAudio:
    """A sniffing answer: these bytes are not audio."""

    looks_like: str
    """What they look like, as a noun phrase: ``a JSON document``."""


@attrs.frozen
class NeedMore:
    """A sniffing answer: too few bytes to tell."""

    at_least: int
    """How many bytes, counted from the start, the next look needs."""


Sniffed: TypeAlias = AudioFormat | NotAudio | NeedMore


@attrs.frozen(kw_only=True)
class AudioInfo:
    """What the bytes themselves say about a piece of audio."""

    format: AudioFormat
    """What the bytes are, whatever the ``Content-Type`` says."""
    size: int
    """Bytes of audio as received."""
    duration: float | None = None
    """Seconds of sound, or ``None`` where this format is not walked that deep."""
    sample_rate: int | None = None
    """Samples a second, in hertz; ``None`` where nothing states it."""
    channels: int | None = None
    """1 is mono, 2 is stereo; ``None`` as above."""
    codec: str | None = None
    """The coding inside the container: ``mp3``, ``pcm_s16le``, ``pcm_f32le``, ``opus``, ..."""
    checked: Literal["frames", "chunks", "pages", "head", "nothing"] = "head"
    """How deep the check went: every frame, every chunk, every page, just the head, or nothing
    at all (``allow_unknown_audio``, raw PCM)."""
    warnings: tuple[str, ...] = ()
    """Oddities that do not harm the sound, one sentence each."""


@attrs.frozen(kw_only=True)
class Receipt:
    """How a piece of audio was obtained."""

    request_id: str | None
    """The server's id of the request that succeeded, for its support staff; ``None`` where it
    gave none, and for a narration, whose segments have their own."""
    attempts: tuple[Attempt, ...]
    """Every try, oldest first; the last one is the one that succeeded."""
    queued: float
    """Seconds spent waiting for a free slot of the client, over all attempts."""
    first_byte: float
    """Seconds from sending the successful attempt to its first byte of audio."""
    total: float
    """Seconds from the call to its end: queueing, attempts and back-off."""
    sha256: str | None = None
    """Hex digest of the audio as handed over or as it stands on disk; ``None`` for streams."""


@attrs.frozen(kw_only=True)
class Speech:
    """Whole, verified audio in memory."""

    audio: bytes = attrs.field(repr=lambda audio: f"<{len(audio)} bytes>")
    """The whole file, as it would stand on disk."""
    info: AudioInfo
    """What the bytes say."""
    receipt: Receipt
    """How they were obtained."""


Suspicion: TypeAlias = Literal["short", "long", "silent"]
"""What is wrong with audio that is whole but cannot be its text: cut off or garbled by the model,
or nothing but digital silence."""


@attrs.frozen(kw_only=True)
class NarratedSegment:
    """A stretch of a long text that was spoken by one request, and where it is heard."""

    text: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")
    """The words exactly as they stand in the text."""
    text_start: int
    """Where they begin in the whole text, in characters."""
    text_end: int
    """Where they end, in characters."""
    sentences: tuple[str, ...] = attrs.field(repr=lambda found: f"<{len(found)} sentences>")
    """The sentences in them, without the white space around."""
    start: float
    """Where they begin in the whole audio, in seconds."""
    end: float
    """Where they end, in seconds."""
    request_id: str | None
    """The server's id of the request."""
    attempts: int
    """How many attempts it took."""
    suspect: Suspicion | None
    """What is implausible about the audio for its text; ``None`` where nothing is."""


@attrs.frozen(kw_only=True)
class SavedSpeech:
    """Whole, verified audio in a file."""

    path: Path
    """Where it stands; the bytes chose the suffix."""
    asked: Path
    """The path that was asked for."""
    size: int
    """Bytes of the file; ``info.size`` counts the audio as received."""
    info: AudioInfo
    """What the bytes say."""
    receipt: Receipt
    """How they were obtained."""
    segments: tuple[NarratedSegment, ...] = ()
    """Which words stand where, if this is a narration."""

    @property
    def suffix_corrected(self) -> bool:
        """Whether the asked path named another audio format than the bytes hold."""
        asked = self.asked.suffix.lower()
        return asked in AUDIO_SUFFIXES and self.path.suffix.lower() != asked


@attrs.frozen(kw_only=True)
class Playback:
    """What was heard."""

    seconds: float
    """Seconds of sound that were played."""
    underruns: int
    """How often the sound came too late and silence was heard in its place."""
    silence: float
    """Seconds of that silence."""


def _text(_: object, __: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str):
        raise InvalidRequestError(f"The text to speak must be a str, not {type(value).__name__}.")
    if not value.strip():
        raise InvalidRequestError("The text to speak is empty or blank: there is nothing to say.")


def _speed(_: object, __: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not is_positive(value):
        raise InvalidRequestError(f"speed must be a positive, finite number: {value!r}.")


def _empty_mapping() -> Mapping[str, object]:
    return {}


@attrs.frozen
class SpeechRequest:
    """One text to speak and how to speak it.

    Only what is set is sent. The rules that concern the wire (placement, URL schemes,
    encodable text) are checked when the request is encoded, before anything is sent.

    Raises:
        InvalidRequestError: Blank text or a speed that is not a positive, finite number.
    """

    input: str = attrs.field(validator=_text)
    """The text to speak."""
    model: str | None = attrs.field(default=None, kw_only=True)
    """Defaults to the client's model."""
    voice: str | None = attrs.field(default=None, kw_only=True)
    """Whatever the server calls its voices; some servers require one."""
    prompt_text: str | None = attrs.field(default=None, kw_only=True)
    """The exact words of the reference recording, or ``zh`` or ``en``."""
    prompt_audio_url: str | None = attrs.field(default=None, kw_only=True)
    """An absolute http(s) link to a WAV recording of the voice to imitate."""
    response_format: str | None = attrs.field(default=None, kw_only=True)
    """A hint only: the bytes say what came."""
    speed: float | None = attrs.field(default=None, kw_only=True, validator=_speed)
    """1 is normal; servers differ in how far they go."""
    extra_body: Mapping[str, object] = attrs.field(factory=_empty_mapping, kw_only=True, hash=False)
    """More keys for the nested ``extra_body`` object."""
    extra: Mapping[str, object] = attrs.field(factory=_empty_mapping, kw_only=True, hash=False)
    """More keys for the top level of the JSON body."""

    def __repr__(self) -> str:
        """Name the fields that are set, and show none that could be private."""
        shown = [f"{name}={value!r}" for name, value in self._public_fields() if value is not None]
        return f"SpeechRequest({', '.join([f'<{len(self.input)} characters>', *shown])})"

    def _public_fields(self) -> tuple[tuple[str, object], ...]:
        return (
            ("model", self.model),
            ("voice", self.voice),
            ("response_format", self.response_format),
            ("speed", self.speed),
        )


BatchOrder: TypeAlias = Literal["completion", "input"]
"""When results of a batch are given: as rows are completed, or in the order of the input."""


@attrs.frozen
class BatchItem:
    """One row of a batch: what to speak and, if you like, the name of its file."""

    input: str | SpeechRequest = attrs.field(repr=lambda value: f"<{type(value).__name__}>")
    """The text, or a request."""
    name: str | None = None
    """File name without suffix; made safe before use. Defaults to the batch's template."""
    index: int | None = None
    """The row's number where that is not its place in the input, as of a part of a file.
    Numbers must ascend, and may have gaps; a row without one takes the next."""


@attrs.frozen(kw_only=True)
class BatchResult:
    """What became of one row: exactly one of ``saved``, ``speech`` and ``error`` is set."""

    index: int
    """The row's number: what its ``BatchItem`` says, else its place in the input, from 0."""
    name: str
    """The row's file name without suffix."""
    saved: SavedSpeech | None = None
    """The file, in a batch with a directory."""
    speech: Speech | None = None
    """The audio, in a batch without."""
    error: StepTTSError | None = None
    """Why there is neither."""
    resumed: bool = False
    """Whether an earlier run had brought this result; nothing was sent for it now."""
    shared: bool = False
    """Whether it was taken from another row that asks for the same; nothing was sent for it."""

    @property
    def ok(self) -> bool:
        """Whether the row was spoken."""
        return self.error is None

    @property
    def info(self) -> AudioInfo | None:
        """Facts of the audio, if the row was spoken."""
        done = self.saved or self.speech
        return done.info if done else None

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every try this row took."""
        if isinstance(self.error, APIError):
            return self.error.attempts
        done = self.saved or self.speech
        return done.receipt.attempts if done else ()
