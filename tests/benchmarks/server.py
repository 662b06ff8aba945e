"""The loopback server of the benchmarks, in a process of its own: prebuilt answers, nothing else.

``python -m benchmarks.server [CERTIFICATE]`` prints its port and serves until it is ended. What
it answers stands in the first segment of the path, so that any client is pointed at it by its
base URL: ``/kind=mp3,size=65536,chunk=4096,delay=0.2,pace=0.005/v1/audio/speech``.

It reads a request as far as its length and writes an answer in one piece, so that the client is
what is measured. Whether that holds, ``/stats`` says: requests, connections, and its own CPU.
"""

from __future__ import annotations

import asyncio
import functools
import json
import random
import ssl
import struct
import sys
import time
from typing import Any, cast

import attrs

__all__ = ["Work", "body_of"]

SLICE = 256 * 1024
MP3_HEADER = bytes.fromhex("fff384c4")  # MPEG-2 Layer III, 24 kHz, mono, 64 kbit/s: 192 bytes.
MP3_FRAME = 192
TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}


@attrs.frozen(kw_only=True)
class Work:
    """What one answer is; its text form is a segment of a path."""

    kind: str = "wav"
    size: int = 65536
    """Bytes of the body; an MP3 has as many whole frames as fit."""
    chunk: int = 0
    """Bytes of each chunk of a chunked body; 0 is a Content-Length."""
    delay: float = 0.0
    """Seconds before the first byte."""
    pace: float = 0.0
    """Seconds from one chunk to the next."""

    def __str__(self) -> str:
        return ",".join(f"{name}={value}" for name, value in attrs.asdict(self).items())

    @classmethod
    def parse(cls, text: str) -> Work:
        """Read the text form."""
        usual: dict[str, Any] = attrs.asdict(cls())
        pairs = (pair.split("=") for pair in text.split(","))
        return cls(**{name: type(usual[name])(value) for name, value in pairs})


@functools.cache
def body_of(work: Work) -> bytes:
    """True audio with random sound, so that no search in it is cheaper than in real audio."""
    sound = random.Random(0).randbytes(work.size)
    if work.kind == "mp3":
        frames = range(MP3_FRAME, work.size + 1, MP3_FRAME)
        return b"".join(MP3_HEADER + sound[end - MP3_FRAME + 4 : end] for end in frames)
    fmt = struct.pack("<IHHIIHH", 16, 1, 1, 24000, 48000, 2, 16)
    head = b"RIFF" + struct.pack("<I", work.size - 8) + b"WAVEfmt " + fmt
    return head + b"data" + struct.pack("<I", work.size - 44) + sound[: work.size - 44]


@functools.cache
def pieces_of(work: Work) -> tuple[bytes, ...]:
    """An answer as it stands on the wire: one piece, or where it is paced one for each chunk."""
    body = body_of(work)
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {TYPES[work.kind]}\r\nx-request-id: 0123456789ab\r\n"
    step = work.chunk or len(body)
    chunks = [body[at : at + step] for at in range(0, len(body), step)]
    if work.chunk:
        head += "transfer-encoding: chunked\r\n\r\n"
        chunks = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]
        chunks[-1] += b"0\r\n\r\n"
    else:
        head += f"content-length: {len(body)}\r\n\r\n"
    chunks[0] = head.encode() + chunks[0]
    return tuple(chunks) if work.pace else (b"".join(chunks),)


class Stats:
    """What the server has done so far."""

    requests = 0
    connections = 0

    def answer(self) -> bytes:
        """The figures as an HTTP answer."""
        figures = {
            "requests": self.requests,
            "connections": self.connections,
            "cpu": time.process_time(),
            "clock": time.perf_counter(),
        }
        body = json.dumps(figures).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        return head % len(body) + body


class Connection(asyncio.Protocol):
    """One connection: request after request, answer after answer."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats
        self._received = b""
        self._unsent = memoryview(b"")
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._stats.connections += 1
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass.
        self._transport.set_write_buffer_limits(SLICE)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        if len(rest) < int(length or 0):
            return
        self._received = b""
        target = head.split(b" ", 2)[1]
        if target == b"/stats":
            self._transport.write(self._stats.answer())
            return
        self._stats.requests += 1
        work = _work_of(target)
        if work.delay:
            asyncio.get_running_loop().call_later(work.delay, self._begin, work)
        else:
            self._begin(work)

    def _begin(self, work: Work) -> None:
        pieces = pieces_of(work)
        if work.pace:
            self._paced(pieces, 0, work.pace, asyncio.get_running_loop().time())
        else:
            self._unsent = memoryview(pieces[0])
            self._send()

    def _paced(self, pieces: tuple[bytes, ...], at: int, pace: float, due: float) -> None:
        self._transport.write(pieces[at])
        if at + 1 < len(pieces):
            loop = asyncio.get_running_loop()
            loop.call_at(due + pace, self._paced, pieces, at + 1, pace, due + pace)

    def _send(self) -> None:
        while self._unsent and not self._paused:
            self._transport.write(self._unsent[:SLICE])
            self._unsent = self._unsent[SLICE:]

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._send()


@functools.cache
def _work_of(target: bytes) -> Work:
    return Work.parse(target.split(b"/", 2)[1].decode())


async def main(certificate: str | None) -> None:
    """Serve until the process is ended."""
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    stats, loop = Stats(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(stats), "127.0.0.1", 0, backlog=4096, ssl=context
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def run(certificate: str | None) -> None:
    """On uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main(certificate))
    else:
        uvloop.run(main(certificate))


if __name__ == "__main__":
    run(sys.argv[1] if len(sys.argv) > 1 else None)
