"""Looking at bytes that may not be there yet.

Knows only lengths. A reader asks for the bytes it needs; when they have not arrived it is cut
short by ``TooShortError``, which says how many would do. So a reader is written as if the whole
file lay before it, and is right at any chunking by construction: it never judges half a header.
"""

from __future__ import annotations

__all__ = ["TooShortError", "peek", "peek_number"]


class TooShortError(Exception):
    """The reader needs more bytes. Never leaves ``sniff``."""

    def __init__(self, at_least: int) -> None:
        super().__init__(at_least)
        self.at_least = at_least
        """Bytes, counted from the start of the audio."""


def peek(head: bytes, at: int, size: int) -> bytes:
    """Return exactly ``size`` bytes at ``at``, or raise ``TooShortError``."""
    if len(head) < at + size:
        raise TooShortError(at + size)
    return head[at : at + size]


def peek_number(head: bytes, at: int, size: int) -> int:
    """Return the big-endian number of ``size`` bytes at ``at``, or raise ``TooShortError``."""
    return int.from_bytes(peek(head, at, size))
