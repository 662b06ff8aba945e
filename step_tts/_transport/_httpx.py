"""The engine that drives a client of httpx or httpx2: any backend, proxies, HTTP/2, mocks.

The two libraries share one interface, so neither is imported here. A request that a kept-alive
connection left without a single byte of answer is sent once more at once: it and the server's
close have crossed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from step_tts._errors import TruncatedAudioError
from step_tts._runtime import grace_period, now
from step_tts._transport._seam import BODILESS, STALE_SECONDS, Late, is_framed
from step_tts._transport._stale import Exchange

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from step_tts._policies import Timeouts
    from step_tts._transport._seam import Outgoing

__all__ = ["HTTPXReply", "HTTPXSender"]


class HTTPXSender:
    """Sends through a client that somebody made."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def send(self, outgoing: Outgoing, timeouts: Timeouts, due: float) -> HTTPXReply:
        """Send and wait for the headers; the deadline stands in for the library's read timeout."""
        with anyio.CancelScope(deadline=due):
            first, sent_at = Exchange(), now()
            try:
                return await self._exchange(outgoing, timeouts, first)
            except Exception:
                stale = first.unanswered and now() - sent_at < STALE_SECONDS
                if not (stale and outgoing.repeatable):
                    raise
            return await self._exchange(outgoing, timeouts, Exchange())
        raise Late

    async def _exchange(
        self, outgoing: Outgoing, timeouts: Timeouts, exchange: Exchange
    ) -> HTTPXReply:
        """Send once; ``auth=None`` keeps a caller's client from replacing our Authorization."""
        limits = {"connect": timeouts.connect, "write": timeouts.stall, "read": None, "pool": None}
        request = self._client.build_request(
            outgoing.method,
            outgoing.url,
            content=outgoing.body or None,
            headers=dict(outgoing.headers),
            extensions={"timeout": limits, "trace": exchange.trace},
        )
        with exchange.under_way():
            response = await self._client.send(
                request, stream=True, auth=None, follow_redirects=False
            )
        return HTTPXReply(response)

    async def aclose(self) -> None:
        """Close the client."""
        with grace_period():
            await self._client.aclose()


class HTTPXReply:
    """An open response of either library."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        headers = {name.lower(): value for name, value in response.headers.items()}
        self.headers: Mapping[str, str] = headers
        http2 = str(response.http_version).startswith("HTTP/2")
        self.framed = http2 or is_framed(self.headers)
        self._response = response
        self._ended = False
        self._cut = False
        self._read_before: bool = response.is_stream_consumed
        if self._read_before:  # By a mock, or a hook of the caller's; and unpacked, too.
            headers.pop("content-encoding", None)
            self._pieces: AsyncGenerator[bytes, None] = response.aiter_bytes()
        else:
            self._pieces = response.aiter_raw()

    async def receive(self, due: float) -> bytes | None:
        """The next piece; ``None`` at the end.

        A generator that was cancelled is over, and would look like the end of the body.
        """
        if self._cut:
            raise TruncatedAudioError(
                "An earlier read was cancelled, and httpx cannot continue after that."
            )
        self._cut = True
        with anyio.CancelScope(deadline=due):
            piece = await anext(self._pieces, None)
            self._cut = False
            if piece is None:
                self._ended = True
                self._check_length()
            return piece
        raise Late

    async def aclose(self) -> None:
        """Close the iterator and the response.

        httpx does not shield the close of a streaming body, so we do.
        """
        with grace_period():
            await self._pieces.aclose()
            if self._response.is_closed and not self._ended:
                # httpx closes at the end of a body by itself; cancelled there, it would leave
                # the stream open and hold itself to be closed.
                await self._response.stream.aclose()
            await self._response.aclose()

    def _check_length(self) -> None:
        """Hold the received bytes against Content-Length: not every transport does.

        With 204 and 304 there is no body, and a coding overrides a length (RFC 9112 §6.3).
        """
        if self._read_before or self.status in BODILESS or "transfer-encoding" in self.headers:
            return
        declared = self.headers.get("content-length", "")
        received = self._response.num_bytes_downloaded
        if declared.isdecimal() and received < int(declared):
            raise TruncatedAudioError(f"Only {received} of {declared} bytes arrived.")
