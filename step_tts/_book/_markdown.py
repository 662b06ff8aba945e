"""Markdown → blocks of plain text.

CommonMark with tables, read by markdown-it-py, which rich depends on. Left out: code blocks,
images, the targets of links, HTML comments, footnotes, front matter. Marks of emphasis are
removed, but not what they mark.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from step_tts._book._chapters import Block, tidy
from step_tts._book._page import page_blocks

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["markdown_blocks"]

_FRONT_MATTER = re.compile(
    r"\s*(---|\+\+\+)[ \t]*\n(?=[\w-]+[ \t]*[:=]).*?\n\1[ \t]*(?:\n|$)", re.DOTALL
)
_NOTE = re.compile(r"\[\^[^\]\s]+\]")
_NOTE_TEXT = re.compile(r"\[\^[^\]\s]+\]:")
_TICK_BOX = re.compile(r"\[[ xX]\] ")
_SPOKEN = {"softbreak": "\n", "hardbreak": "\u2028"}


def markdown_blocks(text: str) -> list[Block]:
    """What there is to speak, in order."""
    from markdown_it import MarkdownIt  # noqa: PLC0415  comes with the extra ``cli``

    front = _FRONT_MATTER.match(text)
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    reader = _Reader()
    for token in parser.parse(text[front.end() :] if front else text):
        reader.read(token)
    return reader.blocks


class _Reader:
    """Takes one token after another."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._level = 0
        self._number = ""
        self._cells: list[str] | None = None

    def read(self, token: Token) -> None:
        match token.type:
            case "heading_open":
                self._level = int(token.tag[1:])
            case "list_item_open":
                self._number = f"{token.info}. " if token.info else ""
            case "tr_open":
                self._cells = []
            case "tr_close":
                cells, self._cells = filter(None, self._cells or ()), None
                self._add(", ".join(cells))
            case "html_block":
                self.blocks += page_blocks(token.content)
            case "inline":
                self._add(_line(token))

    def _add(self, line: str) -> None:
        if self._cells is not None:
            self._cells.append(line)
        elif line:
            self.blocks.append(Block(self._number + line, self._level))
            self._number = ""
        self._level = 0


def _line(inline: Token) -> str:
    """The words of a paragraph; none if it is a footnote."""
    children = inline.children or []
    words = "".join(_SPOKEN.get(each.type) or _content(each) for each in children)
    return "" if _NOTE_TEXT.match(words) else tidy(_NOTE.sub("", _TICK_BOX.sub("", words, 1)))


def _content(token: Token) -> str:
    if token.type == "html_inline":
        return "\u2028" if token.content[:3].lower() == "<br" else ""
    return token.content if token.type in {"text", "code_inline"} else ""
