"""Unpack gzip and deflate bodies, a bounded piece at a time. Pure.

The engines hand on what came: an HTTP library takes a packed body that stops early for a whole
one, and leaves out all but the first of several gzip members.
"""

from __future__ import annotations

import zlib

from step_tts._errors import CorruptAudioError, TruncatedAudioError

__all__ = ["Inflater", "inflater_for"]

# A kilobyte may unpack to a megabyte: whoever reads must be able to stop in between.
PIECE_BYTES = 256 * 1024
ZLIB_HEADER_BYTES = 2  # RFC 1950 §2.2: what tells it from raw deflate
_GZIP = 16 + zlib.MAX_WBITS


class Inflater:
    """Feed it what came, take what that unpacks to until nothing comes, and end it."""

    def __init__(self, *, gzip: bool) -> None:
        self._form = _GZIP if gzip else zlib.MAX_WBITS
        self._zlib = zlib.decompressobj(self._form)
        self._may_be_raw = not gzip
        self._begun = False
        self._packed = b""

    def feed(self, data: bytes) -> None:
        """Add packed bytes."""
        self._packed += data
        self._begun = True

    def take(self) -> bytes:
        """The next unpacked bytes.

        Raises:
            CorruptAudioError: The bytes are damaged, or not packed at all.
        """
        while self._packed and not (self._may_be_raw and len(self._packed) < ZLIB_HEADER_BYTES):
            if self._zlib.eof and not self._next_member():
                break
            if piece := self._unpack():
                return piece
        return b""

    def end(self) -> None:
        """Note that nothing more comes.

        Raises:
            TruncatedAudioError: The packed bytes stop before their end.
        """
        if self._begun and not self._zlib.eof:
            raise TruncatedAudioError("The compressed response stops before its end.")

    def _next_member(self) -> bool:
        """Several gzip files in a row are one (RFC 1952 §2.2), and zeros fill a block."""
        self._packed = self._packed.lstrip(b"\0")
        if self._packed:
            self._zlib = zlib.decompressobj(self._form)
        return bool(self._packed)

    def _unpack(self) -> bytes:
        try:
            piece = self._zlib.decompress(self._packed, PIECE_BYTES)
        except zlib.error as error:
            if not self._may_be_raw:
                raise CorruptAudioError(
                    f"The response cannot be decompressed ({error})."
                ) from error
            # "deflate" is zlib's format by the letter and raw deflate by custom (RFC 9110 §8.4.1).
            self._form, self._may_be_raw = -zlib.MAX_WBITS, False
            self._zlib = zlib.decompressobj(self._form)
            return b""
        self._may_be_raw = False
        self._packed = self._zlib.unconsumed_tail or self._zlib.unused_data
        return piece


def inflater_for(content_encoding: str) -> Inflater | None:
    """What unpacks such a body, named in lower case; ``None`` if nothing here can.

    ``x-gzip`` is ``gzip`` (RFC 9110 §8.4.1.3).
    """
    coding = content_encoding.removeprefix("x-")
    return Inflater(gzip=coding == "gzip") if coding in {"gzip", "deflate"} else None
