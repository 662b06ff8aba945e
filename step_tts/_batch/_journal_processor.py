"""Row by row, with a journal: is it done already, is it being done, or must it be spoken?

Skips what is finished, takes up what a killed run left, lets equal rows share one synthesis, and
reports a row only when the journal has it. Imported only where a journal is kept.
"""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING

import attrs

from step_tts._batch._circuit import is_rows_own
from step_tts._batch._keys import fold
from step_tts._batch._leftovers import adopt
from step_tts._batch._processor import Processor, Row, Speak, request_of
from step_tts._batch._records import NOTHING, Finding
from step_tts._batch._results import Resumed, failure_of, record_of, saved_of
from step_tts._errors import SaveError, StepTTSError
from step_tts._files import copy
from step_tts._formats import path_for
from step_tts._models import BatchResult, SavedSpeech
from step_tts._runtime import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from step_tts._batch._async_journal import AsyncJournal
    from step_tts._batch._destination import Destination
    from step_tts._batch._records import Begun, Columns, Found

__all__ = ["JournalProcessor"]

# Looked up many at a time, a million finished rows are skipped in seconds, and workers seldom
# wait for a row.
AHEAD_ROWS = 512
# A commit that is flushed to the disk costs the same for one row as for 256.
LINGER_SECONDS = 0.05


class JournalProcessor(Processor):
    """Speaks what the journal does not know yet, and lets it know."""

    ahead = AHEAD_ROWS
    linger = LINGER_SECONDS

    def __init__(
        self, speak: Speak, journal: AsyncJournal, destination: Destination, *, keep_failures: bool
    ) -> None:
        super().__init__(speak)
        self._journal = journal
        self._destination = destination
        self._keep_failures = keep_failures
        self._skips = True
        """Whether rows were done of late: then it pays to ask for that before they are named."""
        self._leaders: dict[bytes, Row] = {}
        """By request: the row that is spoken, or will be, for all that ask for the same."""

    async def look_up(
        self, rows: Sequence[Row], name: Callable[[Row], None]
    ) -> Sequence[Row | BatchResult]:
        """Ask the journal for all of them at once: what is done, then what it knows of others."""
        self._digest(rows)
        done = await self._done(rows) if self._skips else {}
        others = [row for row in rows if row.place not in done]
        for row in others:
            name(row)
        found = iter(await self._found([row for row in others if row.digest]))
        looked_up: list[Row | BatchResult] = []
        directory = self._destination.directory
        for row in rows:
            if columns := done.get(row.place):
                looked_up.append(Resumed(row.index, row.name, columns, directory))
            else:
                looked_up.append(self._placed(row, next(found)) if row.digest else row)
        self._skips = any(isinstance(each, BatchResult) for each in looked_up)
        return looked_up

    async def _done(self, rows: Sequence[Row]) -> Mapping[int, Columns]:
        """Of rows that are named by their numbers those that are done, by ``place``."""
        asked = {row.place: row.digest for row in rows if row.place >= 0 and row.digest}
        return await self._journal.done(asked) if asked else {}

    async def _found(self, rows: Sequence[Row]) -> Sequence[Found]:
        """What is known of rows by their names."""
        if not rows:
            return ()
        return await self._journal.claim([(fold(row.name), row.digest) for row in rows])

    async def result(self, row: Row) -> BatchResult:
        """Take up, share or speak a row."""
        try:
            if row.finding is NOTHING and row.leader is None:
                row.result = await super().result(row)
            else:
                row.result = await self._obtained(row)
        except BaseException:
            self._land(row)
            raise
        return row.result

    async def keep(self, ended: Sequence[tuple[Row, BatchResult]]) -> None:
        """Have rows recorded; only then may the rows that wait for them go on."""
        now = int(time.time())
        try:
            await self._journal.record(
                [record_of(result, row.digest, row.place, now) for row, result in ended]
            )
        except StepTTSError as error:
            for row, _ in ended:
                row.error = error
                self._land(row)
            raise
        for row, _ in ended:
            self._land(row)

    def _land(self, row: Row) -> None:
        """Let go of those that wait for a row, if any do."""
        if self._leaders.get(row.digest) is row:
            del self._leaders[row.digest]
            if row.landed:
                row.landed.set()

    def _digest(self, rows: Sequence[Row]) -> None:
        """Most rows are texts alone, which are digested before their requests are made."""
        text_key = self._destination.text_key
        for row in rows:
            row.digest = text_key(row.input) if isinstance(row.input, str) else self._key_of(row)

    def _key_of(self, row: Row) -> bytes:
        try:
            return self._destination.key(request_of(row)) or b""
        except StepTTSError:
            return b""  # It is refused when it is to be spoken.

    def _placed(self, row: Row, found: Found) -> Row | BatchResult:
        """A finished row is a result; of equal rows that are not, the first one leads.

        No await stands between the journal's answer and the look at the leaders: one is
        forgotten only after its record is committed, so one or the other knows of it.
        """
        if not isinstance(found, Finding):
            return Resumed(row.index, row.name, found, self._destination.directory)
        if found.failed and self._keep_failures and is_rows_own(found.failed.error):
            error = failure_of(found.failed)
            return BatchResult(index=row.index, name=row.name, error=error, resumed=True)
        row.finding, row.leader = found, self._leaders.get(row.digest)
        if row.leader is None and found.twin is None:
            self._leaders[row.digest] = row
        return row

    async def _obtained(self, row: Row) -> BatchResult:
        finding = row.finding or NOTHING
        if finding.begun is not None and (adopted := await self._adopted(row, finding.begun)):
            return adopted
        if finding.twin:
            twin = saved_of(finding.twin, self._destination.directory, row.name)
            return await self._copied(row, twin)
        if row.leader:
            return await self._awaited(row, row.leader)
        return await super().result(row)

    async def _adopted(self, row: Row, begun: Begun) -> BatchResult | None:
        """What a killed run had finished but not recorded."""
        to = self._destination
        asked = to.directory / row.name
        saved = await to.files.settle(lambda: adopt(asked, begun))
        if saved is None:
            return None
        return BatchResult(index=row.index, name=row.name, saved=saved, resumed=True)

    async def _awaited(self, row: Row, leader: Row) -> BatchResult:
        """The result of an equal row that is being spoken."""
        if self._leaders.get(leader.digest) is leader:
            leader.landed = leader.landed or Signal()
            await leader.landed.wait()
        if leader.error:
            raise leader.error  # It could not be recorded, and neither could this one.
        if leader.result and leader.result.saved:
            return await self._copied(row, leader.result.saved)
        if leader.result:
            return attrs.evolve(leader.result, index=row.index, name=row.name, shared=True)
        return await super().result(row)

    async def _copied(self, row: Row, twin: SavedSpeech) -> BatchResult:
        """The row's own file, made of an equal row's."""
        to = self._destination
        asked = to.directory / row.name
        target = path_for(asked, twin.info.format)
        try:
            await to.files.settle(lambda: copy(twin.path, target, durable=to.durable))
        except SaveError as error:
            if error.errno != errno.ENOENT:
                return BatchResult(index=row.index, name=row.name, error=error)
            return await super().result(row)  # It has gone meanwhile.
        saved = attrs.evolve(twin, path=target, asked=asked)
        return BatchResult(index=row.index, name=row.name, saved=saved, shared=True)
