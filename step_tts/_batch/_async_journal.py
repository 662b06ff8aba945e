"""The async side of the journal.

All calls go through one thread at a time, and what has begun there ends, cancelled or not.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio

from step_tts._runtime import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from step_tts._batch._journal import Journal
    from step_tts._batch._records import Claim, Columns, Found, Record

__all__ = ["AsyncJournal"]


class AsyncJournal:
    """Writes a journal, which blocks, in a thread."""

    def __init__(self, journal: Journal, before: Callable[[], object] = bool) -> None:
        self._journal = journal
        self._before = before
        """Called on the event loop before the journal is."""
        self._thread = Threads(1)

    async def done(self, asked: Mapping[int, bytes]) -> dict[int, Columns]:
        """Look up rows that are named by their numbers and may be done."""
        self._before()
        return await self._thread.run(partial(self._journal.done, asked))

    async def claim(self, claims: Sequence[Claim]) -> list[Found]:
        """Look up rows that are about to begin, and note that they are."""
        self._before()
        return await self._thread.run(partial(self._journal.claim, claims))

    async def record(self, records: Sequence[Record]) -> None:
        """Commit rows that have ended."""
        self._before()
        await self._thread.run(partial(self._journal.record, records))

    async def aclose(self) -> None:
        """Let go of the lock, cancelled or not."""
        try:
            with anyio.CancelScope(shield=True):  # Bounded by whoever closes the journal.
                await self._thread.run(self._journal.close)
        finally:
            self._thread.dismiss()
