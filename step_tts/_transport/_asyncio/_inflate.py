"""Unpack gzip and deflate bodies, a bounded piece at a time. Pure."""

from __future__ import annotations

import zlib

from step_tts._transport._asyncio._failures import DecodingError

__all__ = ["Inflater", "inflater_for"]

# A kilobyte may unpack to a megabyte: whoever reads must be able to stop in between.
PIECE_BYTES = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Inflater:
    """Feed it what came, take what that unpacks to until nothing comes."""

    def __init__(self, *, gzip: bool) -> None:
        self._zlib = zlib.decompressobj(_GZIP if gzip else zlib.MAX_WBITS)
        self._may_be_raw = not gzip
        self._packed = b""

    def feed(self, data: bytes) -> None:
        """Add packed bytes."""
        self._packed += data

    def take(self) -> bytes:
        """The next unpacked bytes.

        Raises:
            DecodingError: The bytes are damaged, or not packed at all.
        """
        try:
            piece = self._zlib.decompress(self._packed, PIECE_BYTES)
        except zlib.error as error:
            if not self._may_be_raw:
                raise DecodingError(str(error)) from error
            # "deflate" is zlib's format by the letter and raw deflate by custom (RFC 9110 §8.4.1).
            self._zlib, self._may_be_raw = zlib.decompressobj(-zlib.MAX_WBITS), False
            return self.take()
        self._may_be_raw &= not piece
        self._packed = self._zlib.unconsumed_tail
        return piece


def inflater_for(content_encoding: str) -> Inflater | None:
    """What unpacks such a body; ``None`` where nothing has to, or nothing here can."""
    coding = content_encoding.strip().lower()
    return Inflater(gzip=coding == "gzip") if coding in {"gzip", "deflate"} else None
