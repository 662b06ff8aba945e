"""An open answer: status, headers, and a body read piece by piece under its deadlines.

Counts bytes and keeps the time, whatever engine the reply came by. Does not know what the bytes
mean.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from step_tts._errors import APIError, AudioTooLargeError
from step_tts._transport._inflate import inflater_for
from step_tts._transport._seam import Late
from step_tts._transport._translate import translate_body_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from step_tts._transport._deadlines import Deadlines
    from step_tts._transport._inflate import Inflater
    from step_tts._transport._seam import Reply

__all__ = ["Answer"]

ERROR_BODY_LIMIT_BYTES = 64 * 1024


class Answer:
    """An open answer: read ``receive`` until ``None``.

    Attributes:
        packed: The ``Content-Encoding``, if nothing here unpacks it.
    """

    def __init__(self, reply: Reply, deadlines: Deadlines, max_bytes: int) -> None:
        self.status: int = reply.status
        self.headers: Mapping[str, str] = reply.headers
        self.framed: bool = reply.framed
        self._reply = reply
        self._deadlines = deadlines
        self._max_bytes = max_bytes
        self._received = 0
        coding = reply.headers.get("content-encoding", "").strip().lower()
        inflater = inflater_for(coding) if coding else None
        self.packed = coding if inflater is None and coding not in {"", "identity"} else None
        self._piece = partial(self._unpacked, inflater) if inflater else reply.receive

    @property
    def content_type(self) -> str | None:
        """The Content-Type header, as sent."""
        return self.headers.get("content-type")

    async def receive(self) -> bytes | None:
        """Wait for the next piece of the body, unpacked; ``None`` at its proper end.

        Raises:
            APITimeoutError: The first byte or the next piece is late.
            TruncatedAudioError: The connection broke before the end.
            CorruptAudioError: The body cannot be unpacked.
            AudioTooLargeError: More than ``max_bytes``.
        """
        self._deadlines.resumed()
        due = self._deadlines.stall() if self._received else self._deadlines.first_byte()
        try:
            piece = await self._piece(due)
        except Late:
            raise self._deadlines.late() from None
        except Exception as error:
            translated = translate_body_error(error)
            if translated is None:
                raise
            raise translated from error
        if piece is None:
            return None
        self._deadlines.paused()
        self._received += len(piece)
        if self._received > self._max_bytes:
            raise AudioTooLargeError(f"The response is larger than {self._max_bytes} bytes.")
        return piece

    async def _unpacked(self, inflater: Inflater, due: float) -> bytes | None:
        while not (piece := inflater.take()):
            packed = await self._reply.receive(due)
            if packed is None:
                inflater.end()
                return None
            inflater.feed(packed)
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
        """Let the connection go; bounded, and safe under cancellation."""
        await self._reply.aclose()
