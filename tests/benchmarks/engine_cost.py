"""CPU per row of what stands beside the HTTP call: the run, the gate and the journal.

``python tests/benchmarks/engine_cost.py [ROWS]``: the same batch over a transport that answers at
once and writes nothing, with 64 slots, its journal flushed to the disk. Medians of five rounds;
what a part costs is the difference between a batch with it and one without. The run's share holds
the transport's own turn of the loop, which is told as well; so is what of the journal's share is
the run's: where nothing waits for a server, workers wait for the rows before to be kept in a group.
Beside the journal stands the least that any such journal pays, in the same rounds: SQLite alone,
one row of 170 bytes put in and one looked up, flushed in the same groups. Shared machines change
their speed by half within the hour, so that the ratio tells more than either figure.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from contextlib import AsyncExitStack, closing
from functools import partial
from hashlib import blake2b
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import anyio

from step_tts import AudioFormat, AudioInfo, Concurrency, Receipt, SavedSpeech, SpeechRequest
from step_tts._attempt import Attempt
from step_tts._batch import Destination, Namer, Processor, open_batch
from step_tts._batch._journal_processor import JournalProcessor
from step_tts._batch._resume import open_journal
from step_tts._files import FileStore
from step_tts._gate import Gate
from step_tts._lane import Lane
from step_tts._models import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from step_tts._batch import Speak

SLOTS, ROUNDS = 64, 5
# Seconds. Told that answers take longer than they do, the gate would spread the sends over them.
ANSWERED_IN = 0.0001
FACTS = "x" * 150
INFO = AudioInfo(
    format=AudioFormat.MP3,
    size=38_400,
    duration=3.2,
    sample_rate=24000,
    channels=1,
    codec="mp3",
    checked="frames",
)
RECEIPT = Receipt(
    request_id="req-0123456789abcdef",
    attempts=(Attempt(number=1, outcome="ok", status_code=200, seconds=1.3),),
    queued=0.012_345_678,
    first_byte=1.234_567_891,
    total=1.345_678_912,
    sha256="0" * 64,
)


class Grouped(Processor):
    """Looks rows up and keeps them in groups as a journal does, and does nothing there."""

    ahead = JournalProcessor.ahead
    linger = JournalProcessor.linger


async def bare(rows: int) -> float:
    """Seconds of CPU for a table that keeps rows by their digests, and nothing else."""
    keys = [blake2b(text.encode(), digest_size=16).digest() for text in texts(rows)]
    with tempfile.TemporaryDirectory() as name, closing(sqlite3.connect(Path(name) / "db")) as db:
        for setting in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
            db.execute(f"PRAGMA {setting}")
        db.execute("CREATE TABLE rows (key BLOB PRIMARY KEY, facts TEXT) WITHOUT ROWID")
        before = time.process_time()
        for start in range(0, rows, JournalProcessor.ahead):
            group = keys[start : start + JournalProcessor.ahead]
            for key in group:
                db.execute("SELECT facts FROM rows WHERE key = ?", (key,)).fetchone()
            with db:
                db.executemany("INSERT INTO rows VALUES (?, ?)", [(key, FACTS) for key in group])
        return time.process_time() - before


def texts(rows: int) -> Iterator[str]:
    """Different texts of a sentence each."""
    return (f"This is sentence number {number} of a long book." for number in range(rows))


def speaker(directory: Path, gate: Gate | None, lane: Lane) -> Speak:
    """Answers at once, perhaps through a gate."""
    saved = SavedSpeech(
        path=directory / "clip.mp3", asked=directory / "clip", size=1, info=INFO, receipt=RECEIPT
    )

    async def speak(request: SpeechRequest, _: str) -> SavedSpeech:
        if gate is None:
            await anyio.lowlevel.checkpoint()
        else:
            async with gate.slot(characters=len(request.input), lane=lane) as slot:
                await anyio.lowlevel.checkpoint()
                slot.ok(ANSWERED_IN)
        return saved

    return speak


async def calls(rows: int) -> float:
    """Seconds of CPU for the transport alone."""
    speak, request = speaker(Path(), None, Lane()), SpeechRequest("-")
    numbers, before = iter(range(rows)), time.process_time()

    async def work() -> None:
        for _ in numbers:
            await speak(request, "")

    async with anyio.create_task_group() as tasks:
        for _ in range(SLOTS):
            tasks.start_soon(work)
    return time.process_time() - before


async def batch(
    rows: int, *, gated: bool = False, grouped: bool = False, journal: bool = False
) -> float:
    """Seconds of CPU."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        gate = Gate(Concurrency(fixed=SLOTS)) if gated else None
        async with AsyncExitStack() as stack:
            lane = stack.enter_context(gate.lane()) if gate else Lane()
            speak = speaker(directory, gate, lane)
            processor = Grouped(speak) if grouped else Processor(speak)
            if journal:
                destination = Destination(
                    files=FileStore(),
                    directory=directory,
                    durable=True,
                    model=DEFAULT_MODEL,
                    placement="nested",
                )
                opened = open_journal(directory, {}, durable=True, gate=Gate())
                kept = await stack.enter_async_context(opened)
                processor = JournalProcessor(speak, kept, destination, keep_failures=False)
            before, told = time.process_time(), 0
            async with open_batch(
                texts(rows),
                processor,
                workers=2 * SLOTS,
                in_order=False,
                namer=Namer(),
                lane=lane,
            ) as results:
                async for result in results:
                    told += result.ok
            took = time.process_time() - before
        assert told == rows
    return took


def main(rows: int) -> None:
    """Print the figures."""
    kinds: dict[str, Callable[[int], Awaitable[float]]] = {
        "transport": calls,
        "run": batch,
        "gate": partial(batch, gated=True),
        "groups": partial(batch, grouped=True),
        "journal": partial(batch, journal=True),
        "bare": bare,
    }
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        for kind, work in kinds.items():
            seconds = anyio.run(work, rows)
            took[kind].append(1e6 * seconds / rows)
    transport, run, bare_table = (median(took[kind]) for kind in ("transport", "run", "bare"))
    gate, groups, journal = (median(took[kind]) - run for kind in ("gate", "groups", "journal"))
    print(
        f"{rows} rows, us of CPU each: run {run:.1f} ({transport:.1f} of it the transport), "
        f"gate {gate:.1f}, journal {journal:.1f} ({groups:.1f} of it waits for groups; "
        f"a bare table {bare_table:.1f})"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
