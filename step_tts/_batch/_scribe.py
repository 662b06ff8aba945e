"""The one who keeps the journal: the async side of it.

All calls go through one thread at a time, and what has begun there ends, cancelled or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from step_tts._batch._journal import Journal
    from step_tts._batch._records import Claim, Finding, Record

__all__ = ["Scribe"]


class Scribe:
    """Writes a journal, which blocks, in a thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._one = anyio.CapacityLimiter(1)

    async def claim(self, claims: Sequence[Claim]) -> list[Finding]:
        """Look up rows that are about to begin, and note that they are."""
        return await anyio.to_thread.run_sync(self._journal.claim, claims, limiter=self._one)

    async def record(self, records: Sequence[Record]) -> None:
        """Commit rows that have ended."""
        await anyio.to_thread.run_sync(self._journal.record, records, limiter=self._one)
