"""The geometry of the RIFF family: where chunks are and what their headers say.

RIFF, RIFX (big-endian), RF64 and BW64 (64-bit sizes in a ``ds64`` chunk), Sony's Wave64 (64-bit
sizes everywhere, GUIDs for names), and AIFF, whose geometry is RIFX's. Knows no chunk's content.

Sources: Microsoft/IBM Multimedia Programming Interface 1.0 (RIFF), EBU Tech 3306 (RF64),
ITU-R BS.2088 (BW64), Sony's Wave64 specification, AIFF 1.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "LITTLE",
    "PLACEHOLDER_FROM",
    "Chunk",
    "Layout",
    "chunks",
    "is_placeholder",
    "layout_of",
]

PLACEHOLDER_FROM = 0x7FFF0000
"""Sizes from here on are written by servers that do not know the length yet (wire.md §7, §9).

Into a pipe, espeak-ng writes 0x7FFFF000, and SoX the same, rounded down to whole frames.
"""

_PLACEHOLDERS = frozenset({0, 2_000_000_000, 2_000_000_036})


def is_placeholder(size: int) -> bool:
    """Whether a size field looks like one that was never filled in."""
    return size >= PLACEHOLDER_FROM or size in _PLACEHOLDERS


@attrs.frozen
class Layout:
    """How chunk headers are written."""

    order: Literal["little", "big"]
    name_size: int = 4
    width: int = 4
    """Bytes of a size field."""
    inclusive: bool = False
    """Sizes count the chunk's own header."""
    align: int = 2

    @property
    def header_size(self) -> int:
        """Bytes of a chunk's name and size."""
        return self.name_size + self.width

    @property
    def form_size(self) -> int:
        """Bytes of the outermost header: name, size and form."""
        return self.header_size + self.name_size

    def content_size(self, header: bytes) -> int:
        """Bytes of content that a chunk's header announces, without padding."""
        size = int.from_bytes(header[self.name_size : self.header_size], self.order)
        return max(0, size - self.header_size) if self.inclusive else size

    def size_field(self, content: int) -> bytes:
        """The size field of a chunk with this many bytes of content."""
        size = content + self.header_size if self.inclusive else content
        return size.to_bytes(self.width, self.order)

    def padding(self, content: int) -> int:
        """Bytes that must follow so that the next chunk is aligned."""
        return -content % self.align


LITTLE, _BIG = Layout("little"), Layout("big")
_WAVE64 = Layout("little", name_size=16, width=8, inclusive=True, align=8)

_LAYOUTS = {
    b"RIFF": LITTLE,
    b"RF64": LITTLE,
    b"BW64": LITTLE,
    b"RIFX": _BIG,
    b"FORM": _BIG,
    b"riff": _WAVE64,
}


def layout_of(head: bytes) -> Layout | None:
    """The layout that the first four bytes name."""
    return _LAYOUTS.get(head[:4])


@attrs.frozen
class Chunk:
    """One chunk of a header held in memory."""

    name: bytes
    at: int
    """Where its own header starts."""
    content_at: int
    size: int
    """Bytes of content announced."""


def chunks(head: bytes, layout: Layout) -> Iterator[Chunk]:
    """Each chunk whose header is in ``head``; the content of the last may lie beyond."""
    at = layout.form_size
    while at + layout.header_size <= len(head):
        content_at = at + layout.header_size
        size = layout.content_size(head[at:content_at])
        yield Chunk(head[at : at + 4], at, content_at, size)
        at = content_at + size + layout.padding(size)
