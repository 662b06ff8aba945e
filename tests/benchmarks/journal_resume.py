"""How long a batch takes to skip what is finished, and how much memory that takes.

``python tests/benchmarks/journal_resume.py [ROWS]``: writes a journal of so many finished rows
(1,000,000 if not said) with a file each (hard links), then starts the same batch with one more row,
and says when that row is dispatched. Needs room for as many directory entries.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import httpx

from step_tts import AsyncClient
from step_tts._batch._journal import JournalFile
from step_tts._batch._keys import request_key
from step_tts._batch._names import DEFAULT_TEMPLATE, Namer
from step_tts._batch._records import Facts, Record
from step_tts._models import DEFAULT_MODEL, SpeechRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS = {
    "model": DEFAULT_MODEL,
    "prompt_placement": "nested",
    "name": DEFAULT_TEMPLATE,
    "repair": True,
}
GROUP, LINKS = 256, 60_000


def texts(rows: int) -> Iterator[str]:
    """Different short texts."""
    return (f"This is sentence number {number} of a long book." for number in range(rows))


def prepare(directory: Path, rows: int) -> None:
    """A journal as a run of so many rows leaves it, and its files."""
    journal, namer, group = JournalFile(directory, OPTIONS), Namer(), []
    for number, text in enumerate(texts(rows)):
        name = namer.name(number, text)
        path = directory / f"{name}.mp3"
        if number % LINKS == 0:
            first = path
            first.write_bytes(b"x")
        else:
            os.link(first, path)
        key = request_key(SpeechRequest(text), model=DEFAULT_MODEL, placement="nested")
        group.append(
            Record(
                request=key or b"",
                facts=Facts(name, number, 1, "0" * 64, "mp3", received=1),
                path=path.name,
                size=1,
                seconds=1.0,
                place=number,
            )
        )
        if len(group) == GROUP:
            journal.record(group)
            group.clear()
    journal.record(group)
    journal.close()


async def resume(directory: Path, rows: int) -> tuple[float, float]:
    """Seconds, and seconds of CPU, until the one new row is sent."""
    dispatched = cpu = 0.0

    def handler(_: httpx.Request) -> httpx.Response:
        nonlocal dispatched, cpu
        dispatched, cpu = time.perf_counter() - started, time.process_time() - begun
        return httpx.Response(400, json={})

    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    started, begun, resumed = time.perf_counter(), time.process_time(), 0
    async with AsyncClient(api_key="bench", http_client=http) as tts:
        async with tts.batch(texts(rows + 1), to=directory) as results:
            async for result in results:
                resumed += result.resumed
    assert resumed == rows, resumed
    return dispatched, cpu


def peak() -> float:
    """Peak resident memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def yardstick() -> float:
    """Microseconds of CPU for one small document: about 2 on a quiet machine of 2025."""
    document, before = {"a": [1, 2, 3], "b": "text" * 10}, time.process_time()
    for _ in range(20_000):
        json.dumps(document)
    return (time.process_time() - before) / 20_000 * 1e6


def main(rows: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), rows)
        before = peak()
        took, cpu = anyio.run(resume, Path(name), rows)
        print(
            f"{rows} rows skipped: first new row after {took:.1f} s, {cpu:.1f} s of CPU, "
            f"+{peak() - before:.1f} MB (yardstick {yardstick():.1f} us)"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
