"""A loopback server that sends the very bytes a test wrote, and ends as it says."""

from __future__ import annotations

import socket
import struct
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import anyio
import anyio.abc
import anyio.lowlevel
import attrs
from anyio.abc import SocketAttribute
from anyio.streams.tls import TLSListener

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable

End: TypeAlias = Literal["keep", "close", "half-close", "reset"]
# So many turns of the event loop, and the client has taken what was sent.
TURNS_FOR_THE_CLIENT = 4
GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


@attrs.frozen
class Reply:
    """What the server does with one request."""

    wire: bytes
    end: End = "keep"
    cuts: tuple[int, ...] = ()
    """Where the bytes are cut into separate sends."""
    early: bool = False
    """Answer when the head of the request is there, and read no further."""


@attrs.define
class RawServer:
    """A running server: its address, and what reached it."""

    url: str
    requests: list[bytes] = attrs.field(factory=list)
    """Whole requests."""
    served_by: list[int] = attrs.field(factory=list)
    """For each request the number of the connection it came on."""
    connections: int = 0

    async def serve(self, stream: anyio.abc.ByteStream, reply: Callable[[int], Reply]) -> None:
        """Answer the requests of one connection until its end."""
        number = self.connections
        self.connections += 1
        async with stream:
            try:
                unread = b""
                while True:
                    request, unread, early = await _read_request(stream, unread, reply, self)
                    self.requests.append(request)
                    self.served_by.append(number)
                    if await _play(stream, early or reply(len(self.requests) - 1)):
                        return
            except GONE:
                pass


async def _read_request(
    stream: anyio.abc.ByteStream, unread: bytes, reply: Callable[[int], Reply], server: RawServer
) -> tuple[bytes, bytes, Reply | None]:
    while b"\r\n\r\n" not in unread:
        unread += await stream.receive()
    head, _, body = unread.partition(b"\r\n\r\n")
    planned = reply(len(server.requests))
    if planned.early:
        return head, b"", planned
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    while len(body) < length:
        body += await stream.receive()
    return head + b"\r\n\r\n" + body[:length], body[length:], None


async def _play(stream: anyio.abc.ByteStream, reply: Reply) -> bool:
    """Send a reply; whether the connection has ended."""
    raw = stream.extra(SocketAttribute.raw_socket)
    places = [0, *reply.cuts, len(reply.wire)]
    for start, stop in pairwise(places):
        if start < stop:
            await stream.send(reply.wire[start:stop])
            for _ in reply.cuts and range(TURNS_FOR_THE_CLIENT):
                await anyio.lowlevel.checkpoint()
    if reply.end == "half-close":
        raw.shutdown(socket.SHUT_WR)
        await stream.receive()
    if reply.end == "reset":
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return reply.end != "keep"


@asynccontextmanager
async def raw_server(
    *replies: Reply | bytes, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[RawServer]:
    """Answer the first request with the first reply, and so on; the last one from then on."""
    planned = [Reply(reply) if isinstance(reply, bytes) else reply for reply in replies]

    def reply_to(number: int) -> Reply:
        return planned[min(number, len(planned) - 1)]

    tcp = await anyio.create_tcp_listener(local_host=host)
    port = tcp.extra(SocketAttribute.local_port)
    listener = TLSListener(tcp, tls, standard_compatible=False) if tls else tcp
    name = f"[{host}]" if ":" in host else host
    server = RawServer(f"{'https' if tls else 'http'}://{name}:{port}/v1/audio/speech")

    async def serve(stream: anyio.abc.ByteStream) -> None:
        await server.serve(stream, reply_to)

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield server
        tasks.cancel_scope.cancel()
