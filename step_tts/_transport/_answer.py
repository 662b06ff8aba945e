"""An open answer: status, headers, and a body read piece by piece under its deadlines.

Counts bytes and knows how HTTP marks a body's end. Does not know what the bytes mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from step_tts._errors import APIError, AudioTooLargeError, TruncatedAudioError
from step_tts._transport._translate import translate_body_error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from step_tts._transport._deadlines import Deadlines

__all__ = ["CLOSE_GRACE_SECONDS", "Answer"]

CLOSE_GRACE_SECONDS = 2.0
ERROR_BODY_LIMIT_BYTES = 64 * 1024


class Answer:
    """An open answer: read ``receive`` until ``None``."""

    def __init__(self, response: Any, deadlines: Deadlines, max_bytes: int) -> None:
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = {k.lower(): v for k, v in response.headers.items()}
        self._response = response
        self._deadlines = deadlines
        self._max_bytes = max_bytes
        self._received = 0
        self._ended = False
        # Without Content-Encoding the raw pieces are the body: one generator less per piece.
        encoded = self.headers.get("content-encoding", "identity").lower() != "identity"
        self._pieces: AsyncGenerator[bytes, None] = (
            response.aiter_bytes() if encoded else response.aiter_raw()
        )

    @property
    def content_type(self) -> str | None:
        """The Content-Type header, as sent."""
        return self.headers.get("content-type")

    @property
    def framed(self) -> bool:
        """Whether HTTP itself marks the body's end (RFC 9112 §6.3; always so in HTTP/2).

        Where it does not, the end of the connection looks the same as a cut.
        """
        chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        http2 = str(self._response.http_version).startswith("HTTP/2")
        return chunked or http2 or "content-length" in self.headers

    async def receive(self) -> bytes | None:
        """Wait for the next piece of the body; ``None`` at its proper end.

        Raises:
            APITimeoutError: The first byte or the next piece is late.
            TruncatedAudioError: The connection broke before the end.
            CorruptAudioError: The body cannot be unpacked.
            AudioTooLargeError: More than ``max_bytes``.
        """
        wait = self._deadlines.stall if self._received else self._deadlines.first_byte
        self._deadlines.resumed()
        piece = await wait(self._next_piece)
        self._deadlines.paused()
        if piece is None:
            self._ended = True
            self._check_length()
            return None
        self._received += len(piece)
        if self._received > self._max_bytes:
            raise AudioTooLargeError(f"The answer is larger than {self._max_bytes} bytes.")
        return piece

    async def read_error_body(self) -> bytes:
        """The start of a body that says what went wrong; whatever can be had of it."""
        body = b""
        try:
            while len(body) < ERROR_BODY_LIMIT_BYTES and (piece := await self.receive()):
                body += piece
        except APIError:
            pass  # The status is the news; a broken explanation must not hide it.
        return body[:ERROR_BODY_LIMIT_BYTES]

    async def aclose(self) -> None:
        """Close the iterator and the response; bounded, and safe under cancellation.

        httpx does not shield the close of a streaming body, so we do.
        """
        with anyio.move_on_after(CLOSE_GRACE_SECONDS, shield=True):
            await self._pieces.aclose()
            if self._response.is_closed and not self._ended:
                # httpx closes at the end of a body by itself; cancelled there, it would leave
                # the stream open and hold itself to be closed.
                await self._response.stream.aclose()
            await self._response.aclose()

    async def _next_piece(self) -> bytes | None:
        try:
            return await anext(self._pieces, None)
        except Exception as error:
            translated = translate_body_error(error)
            if translated is None:
                raise
            raise translated from error

    def _check_length(self) -> None:
        """Hold the received bytes against Content-Length: not every transport does."""
        declared = self.headers.get("content-length", "")
        received = self._response.num_bytes_downloaded
        if declared.isdecimal() and received < int(declared):
            raise TruncatedAudioError(f"Only {received} of {declared} bytes came.")
