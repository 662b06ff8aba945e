"""Peak memory of a batch, by its number of rows.

``python tests/benchmarks/batch_memory.py [ROWS ...]``: each number of rows (2,000 and 200,000 if
not said) in a process of its own, through an in-process transport, journal and files on.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import httpx

from step_tts import AsyncClient

if TYPE_CHECKING:
    from collections.abc import Iterator

# Four MP3 frames of silence: MPEG-2 layer III, 48 kbit/s, 24 kHz.
CLIP = (b"\xff\xf3\x64\xc4" + bytes(140)) * 4


def texts(rows: int) -> Iterator[str]:
    """Different texts."""
    return (f"Sentence {number}." for number in range(rows))


def answer(_: httpx.Request) -> httpx.Response:
    """The clip, as a body that is streamed."""
    headers = {"content-type": "audio/mpeg", "content-length": str(len(CLIP))}
    return httpx.Response(200, headers=headers, stream=httpx.ByteStream(CLIP))


async def run(directory: Path, rows: int) -> None:
    """One batch."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    async with AsyncClient(api_key="bench", http_client=http, concurrency=64) as tts:
        async with tts.batch(texts(rows), to=directory, durable=False) as results:
            async for result in results:
                assert result.saved, result.error


def main(arguments: list[str]) -> None:
    """Measure here, or start a process for each number."""
    if arguments[:1] == ["--here"]:
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as name:
            anyio.run(run, Path(name), int(arguments[1]))
            took = time.perf_counter() - started
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # cleaning up lists
        print(f"{arguments[1]:>8} rows: peak {peak:.1f} MB, {took:.0f} s")
        return
    for rows in arguments or ["2000", "200000"]:
        subprocess.run([sys.executable, __file__, "--here", rows], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
