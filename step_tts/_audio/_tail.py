"""The JSON error document that some gateways append to audio cut short.

They had already sent a 200 when the upstream failed, so the error follows the sound and the body
ends cleanly (wire.md §2.3). The guard holds back whatever may be such a document, so that it is
never played. Knows nothing of audio.
"""

from __future__ import annotations

import codecs
import re

__all__ = ["TAIL_LIMIT", "TailGuard"]

TAIL_LIMIT = 4096
"""Bytes. Longer documents are cut here; none near it has been seen."""

_HEAD_LIMIT = 128

# A key and the start of a value: one chance in 2**40 for each random byte, and text must follow up
# to the end.
_HEAD = re.compile(
    rb'\{[ \t\r\n]{0,40}"[A-Za-z_][\w .-]{0,40}"[ \t\r\n]{0,8}:[ \t\r\n]{0,8}["\[{\dtfn-]'
)
_UNFINISHED_HEAD = re.compile(
    rb"\{[ \t\r\n]{0,40}"
    rb'(?:\Z|"(?:\Z|[A-Za-z_][\w .-]{0,40}(?:\Z|"[ \t\r\n]{0,8}(?:\Z|:[ \t\r\n]{0,8}\Z))))'
)
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_STRIDE = 61  # odd, to see both halves of two-byte samples
_TEXT_MARKS = _NOT_TEXT.sub(b"\0", bytes(range(256))).translate(b"\0" + b"\1" * 255)
_LONG_TEXT = b"\1" * (TAIL_LIMIT // _STRIDE)  # text as long as the limit, wherever it begins


class TailGuard:
    """Lets bytes through until a JSON document begins that no other byte has followed yet."""

    def __init__(self) -> None:
        self._held = b""
        self.found = False
        """The bytes held back are a document's, not just a brace that may become one."""

    @property
    def tail(self) -> bytes:
        """The document held back, up to ``TAIL_LIMIT`` bytes of it; ``b""`` when there is none."""
        return self._held[:TAIL_LIMIT] if self.found else b""

    @property
    def held(self) -> int:
        """Bytes held back."""
        return len(self._held)

    @property
    def full(self) -> bool:
        """A document of ``TAIL_LIMIT`` bytes or more is held: it cannot be chance any more."""
        return self.found and len(self._held) >= TAIL_LIMIT

    def feed(self, data: bytes) -> bytes:
        """Add a chunk; return what comes before a possible document (``data`` itself, usually)."""
        data = self._held + data if self._held else data
        at = self._find(data, _first_place(data))
        self._held = data[at:]
        return data[:at]

    def release(self) -> bytes:
        """The document is where text belongs: let go of it, and look further."""
        held = self._held
        at = self._find(held, TAIL_LIMIT)
        self._held = held[at:]
        return held[:at]

    def finish(self) -> bytes:
        """No more bytes will come: let go of everything. ``tail`` stays known."""
        return self._held

    def _find(self, data: bytes, start: int) -> int:
        """Where the first possible document begins: only text follows it, to the end or limit."""
        while head := _HEAD.search(data, start):
            text_end = _text_end(data, head.start())
            self.found = text_end is None
            if text_end is None:
                return head.start()
            start = text_end
        self.found = False
        return _unfinished(data, start)


def _first_place(data: bytes) -> int:
    """Where to look for a document that runs to the end, or is as long as the limit.

    Sound has a byte that text has not every few bytes, so looking at one byte in sixty-one shows
    that no stretch is text, in a fraction of the time it takes to see that there is no head.
    """
    marks = data[::_STRIDE].translate(_TEXT_MARKS)
    return 0 if _LONG_TEXT in marks else max(0, marks.rfind(b"\0") * _STRIDE)


def _text_end(data: bytes, start: int) -> int | None:
    """Where bytes that cannot be text begin; ``None`` if not before the end or the limit."""
    piece = data[start : start + TAIL_LIMIT]
    control = _NOT_TEXT.search(piece)
    try:
        codecs.utf_8_decode(piece, "strict", False)
    except UnicodeDecodeError as error:
        invalid: int | None = error.start
    else:
        invalid = None
    ends = [end for end in (control and control.start(), invalid) if end is not None]
    return start + min(ends) if ends else None


def _unfinished(data: bytes, start: int) -> int:
    """Where a head begins that the next chunk may complete; the end if there is none."""
    at = data.find(b"{", max(start, len(data) - _HEAD_LIMIT))
    while at >= 0:
        if _UNFINISHED_HEAD.match(data, at):
            return at
        at = data.find(b"{", at + 1)
    return len(data)
