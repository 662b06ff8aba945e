"""The one who writes the journal: gathers what many workers report into one commit.

The async side of a journal. All calls go through one thread at a time. Claims go at once, and
take along what was reported so far; reports alone wait a moment for company, since a commit that
is flushed to the disk costs the same for one row as for 256. Nobody is told that a row is done
before it is committed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from step_tts._batch._journal import Journal
    from step_tts._batch._records import Claim, Finding, Record

__all__ = ["InThread", "Scribe", "Writer"]

GROUP_ROWS = 256
LINGER_SECONDS = 0.02
FLUSH_SECONDS = 30.0


@attrs.define(eq=False)
class _Slip:
    """What one caller brought, and what came of it."""

    records: Sequence[Record] = ()
    claims: Sequence[Claim] = ()
    findings: list[Finding] = attrs.field(factory=list)
    error: Exception | None = None
    done: anyio.Event = attrs.field(factory=anyio.Event)


class Writer:
    """How a group reaches the journal; here directly, for journals in memory."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def apply(self, records: Sequence[Record], claims: Sequence[Claim]) -> list[Finding]:
        """Hand one group to the journal."""
        await anyio.lowlevel.checkpoint()
        return self._journal.apply(records, claims)


class InThread(Writer):
    """A group goes through a worker thread, one at a time."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self._one = anyio.CapacityLimiter(1)

    async def apply(self, records: Sequence[Record], claims: Sequence[Claim]) -> list[Finding]:
        """Hand one group to the journal; once begun it ends, cancelled or not."""
        return await anyio.to_thread.run_sync(
            self._journal.apply, records, claims, limiter=self._one
        )


class Scribe:
    """Takes claims and reports from tasks, and writes them in groups."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._slips: list[_Slip] = []
        self._came = anyio.Event()

    async def claim(self, claims: Sequence[Claim]) -> list[Finding]:
        """Look up rows that are about to begin, and note that they are."""
        return (await self._handed(_Slip(claims=claims))).findings

    async def record(self, record: Record) -> None:
        """Report a row; returns when that is committed.

        Cancelled, it stops waiting; the report itself is committed all the same.
        """
        await self._handed(_Slip(records=(record,)))

    async def write(self) -> None:
        """Write group after group until cancelled."""
        while True:
            await self._came.wait()
            if not self._urgent():
                await self._linger()
            await self._write_group()

    async def flush(self) -> None:
        """Write what nobody waits for any more, under a bounded shield."""
        with anyio.move_on_after(FLUSH_SECONDS, shield=True):
            while self._slips:
                await self._write_group()

    async def _handed(self, slip: _Slip) -> _Slip:
        self._slips.append(slip)
        self._came.set()
        await slip.done.wait()
        if slip.error:
            raise slip.error
        return slip

    def _urgent(self) -> bool:
        return len(self._slips) >= GROUP_ROWS or any(slip.claims for slip in self._slips)

    async def _linger(self) -> None:
        with anyio.move_on_after(LINGER_SECONDS):
            while not self._urgent():
                self._came = anyio.Event()
                await self._came.wait()

    async def _write_group(self) -> None:
        group, self._slips = self._slips[:GROUP_ROWS], self._slips[GROUP_ROWS:]
        if not self._slips:
            self._came = anyio.Event()
        records = [record for slip in group for record in slip.records]
        claims = [claim for slip in group for claim in slip.claims]
        try:
            findings = iter(await self._writer.apply(records, claims))
        except Exception as error:  # noqa: BLE001  raised by everybody who had a part in it
            _tell(group, error)
            return
        except BaseException:
            # Cancelled, perhaps before it reached the journal: ``flush`` writes it (again).
            self._slips[:0] = group
            raise
        for slip in group:
            slip.findings = [next(findings) for _ in slip.claims]
        _tell(group, None)


def _tell(group: Sequence[_Slip], error: Exception | None) -> None:
    for slip in group:
        slip.error = error
        slip.done.set()
