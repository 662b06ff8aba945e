"""Sentences and their times → cues → ``.srt`` or ``.vtt``.

A cue is a sentence, or a part of one that fits on two lines. The time of a segment is divided by
how long each part takes to say. Knows nothing of where the times come from.
"""

from __future__ import annotations

import math
import re
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias
from unicodedata import east_asian_width

import attrs

from step_tts._text._characters import CLOSERS, FULL_STOPS, OPENERS, SPACELESS
from step_tts._text._graphemes import last_safe_cut
from step_tts._text._pace import expected_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Cue", "SubtitleFormat", "Subtitles", "cues"]

SubtitleFormat: TypeAlias = Literal["srt", "vtt"]

COLUMNS = 42
"""Of a line, in scripts with spaces: the usual limit of broadcasters."""
WIDE_COLUMNS = 36
"""In scripts without: 18 characters, each two columns wide."""
LINES = 2

_VARIANTS = "\u0300-\u036f\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef"
_OPENERS = re.escape(OPENERS.replace('"', "").replace("'", ""))
_AFTER = re.escape(FULL_STOPS + CLOSERS + "，、；：,;:~～·％%—")
# What stays together on a line: a word or one wide character, with the marks around it.
_TOKEN = re.compile(
    rf"[{_OPENERS}]*(?:[{SPACELESS}][{_VARIANTS}]*|[^\s{SPACELESS}{_OPENERS}]+)?[{_AFTER}]*\ ?"
)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CLAUSE_END = re.compile(rf"[{re.escape(FULL_STOPS)}，、；：,;:—][{re.escape(CLOSERS)}]* ?$")


@attrs.frozen
class Cue:
    """Text on the screen for a while."""

    start: float
    """Seconds from the beginning of the audio."""
    end: float
    """Seconds; never after the start of the next cue."""
    lines: tuple[str, ...] = attrs.field(repr=lambda lines: f"<{len(lines)} lines>")
    """One or two lines."""


def cues(sentences: Iterable[str], start: float, end: float) -> list[Cue]:
    """The cues of sentences that are heard from ``start`` to ``end``, in seconds."""
    shown = [lines for sentence in sentences for lines in _screens(sentence)]
    weights = [max(expected_seconds(" ".join(lines)), 0.1) for lines in shown]
    whole = sum(weights) or 1.0
    times = [start + (end - start) * part / whole for part in accumulate(weights, initial=0.0)]
    return [Cue(*span, lines) for span, lines in zip(pairwise(times), shown, strict=True)]


class Subtitles:
    """Writes one cue after another, as text to append to a file."""

    def __init__(self, kind: SubtitleFormat) -> None:
        self._kind = kind
        self._count = 0
        self._ended = 0

    @property
    def header(self) -> str:
        """What the file begins with."""
        return "WEBVTT\n\n" if self._kind == "vtt" else ""

    def add(self, cue: Cue) -> str:
        """The text of the next cue; it begins no earlier than the last one ended."""
        start = max(self._ended, round(1000 * cue.start))
        self._ended = max(start + 1, round(1000 * cue.end))
        self._count += 1
        times = f"{self._time(start)} --> {self._time(self._ended)}"
        text = "\n".join(map(self._escaped, cue.lines))
        return f"{self._count}\n{times}\n{text}\n\n"

    def _time(self, milliseconds: int) -> str:
        seconds, rest = divmod(milliseconds, 1000)
        minutes, seconds = divmod(seconds, 60)
        point = "." if self._kind == "vtt" else ","
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{point}{rest:03}"

    def _escaped(self, line: str) -> str:
        if self._kind == "vtt":
            return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        # SubRip knows no escapes: an invisible joiner keeps arrows and tags from being read.
        return re.sub(r"(--|<|\{)(?=[>/\\a-zA-Z])", "\\1\u2060", line)


def _screens(sentence: str) -> list[tuple[str, ...]]:
    """The sentence as parts of one or two lines each, of about the same length."""
    text = " ".join(_CONTROLS.sub(" ", sentence).split())
    wide = len(re.findall(f"[{SPACELESS}]", text))
    columns = WIDE_COLUMNS if 2 * wide > len(text) else COLUMNS
    tokens = list(_tokens(text, columns))
    screens = []
    while len(_filled(tokens, columns)) > LINES:
        cut = _part(tokens, columns)
        screens.append(_balanced(tokens[:cut], columns))
        tokens = tokens[cut:]
    return [*screens, _balanced(tokens, columns)]


def _tokens(text: str, columns: int) -> Iterator[str]:
    """What must not be broken, unless it is longer than a line."""
    for found in _TOKEN.finditer(text):
        token = found[0]
        while _width(token) > columns:
            cut = last_safe_cut(token, 0, columns // 2)
            yield token[:cut]
            token = token[cut:]
        if token:
            yield token


def _width(text: str) -> int:
    """Columns; the space at the end does not count."""
    return sum(1 + (east_asian_width(mark) in "WF") for mark in text.rstrip(" "))


def _filled(tokens: Sequence[str], columns: int) -> list[str]:
    """Lines, each as full as it can be."""
    lines = [""]
    for token in tokens:
        if lines[-1] and _width(lines[-1] + token) > columns:
            lines.append("")
        lines[-1] += token
    return lines


def _part(tokens: Sequence[str], columns: int) -> int:
    """How many tokens the next cue takes: an equal share, and to the end of a clause if near."""
    count = math.ceil(len(_filled(tokens, columns)) / LINES)
    share = _width("".join(tokens)) / count
    best, least, width = 1, math.inf, 0
    for cut in range(1, len(tokens)):
        width += _width(tokens[cut - 1]) + tokens[cut - 1].endswith(" ")
        if cut > 1 and len(_filled(tokens[:cut], columns)) > LINES:
            break
        distance = abs(width - share) - (0.4 * share if _CLAUSE_END.search(tokens[cut - 1]) else 0)
        if distance < least:
            best, least = cut, distance
    return best


def _balanced(tokens: Sequence[str], columns: int) -> tuple[str, ...]:
    """One line, or two of about the same width."""
    if len(_filled(tokens, columns)) == 1:
        return ("".join(tokens).strip(),)
    pairs = (
        ("".join(tokens[:cut]).strip(), "".join(tokens[cut:]).strip())
        for cut in range(1, len(tokens))
    )
    return min(pairs, key=lambda pair: max(map(_width, pair)))
