"""CPU that the journal costs per row, both directions and the hops to its thread included.

``python tests/benchmarks/journal_cost.py [ROWS]``: one task claims rows in blocks of eight and
64 report them one by one, as a batch does; no HTTP, no audio.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from step_tts._batch._records import Claim, Record
from step_tts._batch._resume import open_scribe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from step_tts._batch._scribe import Scribe

WORKERS, BLOCK = 64, 8


def record(number: int) -> Record:
    """A finished row as real batches have it."""
    name = f"{number:07d}-the-first-words-of-it"
    request = hashlib.blake2b(name.encode(), digest_size=16).digest()
    return Record(
        key=name,
        request=request,
        name=name,
        ordinal=number,
        state="done",
        attempts=1,
        path=f"{name}.mp3",
        sha256=request.hex() * 2,
        format="mp3",
        seconds=3.2,
        sample_rate=24000,
        channels=1,
        codec="mp3",
        checked="frames",
        received=38_400,
        request_id=request.hex(),
        queued=0.0,
        first_byte=1.2,
        total=1.3,
    )


async def report(scribe: Scribe, numbers: Iterator[int]) -> None:
    """One worker: reports row after row."""
    for number in numbers:
        await scribe.record(record(number))


async def claim(scribe: Scribe, rows: int) -> None:
    """The feeder: claims all rows, a block at a time."""
    for start in range(0, rows, BLOCK):
        block = map(record, range(start, start + BLOCK))
        await scribe.claim([Claim(row.key, row.request) for row in block])


async def run(directory: Path, rows: int) -> float:
    """Seconds of CPU for so many rows."""
    numbers = iter(range(rows))
    async with open_scribe(directory, {}, durable=True) as scribe:
        async with anyio.create_task_group() as writing:
            writing.start_soon(scribe.write)
            before = time.process_time()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(claim, scribe, rows)
                for _ in range(WORKERS):
                    tasks.start_soon(report, scribe, numbers)
            took = time.process_time() - before
            writing.cancel_scope.cancel()
    return took


def main(rows: int) -> None:
    """Print the figure."""
    before = time.process_time()
    for number in range(rows):
        record(number)
    making = time.process_time() - before
    with tempfile.TemporaryDirectory() as directory:
        took = anyio.run(run, Path(directory), rows)
    print(f"{rows} rows: {1e6 * (took - 2 * making) / rows:.1f} us of CPU per row")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 64_000)
