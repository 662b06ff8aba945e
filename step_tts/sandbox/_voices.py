"""Voices: text in, sound samples out.

Knows what a voice is, a built-in one that needs nothing, and how the best one installed is
chosen. Voices are plain generators advanced in a worker thread, one piece per request of the
listener: no thread and no lock is ever held while a client takes its time.
"""

from __future__ import annotations

import logging
import math
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from step_tts._errors import ConfigurationError
from step_tts.sandbox._espeak import EspeakVoice

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SAMPLE_RATE", "ToneVoice", "Voice", "VoiceChoice", "choose_voice"]

SAMPLE_RATE = 22050
"""Hertz; what Step-Audio-TTS-3B itself gives."""

logger = logging.getLogger("step_tts.sandbox")


@runtime_checkable
class Voice(Protocol):
    """Anything that can speak."""

    @property
    def sample_rate(self) -> int:
        """Hertz."""

    def speak(self, text: str) -> Iterator[bytes]:
        """Yield the sound in pieces: signed 16-bit little-endian mono samples.

        The iterator is advanced in worker threads, never in two at once, and dropped when the
        client leaves. Several may exist at the same time.
        """


VoiceChoice: TypeAlias = Literal["auto", "espeak", "tone"] | Voice


class ToneVoice:
    """A short beep per character, with a pitch that depends on it: not speech, but never silence.

    The same text always gives the same samples, and different texts give different ones.
    """

    sample_rate = SAMPLE_RATE

    def speak(self, text: str) -> Iterator[bytes]:
        """Beep once per character."""
        for start in range(0, len(text), 16):
            yield b"".join(map(_beep, text[start : start + 16]))


_BEEP_SECONDS = 0.06
_WIDE_SECONDS = 0.18
_PAUSE_SECONDS = 0.04
_FADE_SAMPLES = 110


def _beep(character: str) -> bytes:
    if character.isspace():
        return bytes(2 * int(SAMPLE_RATE * _PAUSE_SECONDS))
    code = ord(character)
    # A Chinese character is a syllable; a Latin letter is about a third of one.
    seconds = _BEEP_SECONDS if code < 0x2E80 else _WIDE_SECONDS
    return _tone(150 + code * 7 % 1009, int(SAMPLE_RATE * seconds))


@lru_cache(maxsize=512)
def _tone(hertz: int, count: int) -> bytes:
    step = 2 * math.pi * hertz / SAMPLE_RATE
    samples = (int(_loudness(i, count) * math.sin(i * step)) for i in range(count))
    return struct.pack(f"<{count}h", *samples)


def _loudness(index: int, count: int) -> float:
    """Fade in and out, so that no beep starts or ends with a click."""
    return 9000 * min(1.0, index / _FADE_SAMPLES, (count - index) / _FADE_SAMPLES)


def choose_voice(choice: VoiceChoice) -> Voice:
    """Build the voice asked for; ``auto`` takes espeak-ng where it is installed and works.

    Takes some 20 ms for espeak-ng, which loads its library and data.

    Raises:
        ConfigurationError: No such voice, or espeak-ng cannot start.
        MissingExtraError: espeak-ng was asked for and is not installed.
    """
    if isinstance(choice, Voice):
        return choice
    if choice == "auto":
        return _best_voice()
    if choice == "espeak":
        return EspeakVoice()
    if choice == "tone":
        return ToneVoice()
    raise ConfigurationError(f"There is no voice {choice!r}. Available: auto, espeak, tone.")


def _best_voice() -> Voice:
    try:
        return EspeakVoice()
    except ConfigurationError as error:
        logger.warning("The sandbox beeps instead of speaking: %s", error)
        return ToneVoice()
