"""The floor: as little as an asyncio client can do and still bring every body into its file.

One connection for each worker, all opened at once after one look-up of the name, request bytes
by hand, the socket's bytes straight into the file descriptor. No checks, no deadlines, no pool,
no closing server: a yardstick and not a client.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import time
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from benchmarks.job import KEY, Job, Notes, fields

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["floor"]

CHUNKED_END = b"0\r\n\r\n"


class Connection(asyncio.Protocol):
    """One worker: request after request until there are no more texts."""

    def __init__(self, job: Job, notes: Notes, rows: Iterator[tuple[int, str]]) -> None:
        self._job, self._notes, self._rows = job, notes, rows
        self.over = asyncio.get_running_loop().create_future()
        head = {
            "host": urlsplit(job.base).netloc,
            "authorization": f"Bearer {KEY}",
            "content-type": "application/json",
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self._head = f"POST {urlsplit(job.url).path} HTTP/1.1\r\n{lines}content-length: ".encode()
        self._file = self._number = -1
        self._in_head = True
        self._left = 0
        self._held = b""
        self._row = self._taken()

    def _taken(self) -> tuple[int, str] | None:
        """The next text, whose time begins."""
        row = next(self._rows, None)
        if row:
            self._notes.began[row[0]] = time.perf_counter()
        return row

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def _ask(self) -> None:
        if self._row is None:
            self._transport.close()
            return
        self._number, text = self._row
        body = json.dumps(fields(self._job, text)).encode()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        self._file = os.open(self._job.path(self._number), flags, 0o644)
        self._in_head = True
        self._transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            head, _, data = data.partition(b"\r\n\r\n")
            length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self._left, self._in_head, self._held = int(length or -1), False, b""
        if data:
            self._notes.first(self._number)
            if self._left < 0:
                self._take_chunks(data)
            else:
                os.write(self._file, data)
                self._left -= len(data)
        if not self._left:
            os.close(self._file)
            self._notes.done[self._number] = time.perf_counter()
            self._row = self._taken()
            self._ask()

    def _take_chunks(self, data: bytes) -> None:
        """Write the whole chunks there are, and hold the beginning of the next one."""
        data, at = self._held + data, 0
        chunks = []
        while (line := data.find(b"\r\n", at)) > 0:
            size = int(data[at:line], 16)
            if len(data) < line + size + 4:
                break
            chunks.append(memoryview(data)[line + 2 : line + 2 + size])
            at = line + size + 4
            if not size:
                self._left = 0
        os.writev(self._file, chunks)
        self._held = data[at:]

    def connection_lost(self, exc: Exception | None) -> None:
        if exc:
            self.over.set_exception(exc)
        else:
            self.over.set_result(None)


async def floor(job: Job, notes: Notes) -> None:
    """The client."""
    rows = iter(zip(job.range, job.texts(), strict=True))
    host, _, port = urlsplit(job.base).netloc.partition(":")
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context() if job.base.startswith("https") else None
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    address, number = found[0][4][:2]

    async def work() -> None:
        connection = Connection(job, notes, rows)
        await loop.create_connection(
            lambda: connection,
            str(address),
            int(number),
            ssl=context,
            server_hostname=host if context else None,
        )
        await connection.over

    await asyncio.gather(*(work() for _ in range(job.at_once)))
