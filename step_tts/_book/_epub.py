"""An EPUB → its pages' blocks, in the order in which they are read.

An EPUB is a zip of XHTML pages and a list of them. Only a handful of tags is needed from
either, so the standard library's forgiving HTML parser reads both; it does not expand entities that
a document defines, so none can explode. What is unpacked is counted as it comes, whatever size the
zip claims.
"""

from __future__ import annotations

import codecs
import posixpath
import re
import zipfile
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

from step_tts._book._page import TagReader, page_blocks
from step_tts._errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from step_tts._book._chapters import Block

__all__ = ["read_epub"]

MOST_BYTES = 64 * 1024 * 1024
"""Of all pages, unpacked. War and Peace is 4 MB."""
MOST_PAGES = 10_000

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = {"application/xhtml+xml", "text/html", "application/xml", "text/x-oeb1-document"}
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}encoding\s*=\s*["']([\w.:-]{1,40})""")
_MARKS = {codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF16_LE: "utf-16"}


def read_epub(stream: BinaryIO) -> list[list[Block]]:
    """The blocks of each page; ``stream`` must be able to seek.

    Raises:
        InvalidRequestError: It is not an EPUB, is encrypted, or unpacks to more than any book.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            book = _Archive(archive)
            texts = [book.text(page) for page in list(_pages(book))]
    except InvalidRequestError:
        raise
    except Exception as error:  # zipfile lets through what its decoders raise
        raise InvalidRequestError(
            "This is not an EPUB, or a damaged one: it cannot be unpacked."
        ) from error
    return [page_blocks(text) for text in texts]


def _pages(book: _Archive) -> Iterator[str]:
    """The names of the pages, in order, without the table of contents."""
    package = next((root.get("full-path", "") for root in book.tags(_CONTAINER, "rootfile")), "")
    items = {item.get("id"): item for item in book.tags(package, "item")}
    folder = posixpath.dirname(package)
    ciphered = book.tags_if_any(_ENCRYPTION, "cipherreference")
    locked = {unquote(tag.get("uri", "")) for tag in ciphered}
    for number, place in enumerate(book.tags(package, "itemref")):
        item = items.get(place.get("idref"), {})
        contents = "nav" in item.get("properties", "").split()
        if contents or place.get("linear") == "no" or item.get("media-type") not in _PAGES:
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        if name in locked or number >= MOST_PAGES:
            raise InvalidRequestError(
                "This EPUB is encrypted: only the seller's own reader can open it."
                if name in locked
                else f"This EPUB has more than {MOST_PAGES} pages."
            )
        yield name


class _Archive:
    """Files of a zip, as text, up to a limit for all of them."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = MOST_BYTES

    def text(self, name: str) -> str:
        """One file."""
        try:
            with self._archive.open(name) as file:
                data = file.read(self._left + 1)
        except (KeyError, RuntimeError):
            raise InvalidRequestError(
                f"This EPUB cannot be read: its file {name[:100]!r} is missing or encrypted."
            ) from None
        self._left -= len(data)
        if self._left < 0:
            raise InvalidRequestError(
                f"This EPUB unpacks to more than {MOST_BYTES // 2**20} MiB of text: no book does."
            )
        return _decoded(data)

    def tags(self, name: str, tag: str) -> list[dict[str, str]]:
        """The attributes of each element with this name, whatever its namespace."""
        finder = _Finder(tag)
        finder.feed(self.text(name))
        return finder.found

    def tags_if_any(self, name: str, tag: str) -> list[dict[str, str]]:
        """The same for a file that may be missing."""
        return self.tags(name, tag) if name in self._archive.namelist() else []


class _Finder(TagReader):
    """Finds elements; names are lower case here."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self._tag = tag

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the attributes."""
        if tag.rpartition(":")[2] == self._tag:
            self.found.append({name: value or "" for name, value in attrs})


def _decoded(data: bytes) -> str:
    declared = _DECLARED.match(data)
    name = _MARKS.get(data[:2]) or (declared[1].decode() if declared else "utf-8-sig")
    try:
        return data.decode("utf-8-sig" if name.lower() == "utf-8" else name)
    except (UnicodeError, LookupError):
        raise InvalidRequestError(f"A page of this EPUB cannot be decoded as {name}.") from None
