"""Which characters are words, full stops, quotes, brackets and wide script.

Only tables and the patterns made of them; what they mean for a sentence is decided elsewhere.
"""

from __future__ import annotations

import re

__all__ = [
    "BRACKETS",
    "BROKEN_OFF",
    "CLOSERS",
    "CLOSING_QUOTES",
    "EMOJI",
    "FULL_STOPS",
    "OPENERS",
    "OPENING_QUOTES",
    "SPACELESS",
    "WIDE",
    "breaks_in",
    "has_words",
    "is_wide",
]

BROKEN_OFF = "—"
"""Before a closing quote: the speaker is interrupted."""

FULL_STOPS = ".…‥。！？!?｡．‼⁇⁈⁉؟۔।॥"
"""Marks that may end a sentence, in every script met so far."""

BRACKETS = {
    "(": ")",
    "（": "）",
    "[": "]",
    "［": "］",
    "{": "}",
    "｛": "｝",
    "【": "】",
    "〔": "〕",
    "《": "》",
    "〈": "〉",
    "⟨": "⟩",
}
"""What encloses an aside or a title: no cut inside while it fits. Quotes are not brackets."""

OPENING_QUOTES = '“‘«‹「『｢„"'
CLOSING_QUOTES = "”’»›」』｣\"'"
OPENERS = OPENING_QUOTES + "'" + "".join(BRACKETS)
CLOSERS = CLOSING_QUOTES + "".join(BRACKETS.values())

EMOJI = "\u200d\ufe0f\u20e3\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\U000e0020-\U000e007f"
"""For a character class: symbols drawn as pictures, and what joins them."""

SPACELESS = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
)
"""For a character class: Chinese and Japanese script, which is written without spaces."""
WIDE = SPACELESS + "\uac00-\ud7a3"
"""For a character class: the same, and Hangul."""

_WORD = re.compile(r"[^\W_]")
_WIDE = re.compile(f"[{WIDE}]")
_BREAK = re.compile("\r\n|[\n\r\x0b\x85\u2028]")
_PARAGRAPH = re.compile("[\x0c\u2029]")


def has_words(text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether there is a letter or a digit: something that can be said."""
    return bool(_WORD.search(text, start, len(text) if end is None else end))


def is_wide(character: str) -> bool:
    """Whether it belongs to a script written without spaces, or to Hangul."""
    return bool(_WIDE.match(character))


def breaks_in(space: str) -> int:
    """How many lines a run of white space ends; two or more end the paragraph."""
    if not space.strip(" \t"):
        return 0
    if space == "\n":
        return 1
    return len(_BREAK.findall(space)) + 2 * len(_PARAGRAPH.findall(space))
