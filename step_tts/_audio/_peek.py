"""Looking at bytes that may not be there yet.

Knows only lengths. A reader asks for the bytes it needs. If they have not arrived, a
``TooShortError`` ends it and says how many it takes. So a reader is written as if the whole file
were there, and chunk borders cannot matter to it: it never judges half a header.
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
