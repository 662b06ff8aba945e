"""How long a text takes to say: what is said is counted by script.

Knows nothing of segments.
"""

from __future__ import annotations

import re

__all__ = ["expected_seconds"]

_WIDE = re.compile(
    r"[\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    r"\U00020000-\U0003ffff]"
)
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_PAUSE = re.compile(r"(?<!\d)[.!?;:,。！？；：，、…—]+")

WIDE_SECONDS = 0.22
LETTER_SECONDS = 0.078
DIGIT_SECONDS = 0.32
PAUSE_SECONDS = 0.25


def expected_seconds(text: str) -> float:
    """Seconds that an unhurried voice takes for the text."""
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    letters = len(_LETTER.findall(text)) - wide
    return (
        WIDE_SECONDS * wide
        + LETTER_SECONDS * letters
        + DIGIT_SECONDS * len(_DIGIT.findall(text))
        + PAUSE_SECONDS * len(_PAUSE.findall(text))
    )
