"""Where a sentence that is too long is divided: at a clause, or a space, or any safe place.

Never inside a bracket that would fit. Knows nothing of how a sentence ends.
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING

from step_tts._text._brackets import spans
from step_tts._text._characters import CLOSERS, SPACELESS, has_words, is_wide
from step_tts._text._graphemes import is_safe_cut, last_safe_cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from step_tts._text._room import Room

__all__ = ["EDGE", "Boundary", "clauses", "last_place", "split"]

EDGE = 40
"""How many characters after a place decide whether a clause ends there."""


class Boundary(enum.IntEnum):
    """What a segment ends at, the most natural place first."""

    PARAGRAPH = 0
    """A blank line, or the end of the text."""
    SENTENCE = 1
    """The end of a sentence, a heading or a list item."""
    CLAUSE = 2
    """A comma, a semicolon, a colon or a dash."""
    SPACE = 3
    """Between two words."""
    CUT = 4
    """Between two characters; never inside what a reader sees as one."""


_CLOSED = re.escape(CLOSERS)
_CLAUSE = re.compile(
    rf"(?:[，、；：]{{1,4}}[{_CLOSED}]{{0,4}}|—{{1,4}}(?=[^\W\d])|[,;:]{{1,4}}[{_CLOSED}]{{0,4}}(?=\s)"
    rf"|[,;](?=[{SPACELESS}])|\s[-–—]{{1,2}}(?=\s))(?P<space>\s{{0,16}})"
)
# Spaces that do not break a line do not break a segment.
_SPACES = re.compile("[^\\S\u00a0\u202f\u2007\u2060]{1,16}")


def last_place(
    text: str, start: int, end: int, room: Room, weakest: Boundary
) -> tuple[int, Boundary] | None:
    """The end of the last clause up to ``end``; without one the last space, if that is allowed."""
    for boundary, find in (Boundary.CLAUSE, clauses), (Boundary.SPACE, _spaces):
        if boundary <= weakest and (places := [*find(text, start, end, room)]):
            return places[-1], boundary
    return None


def clauses(text: str, start: int, end: int, room: Room) -> Iterator[int]:
    """Where clauses end, in order: outside brackets, with their last mark before ``end``."""
    asides = spans(text, start, end, room)
    for found in _CLAUSE.finditer(text, start, min(len(text), end + EDGE)):
        place = found.end()
        if found.start("space") > end:
            return
        if _is_free(text, place, start, asides) and has_words(text, start, found.start()):
            yield place


def _spaces(text: str, start: int, end: int, room: Room) -> list[int]:
    """Where words begin, in order: outside brackets, after a word that ends by ``end``."""
    asides = spans(text, start, end + 1, room)
    found = _SPACES.finditer(text, start, min(len(text), end + EDGE))
    places = (space.end() for space in found if space.start() <= end)
    return [at for at in places if _is_free(text, at, start, asides) and has_words(text, start, at)]


def split(text: str, start: int, room: Room) -> tuple[int, Boundary]:
    """Where to divide a sentence that begins at ``start`` and does not fit."""
    end = room.end(text, start)
    return last_place(text, start, end, room, Boundary.SPACE) or (
        _cut(text, start, end, spans(text, start, end + 1, room)),
        Boundary.CUT,
    )


def _cut(text: str, start: int, end: int, asides: list[tuple[int, int]]) -> int:
    """Next to wide script rather than inside a word or number; otherwise anywhere safe."""
    free = [at for at in range(end, start, -1) if _is_free(text, at, start, asides)]
    for at in free:
        if is_wide(text[at - 1]) or is_wide(text[at : at + 1]):
            return at
    return free[0] if free else last_safe_cut(text, start, end)


def _is_free(text: str, at: int, start: int, asides: list[tuple[int, int]]) -> bool:
    inside = any(opening < at < closed for opening, closed in asides)
    return not inside and is_safe_cut(text, at, start)
