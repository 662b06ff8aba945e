"""Headings and paragraphs → chapters, each with a title: what is spoken into one file.

Knows blocks of plain text. Must not know which format they come from.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import takewhile
from typing import TYPE_CHECKING

import attrs

from step_tts._text._characters import SPACELESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Block", "Chapter", "chapters", "first_words", "tidy"]

TITLE_CHARACTERS = 60

_WIDE = SPACELESS + "\u3000-\u303f\uff00-\uffef"  # With its punctuation.
_SPACE = re.compile(r"[^\S\u2028]+")
_WRAPPED = re.compile(rf"(?<=[{_WIDE}])\n(?=[{_WIDE}])")
_LINE_END = re.compile(" *\u2028 *")


@attrs.frozen
class Block:
    """A paragraph, an item of a list, a row of a table, or a heading."""

    text: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")
    level: int = 0
    """1 to 6 for a heading; 0 for anything else."""


@attrs.frozen
class Chapter:
    """A part of a book with a title."""

    title: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")
    text: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")
    """All that is spoken, including the heading."""


def chapters(documents: Iterable[Sequence[Block]]) -> list[Chapter]:
    """Divide a book at its headings, or, if it has none, into its documents.

    Chapters begin at the highest level that has more than one heading, so not at the book's title.
    What precedes the first heading is also a chapter, and a heading with nothing under it belongs
    to the next one.
    """
    books = [list(document) for document in documents if document]
    blocks = [block for document in books for block in document]
    boundary = _boundary([block.level for block in blocks if block.level])
    groups = _divided(blocks, boundary) if boundary else books
    return [_chapter(group) for group in groups]


def _boundary(levels: Sequence[int]) -> int:
    counts = Counter(levels)
    several = [level for level, count in counts.items() if count > 1]
    return min(several or counts, default=0)


def _divided(blocks: Iterable[Block], boundary: int) -> list[list[Block]]:
    groups: list[list[Block]] = [[]]
    for block in blocks:
        begins = 0 < block.level <= boundary
        if begins and any(not above.level for above in groups[-1]):
            groups.append([])
        groups[-1].append(block)
    return groups


def _chapter(blocks: Sequence[Block]) -> Chapter:
    """A chapter, titled by the last of its opening headings, or by its first words."""
    headings = list(takewhile(lambda block: block.level, blocks))
    title = (headings or blocks)[len(headings[1:])].text
    return Chapter(first_words(title), "\n\n".join(block.text for block in blocks))


def first_words(text: str) -> str:
    """The first line as a title, at most sixty characters."""
    return " ".join(text.strip().partition("\n")[0][:TITLE_CHARACTERS].split())


def tidy(text: str) -> str:
    """Join wrapped lines into one; U+2028 marks a line that was meant to end.

    Between Chinese characters, lines are joined without a space. Soft hyphens are removed: they are
    for the eye.
    """
    single = _SPACE.sub(_one_space, text.replace("\xad", ""))
    return _LINE_END.sub("\n", _WRAPPED.sub("", single).replace("\n", " ")).strip()


def _one_space(space: re.Match[str]) -> str:
    return "\n" if "\n" in space[0] else " "
