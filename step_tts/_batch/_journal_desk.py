"""Row by row, with a journal: is it done already, is it being done, or must it be spoken?

Skips what is finished, takes up what a killed run left, lets equal rows share one synthesis, and
reports a row only when the journal has it. Imported only where a journal is kept.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Protocol, TypeVar

import attrs

from step_tts._batch._circuit import FATAL_NAMES
from step_tts._batch._desk import Desk, Flight, Row, Speak, request_of
from step_tts._batch._files import adopt, copy
from step_tts._batch._keys import fold
from step_tts._batch._records import NOTHING, Claim, Resumed, failure_of, record_of, saved_of
from step_tts._errors import SaveError, StepTTSError
from step_tts._models import BatchItem, BatchResult, SavedSpeech, SpeechRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from step_tts._batch._records import Begun, Finding, Record
    from step_tts._batch._scribe import Scribe
    from step_tts._models import AudioInfo

__all__ = ["JournalDesk", "Shelf"]

T = TypeVar("T")

# Finished rows are looked up many at a time, so that skipping a million takes seconds.
SKIP_ROWS, CLAIM_ROWS = 512, 128
# A commit that is flushed to the disk costs the same for one row as for 256.
LINGER_SECONDS = 0.05


class Shelf(Protocol):
    """What a desk needs to know of requests and files; the client brings it."""

    @property
    def directory(self) -> Path:
        """Where the files stand."""
        ...

    @property
    def durable(self) -> bool:
        """Whether files shall survive a power cut."""
        ...

    def key(self, request: SpeechRequest | str) -> bytes | None:
        """The digest of a request, or of one that says nothing but its text."""
        ...

    def inspect(self, path: Path) -> AudioInfo:
        """Check a file; blocks."""
        ...

    def path_for(self, asked: Path, info: AudioInfo) -> Path:
        """Where audio of this kind stands when this path was asked for."""
        ...

    async def settle(self, step: Callable[[], T]) -> T:
        """Run a blocking step in a thread; raises ``SaveError`` for ``OSError``."""
        ...


class JournalDesk(Desk):
    """Speaks what the journal does not know yet, and lets it know."""

    linger = LINGER_SECONDS

    def __init__(self, speak: Speak, scribe: Scribe, shelf: Shelf, *, keep_failures: bool) -> None:
        super().__init__(speak)
        self._scribe = scribe
        self._shelf = shelf
        self._keep_failures = keep_failures
        self._flights: dict[bytes, Flight] = {}
        self.ahead = CLAIM_ROWS

    async def look_up(self, rows: Sequence[Row]) -> Sequence[Row | BatchResult]:
        """Ask the journal for all of them at once."""
        for row in rows:
            row.key = self._key_of(row)
        claims = [Claim(fold(row.name), row.key) for row in rows if row.key]
        findings = iter(await self._scribe.claim(claims))
        found = [self._placed(row, next(findings)) if row.key else row for row in rows]
        skipped = all(isinstance(each, BatchResult) for each in found)
        self.ahead = min(2 * self.ahead, SKIP_ROWS) if skipped else CLAIM_ROWS
        return found

    async def result(self, row: Row) -> BatchResult:
        """Take up, share or speak a row."""
        try:
            if row.finding is NOTHING and row.leads:
                result = await super().result(row)
            else:
                result = await self._obtained(row)
        except BaseException:
            self._land(row, None)
            raise
        if row.leads and row.flight:
            row.flight.result = result
        return result

    async def keep(self, ended: Sequence[tuple[Row, BatchResult]]) -> None:
        """Have rows recorded; only then may the rows that wait for them go on."""
        try:
            await self._scribe.record([record_of(result, row.key or b"") for row, result in ended])
        except StepTTSError as error:
            for row, _ in ended:
                self._land(row, error)
            raise
        for row, _ in ended:
            self._land(row, None)

    def _land(self, row: Row, error: StepTTSError | None) -> None:
        if row.leads and row.flight:
            row.flight.error = error
            row.flight.landed.set()
            if self._flights.get(row.key or b"") is row.flight:
                del self._flights[row.key or b""]

    def _key_of(self, row: Row) -> bytes | None:
        given = row.input.input if isinstance(row.input, BatchItem) else row.input
        try:
            if isinstance(given, str) and not row.refused:
                return self._shelf.key(given)
            return self._shelf.key(request_of(row))
        except StepTTSError:
            return None  # It is refused when it is to be spoken.

    def _placed(self, row: Row, finding: Finding) -> Row | BatchResult:
        """A finished row is a result; of equal rows that are not, the first one leads.

        No await stands between the journal's answer and the look at the flights: a flight is
        forgotten only after its record is committed, so one or the other knows of it.
        """
        if finding.done:
            return Resumed(row.index, row.name, finding.done, self._shelf.directory)
        if finding.failed and self._keeps(finding.failed):
            error = failure_of(finding.failed)
            return BatchResult(index=row.index, name=row.name, error=error, resumed=True)
        assert row.key is not None  # noqa: S101  rows without are not looked up
        row.finding, row.flight = finding, self._flights.get(row.key)
        if row.flight is None and finding.twin is None:
            row.leads = True
            row.flight = self._flights[row.key] = Flight()
        return row

    def _keeps(self, failed: Record) -> bool:
        """A wrong key or an empty account was not the row's fault: it is always tried again."""
        return self._keep_failures and failed.error not in FATAL_NAMES

    async def _obtained(self, row: Row) -> BatchResult:
        finding = row.finding or NOTHING
        if finding.begun is not None and (adopted := await self._adopted(row, finding.begun)):
            return adopted
        if finding.twin:
            return await self._copied(row, saved_of(finding.twin, self._shelf.directory, row.name))
        if row.flight and not row.leads:
            return await self._awaited(row, row.flight)
        return await super().result(row)

    async def _adopted(self, row: Row, begun: Begun) -> BatchResult | None:
        """What a killed run had finished but not recorded."""
        shelf = self._shelf
        asked = shelf.directory / row.name
        saved = await shelf.settle(lambda: adopt(asked, begun, shelf.inspect))
        if saved is None:
            return None
        return BatchResult(index=row.index, name=row.name, saved=saved, resumed=True)

    async def _awaited(self, row: Row, flight: Flight) -> BatchResult:
        """The result of an equal row that is being spoken."""
        await flight.landed.wait()
        if flight.error:
            raise flight.error  # It could not be recorded, and neither could this one.
        if flight.result and flight.result.saved:
            return await self._copied(row, flight.result.saved)
        if flight.result:
            return attrs.evolve(flight.result, index=row.index, name=row.name, shared=True)
        return await super().result(row)

    async def _copied(self, row: Row, twin: SavedSpeech) -> BatchResult:
        """The row's own file, made of an equal row's."""
        asked = self._shelf.directory / row.name
        target = self._shelf.path_for(asked, twin.info)
        try:
            await self._shelf.settle(lambda: copy(twin.path, target, durable=self._shelf.durable))
        except SaveError as error:
            if error.errno != errno.ENOENT:
                return BatchResult(index=row.index, name=row.name, error=error)
            return await super().result(row)  # It has gone meanwhile.
        saved = attrs.evolve(twin, path=target, asked=asked)
        return BatchResult(index=row.index, name=row.name, saved=saved, shared=True)
