"""Where text may be cut without breaking what a reader sees as one character.

The rules of UAX #29, by ``unicodedata``. Where that lacks a property (conjuncts, joined emoji)
they err on the safe side: a place called safe is always a boundary, but a few boundaries are not
called safe. Knows nothing of words or sentences.
"""

from __future__ import annotations

from unicodedata import category, combining

__all__ = ["is_safe_cut", "last_safe_cut"]

_ZWJ = "\u200d"
_LOOK_BACK = 8
# What UAX #29 counts as Extend although its category is not Mn, Me or Mc.
_EXTENDERS = frozenset("\u200c\uff9e\uff9f")
_PREPENDED = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e"
    "\U000110bd\U000110cd\U000111c2\U000111c3\U0001193f\U00011941\U00011a3a"
    "\U00011a84\U00011a85\U00011a86\U00011a87\U00011a88\U00011a89\U00011d46\U00011f02"
)


def is_safe_cut(text: str, at: int, start: int = 0) -> bool:
    """Whether the text may be cut before index ``at``; ``start`` is a place known to be safe."""
    if at <= start or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if after < "\u0300" or "\u4e00" <= after <= "\u9fff":  # nearly always; these extend nothing
        return before + after != "\r\n" and before != _ZWJ and before not in _PREPENDED
    if category(before) in {"Cc", "Zl", "Zp"}:
        return True
    return not (
        _extends(after)
        or before == _ZWJ
        or before in _PREPENDED
        or _joins_hangul(before, after)
        or _joins_flag(text, at, start)
        or _joins_conjunct(text, at, start)
    )


def last_safe_cut(text: str, start: int, end: int) -> int:
    """The last safe place in ``start < place <= end``; ``end`` itself if there is none."""
    for at in range(end, start, -1):
        if is_safe_cut(text, at, start):
            return at
    return end


def _extends(character: str) -> bool:
    return (
        category(character)[0] == "M"
        or character == _ZWJ
        or character in _EXTENDERS
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags, in the flags of regions
    )


def _joins_hangul(before: str, after: str) -> bool:
    """GB6 to GB8: jamo that make one syllable block."""
    if _is_leading(before):
        return _is_leading(after) or _is_vowel(after) or _is_syllable(after)
    if _is_vowel(before) or (_is_syllable(before) and (ord(before) - 0xAC00) % 28 == 0):
        return _is_vowel(after) or _is_trailing(after)
    return (_is_trailing(before) or _is_syllable(before)) and _is_trailing(after)


def _is_leading(character: str) -> bool:
    return "\u1100" <= character <= "\u115f" or "\ua960" <= character <= "\ua97c"


def _is_vowel(character: str) -> bool:
    return "\u1160" <= character <= "\u11a7" or "\ud7b0" <= character <= "\ud7c6"


def _is_trailing(character: str) -> bool:
    return "\u11a8" <= character <= "\u11ff" or "\ud7cb" <= character <= "\ud7fb"


def _is_syllable(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"


def _joins_flag(text: str, at: int, start: int) -> bool:
    """GB12 and GB13: regional indicators go in pairs."""
    if not _is_regional(text[at]):
        return False
    run = at
    while run > start and _is_regional(text[run - 1]):
        run -= 1
    return (at - run) % 2 == 1


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _joins_conjunct(text: str, at: int, start: int) -> bool:
    """GB9c: a virama (combining class 9) binds the consonants around it."""
    if category(text[at]) != "Lo":
        return False
    for character in reversed(text[max(start, at - _LOOK_BACK) : at]):
        if combining(character) == 9:
            return True
        if not _extends(character):
            return False
    return False
