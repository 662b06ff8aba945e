"""A fast loopback server for benchmarks, in its own process: one prebuilt answer to every POST.

``python serve.py BYTES`` prints its port. It reads a request only as far as its length, keeps
connections alive, and writes the answer in one piece, so the client is what is measured.
"""

from __future__ import annotations

import asyncio
import re
import struct
import sys


def wav(size: int) -> bytes:
    """A true 16-bit mono WAV of ``size`` bytes in all."""
    data = size - 44
    fmt = struct.pack("<IHHIIHH", 16, 1, 1, 22050, 44100, 2, 16)
    head = b"RIFF" + struct.pack("<I", size - 8) + b"WAVEfmt " + fmt
    return head + b"data" + struct.pack("<I", data) + b"\x01\x02" * (data // 2)


async def main(size: int) -> None:
    """Serve until the process is ended."""
    body = wav(size)
    head = f"HTTP/1.1 200 OK\r\ncontent-type: audio/wav\r\ncontent-length: {size}\r\n\r\n"
    reply = head.encode() + body

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                length = re.search(rb"(?i)content-length: (\d+)", request)
                await reader.readexactly(int(length[1]) if length else 0)
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
