"""How much text fits into one request: characters, and bytes of UTF-8."""

from __future__ import annotations

from bisect import bisect_right

import attrs

__all__ = ["Room"]


@attrs.frozen
class Room:
    """What fits into one segment."""

    characters: int
    octets: int | None = None
    """Bytes of UTF-8; ``None`` for no limit."""

    def holds(self, text: str) -> bool:
        """Whether the text fits."""
        if len(text) > self.characters:
            return False
        return self.octets is None or 4 * len(text) <= self.octets or _octets(text) <= self.octets

    def end(self, text: str, start: int) -> int:
        """The index up to which the text fits; at least one character always does."""
        piece = text[start : start + self.characters]
        if self.octets is None or self.holds(piece):
            return start + len(piece)
        lengths = range(1, len(piece) + 1)
        fitting = bisect_right(lengths, self.octets, key=lambda length: _octets(piece[:length]))
        return start + max(1, fitting)

    def beside(self, text: str) -> Room:
        """What is left when this text is sent with every segment."""
        octets = None if self.octets is None else self.octets - _octets(text)
        return Room(self.characters - len(text), octets)


def _octets(text: str) -> int:
    """Bytes of UTF-8; a lone surrogate counts as three."""
    return len(text.encode("utf-8", "surrogatepass"))
