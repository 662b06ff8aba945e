"""Text, arriving in pieces of any size → sentences, each short enough for one request.

Keeps little more than the unfinished sentence. The sentences depend on the text alone, not on how
it was cut into pieces: while the next characters could change the answer, it waits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from step_tts._text._brackets import UNRESOLVED, closing, is_face
from step_tts._text._characters import BRACKETS, BROKEN_OFF, FULL_STOPS, has_words
from step_tts._text._ends import NOT_KNOWN, Judgement, judge_break, judge_stop
from step_tts._text._pace import expected_seconds
from step_tts._text._splits import EDGE, Boundary, clauses, last_place, split
from step_tts._text._stops import Sentence

if TYPE_CHECKING:
    from step_tts._text._room import Room

__all__ = ["Piece", "SentenceFinder"]

_BREAKS = "\n\r\x0b\x0c\x85\u2028\u2029"
_CANDIDATE = re.compile(rf"[{re.escape(FULL_STOPS + BROKEN_OFF + _BREAKS + ''.join(BRACKETS))}]")


@attrs.frozen
class Piece:
    """A sentence, or the part of one that fits."""

    text: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")
    boundary: Boundary
    is_spoken: bool
    """Whether it has a letter or a digit."""


class SentenceFinder:
    """Feed it text, then take pieces until there are none; all pieces joined are the text."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._text = ""
        self._start = 0  # of the unfinished sentence
        self._scan = 0  # nothing before it ends the sentence
        self._line = 0
        self._in_quotes = False

    @property
    def pending(self) -> str:
        """The unfinished sentence, with whatever follows it."""
        return self._text[self._start :]

    def feed(self, text: str) -> None:
        """Add text, and forget what has been taken."""
        self._text = self._text[self._start :] + text
        self._scan -= self._start
        self._line -= self._start
        self._start = 0

    def take(self, *, final: bool, hurry: float | None = None) -> Piece | None:
        """The next piece, as soon as it is certain.

        Args:
            final: No more text will come.
            hurry: A sentence of more seconds of speech than this is divided at a clause.
        """
        if self._start == len(self._text):
            return None
        found = self._search(final=final)
        if hurry is not None and (place := self._hurried(found, hurry)):
            return self._cut(place, Boundary.CLAUSE)
        if found.ends and self._room.holds(self._text[self._start : found.next].strip()):
            kind = Boundary.PARAGRAPH if found.is_paragraph else Boundary.SENTENCE
            return self._cut(found.next, kind)
        if found.ends is None:
            return None
        return self._cut(*split(self._text, self._start, self._room))

    def take_early(self, weakest: Boundary) -> Piece | None:
        """What there is of the unfinished sentence, for a listener who cannot wait.

        It ends where the sentence seems to end, or at the last place no weaker than ``weakest``.
        """
        text, end = self._text, min(len(self._text), self._room.end(self._text, self._start))
        if self._seems_ended() and end == len(text):
            return self._cut(end, Boundary.SENTENCE)
        if text[self._scan : self._scan + 1] in BRACKETS:  # it may still close
            end = min(end, self._scan)
        place = last_place(text, self._start, end, self._room, weakest)
        return self._cut(*place) if place else None

    def _seems_ended(self) -> bool:
        """Whether a full stop comes last that ends the sentence if an ordinary word follows."""
        mark = self._text[self._scan : self._scan + 1]
        if not mark or mark not in FULL_STOPS or self._text[self._scan - 1 : self._scan].isdigit():
            return False
        sentence = Sentence(
            self._text + " The ", self._start, self._line, self._in_quotes, final=True
        )
        judgement = judge_stop(sentence, self._scan)
        return judgement.ends is True and judgement.next >= len(self._text)

    def _search(self, *, final: bool) -> Judgement:
        """Where the sentence ends: ``ends`` is false if it is too long, ``None`` if unknown."""
        stop = self._start + self._room.characters + 1
        sentence = Sentence(self._text, self._start, self._line, self._in_quotes, final)
        while mark := _CANDIDATE.search(self._text, self._scan, stop):
            judgement = self._judge(sentence, mark[0], mark.start())
            self._scan = judgement.next if judgement.ends is False else mark.start()
            if judgement.ends is not False:
                return judgement
        self._scan = max(self._scan, min(stop, len(self._text)))
        if len(self._text) >= stop + EDGE:
            return Judgement(ends=False)
        if not final:
            return NOT_KNOWN
        return Judgement(ends=True, next=len(self._text), is_paragraph=True)

    def _judge(self, sentence: Sentence, mark: str, at: int) -> Judgement:
        if mark in BRACKETS:
            return self._judge_bracket(sentence, mark, at)
        return judge_break(sentence, at) if mark in _BREAKS else judge_stop(sentence, at)

    def _judge_bracket(self, sentence: Sentence, mark: str, at: int) -> Judgement:
        """Step over what it encloses; an aside that is a sentence of its own may end here."""
        if is_face(self._text, at):
            return Judgement(ends=False, next=at + 1)
        closed = closing(self._text, at, self._room, final=sentence.final)
        if closed == UNRESOLVED:
            return NOT_KNOWN
        if closed < 0:
            return Judgement(ends=False, next=at + 1)
        if mark in "(（[" and self._text[closed - 2] in FULL_STOPS and not sentence.has_words(at):
            dots = len(self._text[at : closed - 2].rstrip("."))  # an ellipsis is judged as one
            judgement = judge_stop(sentence, at + dots)
            if judgement.ends is not False:
                return judgement
        return Judgement(ends=False, next=closed)

    def _hurried(self, found: Judgement, hurry: float) -> int | None:
        """Where the first segment ends if its sentence is too long to wait for."""
        upper = found.next if found.ends else min(self._scan, len(self._text))
        if expected_seconds(self._text[self._start : upper]) <= hurry:
            return None
        fitting = min(upper - 1, self._room.end(self._text, self._start))
        ends = clauses(self._text, self._start, fitting, self._room)
        places = [at for at in ends if at < upper]
        early = [at for at in places if expected_seconds(self._text[self._start : at]) <= hurry]
        return max(early, default=min(places, default=None))

    def _cut(self, end: int, boundary: Boundary) -> Piece:
        text = self._text[self._start : end]
        if boundary is Boundary.PARAGRAPH:
            self._in_quotes = False
        elif text.count('"') % 2:
            self._in_quotes = not self._in_quotes
        last = max(
            self._text.rfind("\n", self._start, end), self._text.rfind("\r", self._start, end)
        )
        self._line = last + 1 if last >= 0 else self._line
        self._start = self._scan = end
        return Piece(text, boundary, has_words(text))
