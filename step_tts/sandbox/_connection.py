"""One TCP connection: reads requests, plays steps, and notices when the peer leaves.

Knows bytes, sockets and tasks; nothing of speech.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import TYPE_CHECKING

import anyio
from anyio.abc import SocketAttribute

from step_tts.sandbox._faults import Pause, Twist
from step_tts.sandbox._http import CONTINUE, RequestReader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from anyio.abc import SocketStream

    from step_tts.sandbox._faults import Step
    from step_tts.sandbox._http import Request

__all__ = ["Connection", "PeerLeft"]

MAX_READ_AHEAD_BYTES = 1024 * 1024
_GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)


class PeerLeft(Exception):  # noqa: N818  it is what happened, not a failure
    """The peer closed the connection, or it broke."""


class Connection:
    """A peer, for as long as it stays."""

    def __init__(self, stream: SocketStream, number: int) -> None:
        self.number = number
        self.sent = 0
        """Bytes sent since ``next_request`` last returned."""
        self._stream = stream
        self._ahead = bytearray()

    async def next_request(self) -> Request | None:
        """The next request; ``None`` when the peer leaves between or within requests.

        Raises:
            BadRequest: What arrived is not a request.
        """
        self.sent = 0
        reader = RequestReader()
        try:
            return await self._read_with(reader)
        except _GONE:
            return None
        finally:
            self._ahead[:] = reader.leftover + self._ahead

    async def _read_with(self, reader: RequestReader) -> Request:
        data = bytes(self._ahead) or await self._stream.receive()
        self._ahead.clear()
        while (request := reader.feed(data)) is None:
            if reader.must_continue:
                await self._stream.send(CONTINUE)
            data = await self._stream.receive()
        return request

    async def send(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            PeerLeft: There is nobody to send to.
        """
        try:
            await self._stream.send(data)
        except _GONE as error:
            raise PeerLeft from error
        self.sent += len(data)

    async def play(self, steps: Iterable[Step]) -> None:
        """Send, wait, hold or reset, in order.

        Raises:
            PeerLeft: There is nobody to send to.
        """
        for step in steps:
            if isinstance(step, bytes):
                await self.send(step)
            elif isinstance(step, Pause):
                await anyio.sleep(step.seconds)
            elif step is Twist.HOLD:
                await anyio.sleep_forever()
            else:
                self._reset_on_close()

    def _reset_on_close(self) -> None:
        """Lingering for no time turns the close into a TCP reset."""
        linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        raw = self._stream.extra(SocketAttribute.raw_socket)  # noqa: S610  anyio, not Django
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async def while_present(self, answer: Callable[[], Awaitable[None]]) -> None:
        """Run ``answer`` until it ends or the peer leaves.

        ``answer`` must not raise, except for cancellation.
        """

        async def watch() -> None:
            await self._read_ahead()
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            await answer()
            group.cancel_scope.cancel()

    async def _read_ahead(self) -> None:
        """Keep what arrives meanwhile; returns when the peer has left."""
        while len(self._ahead) < MAX_READ_AHEAD_BYTES:
            try:
                self._ahead += await self._stream.receive()
            except _GONE:
                return
        await anyio.sleep_forever()
