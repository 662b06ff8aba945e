"""Opens the journal of a directory for a run, and closes it however the run ends."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING

import anyio

from step_tts._batch._async_journal import AsyncJournal
from step_tts._batch._journal import JournalFile
from step_tts._batch._journal_processor import JournalProcessor
from step_tts._batch._records import COLUMNS, MANIFEST, Facts, texts
from step_tts._batch._status import StatusFile
from step_tts._errors import SaveError
from step_tts._files import replace_text, sweep
from step_tts._runtime import Threads

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from step_tts._batch._destination import Destination
    from step_tts._batch._processor import Speak
    from step_tts._batch._records import Claim, Columns, Found, Record
    from step_tts._batch._status import GateState

__all__ = ["MANIFEST_NAME", "open_journal", "open_processor"]

MANIFEST_NAME = "manifest.jsonl"
_SECONDS = COLUMNS.index("seconds")
# A million lines take some seconds; after Ctrl-C nobody waits for ever.
EXPORT_SECONDS = 30.0
EXPORT_ROWS = 256
# Looked at in a few milliseconds.
SWEPT_ENTRIES = 10_000
_LINE = "{" + ", ".join(f'"{field}": %s' for field in MANIFEST) + "}\n"
_HELD = (*COLUMNS[COLUMNS.index("path") : COLUMNS.index("place")], *Facts._fields)
_values = itemgetter(*map(_HELD.index, MANIFEST.values()))


class _Watched:
    """A journal that reports progress to a status file."""

    def __init__(self, journal: JournalFile, directory: Path, gate: GateState) -> None:
        self._journal = journal
        self._status = StatusFile(directory)
        self._gate = gate

    def look(self) -> None:
        """Note the state of the gate; on the event loop, since that is the gate's clock."""
        self._status.look(self._gate)

    def done(self, asked: Mapping[int, bytes]) -> dict[int, Columns]:
        """Pass a group on, then count what is done already."""
        found = self._journal.done(asked)
        self._count(found.values())
        return found

    def claim(self, claims: Sequence[Claim]) -> list[Found]:
        """The same for others."""
        found = self._journal.claim(claims)
        self._count(row for row in found if isinstance(row, tuple))
        return found

    def _count(self, done: Iterable[Columns]) -> None:
        seconds = [row[_SECONDS] or 0.0 for row in done]
        self._status.count(done=len(seconds), seconds=sum(seconds))

    def record(self, records: Sequence[Record]) -> None:
        """Pass a group on, then count its outcome."""
        self._journal.record(records)
        done = [record for record in records if record.path]
        self._status.count(
            done=len(done),
            failed=len(records) - len(done),
            seconds=sum(record.seconds or 0.0 for record in done),
        )

    def close(self) -> None:
        """Write the manifest and close."""
        try:
            export(self._journal, self._status.directory)
            self._status.remove()
        finally:
            self._journal.close()


@asynccontextmanager
async def open_journal(
    directory: Path,
    options: Mapping[str, object],
    *,
    durable: bool,
    gate: GateState,
) -> AsyncGenerator[AsyncJournal, None]:
    """The journal of a directory; on leaving, the manifest is written.

    Raises:
        BatchInUseError: Another run has the journal.
        BatchOptionsError: It was begun with other options.
        SaveError: It cannot be opened or written.
    """
    watched = _Watched(
        await _opened(partial(_swept, directory, options, durable=durable)), directory, gate
    )
    journal = AsyncJournal(watched, watched.look)
    try:
        yield journal
    finally:
        await journal.aclose()  # Bounded by the deadline of the export.


def _swept(directory: Path, options: Mapping[str, object], *, durable: bool) -> JournalFile:
    """Open the journal, and remove the temporary files of a run that was killed.

    After a run that ended there can only be those of others, such as a single save, which are not
    worth going through perhaps a million files.
    """
    journal = JournalFile(directory, options, durable=durable)
    with suppress(OSError):  # Not every directory can be listed.
        sweep(directory, most=SWEPT_ENTRIES if journal.ended_before else None)
    return journal


async def _opened(open_it: Callable[[], JournalFile]) -> JournalFile:
    """Open a journal in a thread, and close it again if the task is cancelled meanwhile.

    anyio's own thread would be abandoned if asyncio itself cancels, with the lock held.
    """
    thread = Threads(1)
    opened: list[JournalFile] = []
    try:
        await thread.run(lambda: opened.append(open_it()))
    except BaseException:
        with anyio.CancelScope(shield=True):
            for journal in opened:
                await thread.run(journal.close)
        raise
    return opened[0]


@asynccontextmanager
async def open_processor(
    speak: Speak,
    destination: Destination,
    options: Mapping[str, object],
    *,
    gate: GateState,
    keep_failures: bool,
) -> AsyncGenerator[JournalProcessor, None]:
    """A processor that keeps the journal of a destination.

    Args:
        speak: Speaks a row.
        destination: Where the files go.
        options: What else must stay the same for a batch there.
        gate: The gate whose state the status file shows.
        keep_failures: Whether rows that failed before are not retried.

    Raises:
        BatchInUseError: Another run has the journal.
        BatchOptionsError: It was begun with other options.
        SaveError: It cannot be opened or written.
    """
    options = {**destination.options(), **options}
    directory, durable = destination.directory, destination.durable
    async with open_journal(directory, options, durable=durable, gate=gate) as journal:
        yield JournalProcessor(speak, journal, destination, keep_failures=keep_failures)


def export(journal: JournalFile, directory: Path) -> None:
    """Write the manifest, completely or not at all."""
    deadline = time.monotonic() + EXPORT_SECONDS
    try:
        replace_text(directory / MANIFEST_NAME, _lines(journal, deadline))
    except (TimeoutError, SaveError, OSError):
        return  # Everything is in the journal; the next run writes it.


def _lines(journal: JournalFile, deadline: float) -> Iterator[str]:
    """The lines, many to a string, which costs less than writing them one by one."""
    rows = journal.rows()
    while block := list(islice(rows, EXPORT_ROWS)):
        if time.monotonic() > deadline:
            raise TimeoutError
        yield "".join([_LINE % _values(held) for held in texts(block)])
