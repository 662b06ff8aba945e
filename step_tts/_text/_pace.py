"""How long a text takes to say, and whether a recording of it can be complete.

Counts what is said, by script. Knows nothing of segments, and of audio only its seconds.
"""

from __future__ import annotations

import re
from typing import Literal

from step_tts._text._characters import WIDE
from step_tts._text._tags import leading_tags

__all__ = ["expected_seconds", "implausible"]

# Seconds, between the sandbox's voice (3.2 characters a second in Chinese, 14 letters in
# English) and people who read aloud (3.5 to 6, and 12 to 18 with spaces).
SYLLABLE = 0.25
LETTER = 0.075
SPELLED = 0.15
"""For a letter of an abbreviation in capitals, beside what any letter takes."""
DIGIT = 0.35
SYMBOL = 0.35
PAUSE = 0.25
BREATH = 0.3
"""Once for each text: voices begin and end with some silence."""

SHORTEST, SPARED = 0.45, 1.0
"""Too short is less than this share of the expected time, from which a second is taken off."""
LONGEST, GRANTED = 3.0, 6.0
"""Too long is more than this multiple of the expected time plus these seconds."""

_WIDE = re.compile(f"[{WIDE}]")
_LETTER = re.compile(r"[^\W\d_]")
_CAPITALS = re.compile(r"[A-Z]{2,}")
_DIGIT = re.compile(r"\d")
_SYMBOL = re.compile(r"[%$€£¥&+=@#/\\°~℃‰]")
_PAUSE = re.compile(r"(?<!\d)[.!?;:,。！？；：，、…—]+")


def expected_seconds(text: str) -> float:
    """Seconds that an unhurried voice takes for the text; 0 without a letter or digit.

    It never decreases as a text grows.
    """
    letters = "".join(_LETTER.findall(text))
    wide = 0 if letters.isascii() else len(_WIDE.findall(letters))
    digits = len(_DIGIT.findall(text))
    if not (letters or digits):
        return 0.0
    return (
        BREATH
        + SYLLABLE * wide
        + LETTER * (len(letters) - wide)
        + SPELLED * sum(map(len, _CAPITALS.findall(text)))
        + DIGIT * digits
        + SYMBOL * len(_SYMBOL.findall(text))
        + PAUSE * len(_PAUSE.findall(text))
    )


def implausible(text: str, seconds: float, speed: float = 1.0) -> Literal["short", "long"] | None:
    """Whether a recording is too short or too long to be all of this text and nothing else.

    The bounds are generous: a recording outside them is almost certainly broken, one within them
    may be, too. Texts of a second or two are never too short.

    Args:
        text: What was sent; leading tags are not spoken and do not count.
        seconds: How long the recording is.
        speed: The pace that was asked for; 2 is twice as fast.
    """
    spoken = expected_seconds(text[leading_tags(text, final=True) or 0 :]) / speed
    if not spoken:
        return None
    if seconds < SHORTEST * (spoken - SPARED):
        return "short"
    return "long" if seconds > LONGEST * spoken + GRANTED else None
