"""Matroska and WebM: measures the segment, so that a cut one is found.

Knows how long a segment says it is. Does not look into it.

Source: RFC 8794 §4 (EBML).
"""

from __future__ import annotations

import math

from step_tts._audio._walk import Source, Steps, Walker
from step_tts._errors import CorruptAudioError, EmptyAudioError, TruncatedAudioError

__all__ = ["MatroskaWalker"]

_EBML = b"\x1aE\xdf\xa3"


class MatroskaWalker(Walker):
    """Walks Matroska and WebM as far as one segment of a known size goes."""

    def walk(self, source: Source) -> Steps[None]:
        """The EBML header, then the segment; live streams do not know its size."""
        yield from self._pass_element(source, metadata=True)
        while head := (yield from source.peek(4)):
            if head == _EBML:
                raise CorruptAudioError("Another WEBM follows the first: two files run together.")
            yield from self._pass_element(source, metadata=False)
        if not source.sounding:
            raise EmptyAudioError("The WEBM has a header but no sound.")

    def _pass_element(self, source: Source, *, metadata: bool) -> Steps[None]:
        yield from self._take_number(source)
        size = yield from self._take_number(source)
        missing = yield from source.skip(math.inf if size is None else size, metadata=metadata)
        self.end = "open" if size is None else "proven"
        if missing and size is not None:
            raise TruncatedAudioError("The WEBM ends inside its segment.")

    def _take_number(self, source: Source) -> Steps[int | None]:
        """The zero bits in front say how long it is; all ones mean "unknown"."""
        lead = yield from source.peek(1)
        width = 9 - int.from_bytes(lead).bit_length()
        number = yield from source.take(width)
        if len(number) < width or width > 8:
            raise TruncatedAudioError("The WEBM ends inside a header.")
        ones = (1 << 7 * width) - 1
        value = int.from_bytes(number) & ones
        return None if value == ones else value
