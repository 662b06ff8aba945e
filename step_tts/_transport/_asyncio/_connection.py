"""One connection: requests out, replies in, one at a time, with back-pressure and deadlines.

The event loop pushes bytes in; whoever waits is woken. One lazy timer serves all waits: it is
set anew only when a deadline comes sooner than the one it is set for. Does not know pools, names
or what a request is.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from typing import TYPE_CHECKING, cast

import h11

from step_tts._transport._asyncio._failures import ReadError, UnansweredError, WriteTimeout
from step_tts._transport._asyncio._reading import Reading
from step_tts._transport._seam import Late

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Connection"]

# A read of the event loop brings up to 256 KiB: one is held while another is used. With 16 bodies
# of 4 MiB at once, twice this takes 8 MB more, and half of it a tenth more CPU for small bodies.
UNREAD_LIMIT_BYTES = 128 * 1024


class Connection(asyncio.Protocol):
    """A connection as the event loop sees it, and as one exchange at a time uses it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, lost: Callable[[Connection], None]) -> None:
        self.reading: Reading | None = None
        self.closed = loop.create_future()
        self._loop = loop
        self._lost = lost
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._pieces: list[bytes] = []
        self._unread = 0
        self._reading_paused = False
        self._writing_paused = False
        self._answered = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._due = math.inf
        self._timer: asyncio.TimerHandle | None = None

    # --- the exchange's side ----------------------------------------------------------------

    async def request(self, request: bytes, *, stall: float | None, due: float) -> Reading:
        """Send a request and wait for the head of its reply, which may come before the end of it.

        Args:
            request: All of it.
            stall: Seconds for the server to take it.
            due: When the head is due.

        Raises:
            Late: The head is late.
            WriteTimeout: The server does not take the request.
            UnansweredError: The connection closed first.
            ReadError: It broke.
            h11.RemoteProtocolError: The head is not HTTP.
        """
        self.reading = reading = Reading()
        self._answered, self._unread = False, 0
        self._transport.write(request)
        write_due = math.inf
        if self._writing_paused and stall is not None:
            write_due = self._loop.time() + stall
        while not reading.status:
            if self._writing_paused and write_due < due:
                await self._wait_to_send(write_due)
            else:
                await self._wait(due)
        return reading

    async def receive(self, reading: Reading, due: float) -> bytes | None:
        """All that has come of the body; ``None`` at its end.

        Raises:
            Late: The next piece is late.
            ReadError: The connection broke.
            h11.RemoteProtocolError: The body is malformed or cut.
        """
        while not self._pieces:
            if reading.ended:
                return None
            await self._wait(due)
        pieces, self._pieces, self._unread = self._pieces, [], 0
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def finish(self) -> bool:
        """End the exchange; whether the connection can serve another one."""
        reading, self.reading = self.reading, None
        unread, self._pieces = self._pieces, []
        whole = reading is not None and reading.ended and reading.reusable and not unread
        return whole and not self._writing_paused and not self._transport.is_closing()

    def close(self) -> None:
        """Close as TLS and TCP wish."""
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    async def _wait_to_send(self, due: float) -> None:
        try:
            await self._wait(due)
        except Late:
            raise WriteTimeout("the server does not read the request") from None

    async def _wait(self, due: float) -> None:
        """Wait for anything to happen, unless nothing more can."""
        if self._error is not None:
            raise self._error
        self._waiter = self._loop.create_future()
        self._due = due
        if self._timer is None or due < self._timer.when():
            self._set_timer()
        try:
            await self._waiter
        finally:
            self._waiter = None

    # --- the event loop's side --------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport; unsent bytes count as a request not taken."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=1)  # TLS takes 0 for "always full"

    def data_received(self, data: bytes) -> None:
        """Read on; a server that speaks unasked is not to be trusted with another request."""
        if self.reading is None:
            self.abort()
            return
        self._answered = True
        self._read(data)
        self._unread += len(data) if self._pieces else 0
        if self._unread > UNREAD_LIMIT_BYTES and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """The server will say no more; the transport then closes by itself."""
        if not self._answered:
            self._fail(UnansweredError("the server closed the connection without a response"))
        elif self._is_cut_tls():
            self._fail(ReadError("TLS ended without a close_notify"))
        else:
            self._read(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; what has been read stays readable."""
        kind = ReadError if self._answered else UnansweredError
        self._fail(kind(str(exc or "the connection was closed")))
        if self._timer is not None:
            self._timer.cancel()
        self.closed.set_result(None)
        self._lost(self)

    def pause_writing(self) -> None:
        """The server takes the request more slowly than it is sent."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """All is sent."""
        self._writing_paused = False
        self._wake()

    def _read(self, data: bytes | None) -> None:
        """Read on; ``None`` is the end of the connection."""
        if self.reading is None or self._error is not None:
            return
        try:
            if data is None:
                self.reading.feed_eof(self._pieces)
            else:
                self.reading.feed(data, self._pieces)
        except h11.RemoteProtocolError as error:
            self._fail(error)
        self._wake()

    def _fail(self, error: Exception) -> None:
        """Keep the first error for whoever waits; nothing more can come."""
        if self._error is None:
            self._error = error
            self._transport.abort()
            self._wake()

    def _is_cut_tls(self) -> bool:
        """Whether anybody may have cut a body that ends with the connection (RFC 9112 §9.8).

        After a close_notify a read gives nothing; without one it asks for more.
        """
        tls = self._transport.get_extra_info("ssl_object")
        if tls is None or self.reading is None or self.reading.framed:
            return False
        try:
            return bool(tls.read(1))
        except ssl.SSLError:
            return True

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if self._due == math.inf else self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() >= self._due:
            self._waiter.set_exception(Late())
        else:
            self._set_timer()
