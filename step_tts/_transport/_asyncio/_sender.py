"""The engine: requests to one origin over a pool of connections.

It opens a connection whenever none is idle: the gate above bounds how many are in use. A request
that a kept-alive connection left without a single byte of answer is sent once more, on a fresh
connection at once: servers close idle connections when they please, and the two may cross.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from step_tts._runtime import CLOSE_GRACE_SECONDS, grace_period
from step_tts._transport._asyncio._connection import Connection
from step_tts._transport._asyncio._dial import Dialler
from step_tts._transport._asyncio._failures import ConnectError, ConnectTimeout, UnansweredError
from step_tts._transport._asyncio._pool import Pool
from step_tts._transport._asyncio._request import RequestWriter
from step_tts._transport._seam import KEPT_ALIVE_SECONDS, STALE_SECONDS, Late

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from step_tts._policies import Timeouts
    from step_tts._transport._asyncio._address import Address
    from step_tts._transport._asyncio._reading import Reading
    from step_tts._transport._seam import Outgoing

__all__ = ["AsyncioReply", "AsyncioSender"]


class AsyncioSender:
    """Sends requests to one origin; ``tls`` is for https."""

    def __init__(self, address: Address, tls: ssl.SSLContext | None, *, keep: int) -> None:
        self._address = address
        self._dialler = Dialler(address.host, address.port)
        self._tls = tls
        self._writer = RequestWriter()
        self._pool: Pool[Connection] = Pool(most=keep, expiry=KEPT_ALIVE_SECONDS)
        self._open: set[Connection] = set()
        self._closed = False

    async def send(self, outgoing: Outgoing, timeouts: Timeouts, due: float) -> AsyncioReply:
        """Send one request and wait for the head of its reply.

        Raises:
            Late: The head is late.
            Failure: There is no connection, or it broke.
            h11.ProtocolError: The request or the reply is not HTTP.
        """
        request = self._writer.write(outgoing)
        now = asyncio.get_running_loop().time
        sent_at = now()
        kept = self._pool.take(sent_at)
        if kept is not None:
            try:
                return await self._exchange(kept, request, timeouts, due)
            except UnansweredError:
                if not outgoing.repeatable or now() - sent_at >= STALE_SECONDS:
                    raise
        fresh = await self._connect(timeouts, due)
        return await self._exchange(fresh, request, timeouts, due)

    async def aclose(self) -> None:
        """Close all connections; those that take too long are cut."""
        self._closed = True
        for connection in self._open:
            connection.close()
        with grace_period():
            if lost := [connection.closed for connection in self._open]:
                await asyncio.wait(lost)  # which, unlike a plain await, cancels none of them
        for connection in self._open:
            connection.abort()

    def release(self, connection: Connection) -> None:
        """Take back a connection: keep it if it can be used again."""
        surplus: Connection | None = connection
        if connection.finish() and not self._closed:
            surplus = self._pool.give(connection, asyncio.get_running_loop().time())
        if surplus is not None:
            surplus.abort()

    async def _exchange(
        self, connection: Connection, request: bytes, timeouts: Timeouts, due: float
    ) -> AsyncioReply:
        try:
            reading = await connection.request(request, stall=timeouts.stall, due=due)
        except BaseException:
            connection.abort()
            raise
        return AsyncioReply(self, connection, reading)

    async def _connect(self, timeouts: Timeouts, due: float) -> Connection:
        now = asyncio.get_running_loop().time()
        connect_due = math.inf if timeouts.connect is None else now + timeouts.connect
        soonest = min(connect_due, due)
        try:
            async with asyncio.timeout_at(None if soonest == math.inf else soonest) as limit:
                return await self._dialled()
        except (OSError, UnicodeError) as error:  # a label over 63 letters is a UnicodeError
            if not limit.expired():
                raise ConnectError(str(error)) from error
        if due < connect_due:
            raise Late
        raise ConnectTimeout(f"waited {timeouts.connect:g} s")

    async def _dialled(self) -> Connection:
        loop = asyncio.get_running_loop()
        found = await self._dialler.dial()
        https = self._tls is not None
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(loop, self._forget),
                sock=found,
                ssl=self._tls,
                server_hostname=self._address.host if https else None,
                ssl_shutdown_timeout=CLOSE_GRACE_SECONDS if https else None,
            )
        except BaseException:
            found.close()
            raise
        if not connection.closed.done():
            self._open.add(connection)
        return connection

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._pool.forget(connection)


class AsyncioReply:
    """An open reply on one connection, until it is closed."""

    def __init__(self, sender: AsyncioSender, connection: Connection, reading: Reading) -> None:
        self.status = reading.status
        self.headers: Mapping[str, str] = reading.headers
        self.framed = reading.framed
        self._sender = sender
        self._connection: Connection | None = connection
        self._reading = reading

    async def receive(self, due: float) -> bytes | None:
        """The next piece; ``None`` at the end."""
        assert self._connection is not None  # noqa: S101  nobody reads what they have closed
        return await self._connection.receive(self._reading, due)

    async def aclose(self) -> None:
        """Give the connection back; no waiting, so nothing to shield."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._sender.release(connection)
