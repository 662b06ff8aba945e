"""What a judgement is based on: the sentence so far, the mark, and what comes after it.

Only facts; what they mean is decided in ``_ends`` and ``_quotes``.
"""

from __future__ import annotations

import re

import attrs

from step_tts._text._characters import (
    BROKEN_OFF,
    CLOSERS,
    CLOSING_QUOTES,
    EMOJI,
    FULL_STOPS,
    breaks_in,
    has_words,
    is_wide,
)

__all__ = ["Sentence", "Stop", "find_stop"]

_QUOTES = frozenset(CLOSING_QUOTES)
_FULL, _CLOSED = re.escape(FULL_STOPS), re.escape(CLOSERS)
# Full stops, also spaced ones; closing marks among and after them; note numbers; emoji.
_STOP = re.compile(
    rf"(?P<marks>(?:[{_FULL}]{{1,32}}|{BROKEN_OFF}{{1,3}})(?:\ \.(?!\w)){{0,4}}"
    rf"(?:[{_CLOSED}]{{1,8}}[{_FULL}]{{1,8}}){{0,2}})"
    rf"(?P<closers>[{_CLOSED}]{{0,8}})"
    rf"(?P<extras>(?:\[\d{{1,3}}\]){{0,4}}(?:\ ?[{EMOJI}]{{1,16}}){{0,2}})"
    r"(?P<space>\s{0,64})"
    r"(?:\[\d{0,3}\Z)?"  # A note number that has only partly arrived.
)


@attrs.frozen
class Sentence:
    """The unfinished sentence, and what is known of the text."""

    text: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")
    start: int
    line: int
    """Where the current line begins; may lie before the text."""
    in_quotes: bool
    """Whether the paragraph has an odd number of straight quotes before this sentence."""
    final: bool
    """Whether no more text will come."""

    def knows(self, end: int) -> bool:
        """Whether it is known what follows a run that ends here."""
        return self.final or end < len(self.text)

    def has_words(self, before: int) -> bool:
        """Whether there is anything to say before this place."""
        return has_words(self.text, self.start, before)


@attrs.frozen
class Stop:
    """A run of full stops and what is around it."""

    sentence: Sentence
    at: int
    marks: str
    closers: str
    resume: int
    """Where to continue the search if the sentence does not end here."""
    space: str
    end: int
    """Where the next sentence begins if it does."""
    lines: int
    """Line breaks after it."""
    next: str
    """The first character of what follows; ``""`` at the end of the text."""
    quote: bool
    """Whether a quotation ends here."""

    @property
    def before(self) -> str:
        """The sentence so far."""
        return self.sentence.text[self.sentence.start : self.at]

    @property
    def after_wide(self) -> bool:
        """Whether it is in script that is written without spaces."""
        return is_wide(self.sentence.text[self.at - 1 : self.at])


def find_stop(sentence: Sentence, at: int) -> Stop | None:
    """The run of full stops at ``at``; ``None`` while its end is not known."""
    found = _STOP.match(sentence.text, at)
    if not found or not sentence.knows(found.end()):
        return None
    marks, closers, extras, space = found.groups()
    text, resume, end = sentence.text, found.end("closers"), found.end("space")
    if closers[-1:] == '"' and not extras and _opens(sentence, resume - 1, end):
        closers, space, end = closers[:-1], "", resume - 1
    quote = not _QUOTES.isdisjoint(closers)
    lines, following = breaks_in(space), text[end : end + 1]
    return Stop(sentence, at, marks, closers, resume, space, end, lines, following, quote)


def _opens(sentence: Sentence, quote: int, end: int) -> bool:
    """Whether a straight quote opens what follows: asked where no space decides."""
    text = sentence.text
    if end > quote + 1 or not is_wide(text[end : end + 1]):
        return False
    return (text.count('"', sentence.start, quote) % 2 == 1) == sentence.in_quotes
