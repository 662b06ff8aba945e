"""Where a bracket that opens is closed.

An aside stays whole if it fits into one request. A bracket that is not closed in time, or not in
its paragraph, is a stray mark and holds nothing together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from step_tts._text._characters import BRACKETS, breaks_in

if TYPE_CHECKING:
    from step_tts._text._room import Room

__all__ = ["NOT_CLOSED", "UNRESOLVED", "closing", "is_face", "spans"]

NOT_CLOSED = -1
UNRESOLVED = -2

_DEEPEST = 8
"""Prose does not nest deeper; giving up keeps the search linear on adversarial text."""

_CLOSING = frozenset(BRACKETS.values())
_MARKS = re.compile(
    rf"[{re.escape(''.join([*BRACKETS, *_CLOSING]))}]|[\n\r\x0b\x0c\x85\u2028\u2029]\s{{0,64}}"
)
_OPENING = re.compile(rf"[{re.escape(''.join(BRACKETS))}]")


def closing(text: str, opening: int, room: Room, *, final: bool) -> int:
    """The index after the bracket that closes the one at ``opening``.

    Args:
        text: What is known of the text.
        opening: Index of an opening bracket.
        room: What the bracket must fit into, both ends included.
        final: No more text will come.

    Returns:
        An index, ``NOT_CLOSED``, or ``UNRESOLVED`` while more text may still close it.
    """
    limit = opening + room.characters
    expected: list[str] = []
    for mark in _MARKS.finditer(text, opening, limit):
        character = mark[0]
        if character in BRACKETS:
            expected.append(BRACKETS[character])
            if len(expected) > _DEEPEST:
                return NOT_CLOSED
        elif character == expected[-1]:
            expected.pop()
            if not expected:
                return mark.end() if room.holds(text[opening : mark.end()]) else NOT_CLOSED
        elif character not in _CLOSING and breaks_in(character) > 1:
            return NOT_CLOSED
    return NOT_CLOSED if final or len(text) >= limit else UNRESOLVED


def is_face(text: str, opening: int) -> bool:
    """Whether the bracket is the mouth of a typed face, as in ``:(``."""
    return text[opening] == "(" and text[max(0, opening - 1) : opening] in {":", ";", "="}


def spans(text: str, start: int, end: int, room: Room) -> list[tuple[int, int]]:
    """The outermost brackets that open in ``start <= index < end`` and fit, in order."""
    found = []
    while opening := _OPENING.search(text, start, end):
        close = closing(text, opening.start(), room, final=True)
        start = opening.end()
        if close > 0 and not is_face(text, opening.start()):
            found.append((opening.start(), close))
            start = close
    return found
