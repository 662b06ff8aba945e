from __future__ import annotations

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from step_tts import InvalidRequestError
from step_tts._book import (
    Block,
    Chapter,
    _epub,
    chapters,
    markdown_blocks,
    page_blocks,
    read_epub,
    text_chapters,
)

PAGE = '<?xml version="1.0" encoding="utf-8"?><html><body>{}</body></html>'
CONTAINER = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'


def said(blocks: list[Block]) -> list[str]:
    return [block.text for block in blocks]


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Some *words*, **more**, ~~gone~~ and `code`.", ["Some words, more, gone and code."]),
        ("See [the page](https://host.test/x) ![a cat](cat.png).", ["See the page ."]),
        ("AT&amp;T &lt;3 &#20320;", ["AT&T <3 你"]),
        ("one\ntwo  \nthree<br>four<!-- no -->", ["one two\nthree\nfour"]),
        ("第一行\n第二行\nend", ["第一行第二行 end"]),
        ("1. One\n2. Two\n   - nested\n\n     more", ["1. One", "2. Two", "nested", "more"]),
        ("- [x] done\n- [ ] open", ["done", "open"]),
        ("```\ncode\n```\n\n    code\n\nwords", ["words"]),
        ("<!-- a\n\nb -->\n\n<div>Hi <i>there</i></div>", ["Hi there"]),
        ("| a | b |\n|---|:-:|\n| 1 |   |\n|   |   |", ["a, b", "1"]),
        ("> quoted\n\n***\n\nafter", ["quoted", "after"]),
        ("Fact.[^1]\n\n[^1]: A note on it.", ["Fact."]),
        ("---\ntitle: T\n---\nWords", ["Words"]),
        ("+++\ntitle = 1\n+++\nWords", ["Words"]),
        ("---\n\nWords\n\n---\nMore", ["Words", "More"]),
        ("", []),
    ],
)
def test_markdown_becomes_what_a_reader_would_say(written: str, spoken: list[str]) -> None:
    assert said(markdown_blocks(written)) == spoken


def test_headings_of_markdown_have_their_level() -> None:
    """Of either kind; what follows one has none."""
    blocks = markdown_blocks("# A\n\nB\n=\n\nc\n\n### D *e*")
    assert [(block.text, block.level) for block in blocks] == [
        *(("A", 1), ("B", 1), ("c", 0), ("D e", 3))
    ]


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("<p>b\n  c<br/>d<p>e", ["b c\nd", "e"]),
        ("a&nbsp;b soft&shy;hyphen &unknown;", ["a b softhyphen &unknown;"]),
        ("<p>漢<ruby>字<rp>(</rp><rt>zi</rt></ruby>\n文</p>", ["漢字文"]),
        ("<nav>a<nav>b</nav>c</nav>d", ["d"]),
        ("<style>p {}</style><script>if (a < b)</script><script/><pre>x</pre>y", ["y"]),
        ('<p>Fact<a epub:type="noteref">1</a>.</p><aside role="doc-footnote">n</aside>', ["Fact."]),
        ('<img epub:type="toc">a', ["a"]),
        ("<table><tr><th>a<th>b</tr><tr><td>1</td><td>2</td></tr></table>", ["ab", "1, 2"]),
        ("<p>a</p><![ x ]><p>b</p>", ["a", "b"]),
        ("a<![if !supportLists]>b<![endif]>c<![foo[d]]>e", ["abce"]),
        ("<![CDATA[a > b]]>c", ["c"]),
        ("<title>t</title><div/><!-- c --><p>a</p></nav></p>", ["a"]),
    ],
)
def test_a_page_becomes_what_is_seen_of_it(written: str, spoken: list[str]) -> None:
    assert said(page_blocks(written)) == spoken


def test_headings_of_a_page_have_their_level() -> None:
    assert page_blocks("<h2>A</h2>b<h6>C") == [Block("A", 2), Block("b"), Block("C", 6)]


@given(st.text(alphabet="<>/!-&;aphr12 \n\"'=[]", max_size=60))
def test_no_page_and_no_markdown_is_too_broken(text: str) -> None:
    """What comes out has words, and no space around them."""
    for block in [*page_blocks(text), *markdown_blocks(text)]:
        assert block.text
        assert block.text == block.text.strip()


@pytest.mark.parametrize(
    ("levels", "titles"),
    [
        ("0", ["b0"]),
        ("0 0", ["b0"]),
        ("1 0 2 0 2 0", ["b0", "b2", "b4"]),
        ("1 0 1 0 2 0", ["b0", "b2"]),
        ("1 2 0 2 0", ["b1", "b3"]),
        ("0 1 0", ["b0", "b1"]),
        ("1 0 2 0", ["b0"]),
        ("2 0 2", ["b0", "b2"]),
        ("1 1", ["b1"]),
    ],
)
def test_chapters_begin_where_the_highest_level_with_several_headings_does(
    levels: str, titles: list[str]
) -> None:
    """Nothing is lost."""
    blocks = [Block(f"b{number}", int(level)) for number, level in enumerate(levels.split())]
    found = chapters([blocks])
    assert [chapter.title for chapter in found] == titles
    assert "\n\n".join(chapter.text for chapter in found) == "\n\n".join(said(blocks))


def test_without_headings_each_document_is_a_chapter() -> None:
    """Named by its first words."""
    long = "word " * 20
    found = chapters([[Block(long), Block("more")], [], [Block("second\nline")]])
    assert [chapter.title for chapter in found] == [("word " * 12).strip(), "second"]
    assert chapters([]) == []


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("No heading.\nAt all.", ["No heading."]),
        ("Front\nmatter\nChapter 1\na\nCHAPTER II. X\nb", ["Front", "Chapter 1", "CHAPTER II. X"]),
        ("  第十二章　风雪\n正文。\n第１回 甲\n乙", ["第十二章 风雪", "第１回 甲"]),
        ("目录\n第一章 甲\n第二章 乙\n第一章 甲\n正文。", ["第一章 甲"]),
        ("The chapter 3 of this\nChapter one", ["The chapter 3 of this"]),
        (" \n", []),
    ],
)
def test_plain_text_is_divided_where_its_lines_say_so(text: str, titles: list[str]) -> None:
    found = text_chapters(text)
    assert [chapter.title for chapter in found] == titles
    assert "".join(chapter.text for chapter in found).strip() == text.strip()


def test_values_do_not_show_the_text() -> None:
    assert repr(Block("secret", 1)) == "Block(text=<6 characters>, level=1)"
    assert "secret" not in repr(Chapter("secret", "secret"))


def epub(
    files: dict[str, str | bytes] | None = None, *, manifest: str = "", spine: str = ""
) -> io.BytesIO:
    """A book of two pages, unless told otherwise."""
    stream = io.BytesIO()
    kind = 'media-type="application/xhtml+xml"'
    package = (
        f'<opf:package><manifest><item id="a" href="a%20b.xhtml" {kind}/>'
        f'<item id="c" href="../c.xhtml" {kind}/>{manifest}</manifest>'
        f'<spine><itemref idref="a"/><itemref idref="c"></itemref>{spine}</spine></opf:package>'
    )
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        given: dict[str, str | bytes] = {
            "META-INF/container.xml": CONTAINER,
            "OEBPS/book.opf": package,
            "OEBPS/a b.xhtml": PAGE.format("<h1>One</h1><p>First.</p>"),
            "c.xhtml": PAGE.format("<h1>Two</h1><p>第二。</p>"),
            **(files or {}),
        }
        for name, text in given.items():
            archive.writestr(name, text)
    return stream


def test_an_epub_is_read_in_the_order_of_its_spine() -> None:
    found = chapters(read_epub(epub()))
    assert found == [Chapter("One", "One\n\nFirst."), Chapter("Two", "Two\n\n第二。")]


def test_lists_in_an_epub_may_hold_what_is_no_markup() -> None:
    found = read_epub(epub({"META-INF/container.xml": f"<![ x ]>{CONTAINER}"}))
    assert len(found) == 2


def test_what_an_epub_has_beside_its_story_is_left_out() -> None:
    """Its contents, what is not in line, pictures, and what is listed nowhere."""
    kind = 'media-type="application/xhtml+xml"'
    book = epub(
        {"OEBPS/nav.xhtml": PAGE.format("contents"), "OEBPS/n.xhtml": PAGE.format("notes")},
        manifest=f'<item id="nav" properties="nav" href="nav.xhtml" {kind}/>'
        f'<item id="n" href="n.xhtml" {kind}/><item id="p" href="p.svg" media-type="image/svg"/>',
        spine='<itemref idref="nav"/><itemref idref="n" linear="no"/>'
        '<itemref idref="p"/><itemref idref="?"/>',
    )
    assert [said(page) for page in read_epub(book)] == [["One", "First."], ["Two", "第二。"]]


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030"])
def test_pages_may_have_another_encoding(encoding: str) -> None:
    """A byte order mark counts more than what the page says."""
    page = PAGE.format("<p>你好</p>").replace('"utf-8"', '"gb18030"')
    first, _ = read_epub(epub({"OEBPS/a b.xhtml": page.encode(encoding)}))
    assert said(first) == ["你好"]


ENTITY = '<!DOCTYPE html [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]>' + PAGE.format("<p>&b;</p>")


def test_entities_of_a_page_are_not_expanded() -> None:
    """A page cannot explode."""
    first, _ = read_epub(epub({"OEBPS/a b.xhtml": ENTITY}))
    assert not any("xxx" in text for text in said(first))


LOCKED = '<enc:CipherReference URI="c.xhtml"/>'


@pytest.mark.parametrize(
    ("book", "reason"),
    [
        (io.BytesIO(b"PK no zip"), "not an EPUB, or a damaged one"),
        (epub({"META-INF/container.xml": "<x/>"}), "'' is missing"),
        (epub({"META-INF/encryption.xml": LOCKED}), "encrypted"),
        (epub({"META-INF/encryption.xml": LOCKED.replace("c.", "%63.")}), "encrypted"),
        (epub({"c.xhtml": b"\xff\xfe\xff"}), "decoded as utf-16"),
        (epub({"c.xhtml": '<?xml version="1.0" encoding="nonsense"?>'}), "decoded as nonsense"),
        (epub(spine="<itemref idref='a'/>" * 9), "more than 10 pages"),
        (epub({"c.xhtml": b" " * 5000}), "more than 0 MiB of text"),
    ],
)
def test_an_epub_that_cannot_be_read_says_why(
    monkeypatch: pytest.MonkeyPatch, book: io.BytesIO, reason: str
) -> None:
    monkeypatch.setattr(_epub, "MOST_PAGES", 10)
    monkeypatch.setattr(_epub, "MOST_BYTES", 4000)
    with pytest.raises(InvalidRequestError, match=reason):
        read_epub(book)


def test_a_missing_page_and_a_damaged_one_are_told() -> None:
    """Cut, or with a byte changed."""
    data = bytearray(epub().getvalue())
    with pytest.raises(InvalidRequestError, match="damaged"):
        read_epub(io.BytesIO(data[:-30]))
    at = data.index(b"c.xhtml") + len("c.xhtml") + 3
    data[at : at + 6] = b"\xff" * 6
    with pytest.raises(InvalidRequestError, match="damaged"):
        read_epub(io.BytesIO(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_whatever_byte_is_damaged(method: int) -> None:
    """A zip's reader and its decoders raise many kinds of errors; we raise one."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("é", "")
    data = stream.getvalue()
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0xFF
        with suppress(InvalidRequestError):
            read_epub(io.BytesIO(changed))
