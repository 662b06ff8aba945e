"""A page of HTML or XHTML → blocks of plain text.

Forgiving: an invalid page still has words. Left out: what is not visible, code blocks, tables of
contents, notes, and the small characters above the line in ruby.
"""

from __future__ import annotations

from html.parser import HTMLParser

from step_tts._book._chapters import Block, tidy

__all__ = ["TagReader", "page_blocks"]

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SKIPPED = {
    *("audio", "head", "iframe", "math", "nav", "noscript", "object", "pre"),
    *("rp", "rt", "script", "style", "svg", "template", "title", "video"),
}
_NOTES = {"noteref", "footnote", "footnotes", "endnote", "endnotes", "rearnote", "rearnotes", "toc"}
_VOID = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"),
    *("source", "track", "wbr"),
}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details"),
    *("div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "header", "hgroup", "hr"),
    *("li", "main", "ol", "p", "section", "summary", "table", "tbody", "tfoot", "thead", "tr"),
    *("ul", *_HEADINGS),
}


def page_blocks(page: str) -> list[Block]:
    """What there is to speak, in order."""
    reader = _Page()
    reader.feed(page)
    reader.close()
    reader.end_block()
    return reader.blocks


class TagReader(HTMLParser):
    """The standard library's parser, where it gives up at ``<![`` too."""

    def parse_html_declaration(self, i: int) -> int:
        """What is not CDATA is a bogus comment (HTML §13.2.5.42)."""
        if self.rawdata.startswith("<![", i) and not self.rawdata.startswith("<![CDATA[", i):
            return self.parse_bogus_comment(i)
        return super().parse_html_declaration(i)


class _Page(TagReader):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._words: list[str] = []
        self._level = 0
        self._skipped = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a block, or what is left out."""
        if self._skipped:
            self._depth += tag == self._skipped
        elif tag not in _VOID and (tag in _SKIPPED or _is_note(attrs)):
            self._skipped, self._depth = tag, 1
        elif tag in _BLOCKS:
            self.end_block()
            self._level = _HEADINGS.get(tag, 0)
        elif tag == "br":
            self._words.append("\u2028")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """``<p/>`` is an empty paragraph."""
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """End a block, or what was left out."""
        if self._skipped:
            self._depth -= tag == self._skipped
            if not self._depth:
                self._skipped = ""
        elif tag in _BLOCKS:
            self.end_block()
        elif tag in {"td", "th"}:
            self._words.append(", ")

    def handle_data(self, data: str) -> None:
        """Take words."""
        if not self._skipped:
            self._words.append(data)

    def end_block(self) -> None:
        """Make a block of the words since the last one."""
        if text := tidy("".join(self._words)).rstrip(", "):
            self.blocks.append(Block(text, self._level))
        self._words.clear()
        self._level = 0


def _is_note(attributes: list[tuple[str, str | None]]) -> bool:
    kinds = [value or "" for name, value in attributes if name in {"epub:type", "role"}]
    return any(kind.removeprefix("doc-") in _NOTES for value in kinds for kind in value.split())
