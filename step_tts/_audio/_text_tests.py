"""Text where sound was promised: JSON, HTML, event streams, links, plain words.

Knows how text looks in the encodings servers use: UTF-8, GBK, UTF-16 and UTF-32 with a mark. A
single byte proves nothing: about 1.2 % of headerless PCM starts with ``<``, ``{`` or ``[``
(wire.md §8), so a verdict takes a plausible opening and ``STRUCTURE_WINDOW`` bytes of text.
Knows nothing of what a document says; ``_wire`` reads errors.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import TYPE_CHECKING

from step_tts._audio._peek import TooShortError
from step_tts._models import NotAudio

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["STRUCTURE_WINDOW", "by_plain_text", "by_structure"]

STRUCTURE_WINDOW = 64
"""Bytes that must be text before an opening such as ``{"`` is believed."""

_MOST_BLANKS = 2048
_BLANKS = b" \t\r\n"

_FORMS: tuple[tuple[re.Pattern[str], NotAudio], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), NotAudio(looks_like))
    for pattern, looks_like in (
        (r'\{\s*["}]|\[\s*[\[{"\]]', "a JSON document"),
        (r"<!doctype html|<(html|head|body|title|center|h1|script|div|p)\b|<!--", "an HTML page"),
        (r"<\?xml|<!doctype|<[a-z][\w:.-]*[\s/>]", "an XML document"),
        (r"data:[\w.+-]+/[\w.+-]+[;,]", "a data: URL"),
        (r"(data|event|id|retry):|:.*\n", "an event stream"),
        (r"https?://\S", "a link"),
        (r"#EXTM3U", "a playlist"),
        (r"(UklGR|SUQz|//[M-Ps-v]|T2dnU|ZkxhQ)[a-z0-9+/]{20}", "audio encoded as base64 text"),
    )
)


def by_structure(
    head: bytes, *, beside_samples: bool = False, complete: bool = False
) -> NotAudio | None:
    """Recognise text by its opening, after a byte-order mark and white space.

    ``beside_samples`` says that the bytes may be raw samples: then text must not vary like them.

    Raises:
        TooShortError: It is text so far, but too little to tell.
    """
    start = len(head) - len(head.removeprefix(codecs.BOM_UTF8).lstrip(_BLANKS))
    if start >= _MOST_BLANKS or (beside_samples and _moves_slowly(head[start:])):
        return None
    text = _text(head, start, STRUCTURE_WINDOW, wide=not beside_samples, complete=complete)
    opening = (text or "").lstrip("\ufeff \t\r\n")
    return next((form for pattern, form in _FORMS if pattern.match(opening)), None)


def by_plain_text(
    head: bytes, window: int, *, beside_samples: bool = False, complete: bool = False
) -> NotAudio | None:
    """Recognise ``window`` bytes of text of any kind; for ``beside_samples`` see above.

    Raises:
        TooShortError: It is text so far, but too little to tell.
    """
    text = _text(head, 0, window, wide=not beside_samples, complete=complete)
    if not text or _is_filler(text) or (beside_samples and _moves_slowly(head)):
        return None
    return NotAudio("plain text")


def _is_filler(text: str) -> bool:
    """Encoders pad silent frames with ``UUUU``."""
    return len(text) > 8 and len(set(text)) < 3


def _moves_slowly(data: bytes) -> bool:
    """Whether every other byte hardly changes: the high bytes of samples, or the low ones.

    In text both halves change. Without this, one slow hum in twenty would pass for plain text.
    """
    halves = data[:STRUCTURE_WINDOW:2], data[1:STRUCTURE_WINDOW:2]
    return any(len(half) > 4 and 5 * len(set(half)) <= len(half) for half in halves)


def _text(head: bytes, start: int, window: int, *, wide: bool, complete: bool) -> str | None:
    data = head[start : start + window]
    text = next(filter(_is_text, _decodings(data, wide=wide)), None)
    if text is not None and len(data) < window and not complete:
        raise TooShortError(start + window)
    return text


def _is_text(text: str | None) -> bool:
    return text is not None and all(map(_may_stand_in_text, text))


def _may_stand_in_text(char: str) -> bool:
    """Control, surrogate, private and unassigned code points do not; white space does."""
    return unicodedata.category(char) not in {"Cc", "Cs", "Co", "Cn"} or char in "\t\n\v\f\r\x1b"


def _decodings(data: bytes, *, wide: bool) -> Iterator[str | None]:
    if wide and (encoding := _wide_encoding(data)):
        yield _decode(data, encoding)
    yield _decode(data, "utf-8")
    if _CHINESE.fullmatch(data):
        yield _decode(data, "gbk")


_CHINESE = re.compile(rb"([\t\n\r -~]|[\xa1-\xa3\xb0-\xf7][\xa1-\xfe])*[\xa1-\xf7]?")
"""GB 2312: ASCII, punctuation and hanzi. All of GBK would include half of all binary data."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # Before UTF-16: it begins with the same two bytes.
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _wide_encoding(data: bytes) -> str | None:
    """Only a mark tells: without one, quiet PCM reads as UTF-16, sample by sample."""
    return next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), None)


def _decode(data: bytes, encoding: str) -> str | None:
    """Decode; a character cut by the end of ``data`` is not an error."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return None
