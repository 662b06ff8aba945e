"""Wakes tasks that wait for a change; costs nothing while nobody waits."""

from __future__ import annotations

from step_tts._loop import Signal

__all__ = ["Bell"]


class Bell:
    """Who waits looks again, whenever it is rung, at what they wait for.

    Between that look and the wait nothing may await, or a ring is missed.
    """

    def __init__(self) -> None:
        self._next: Signal | None = None

    def ring(self) -> None:
        """Wake all who wait."""
        if self._next:
            self._next.set()
            self._next = None

    async def rung(self) -> None:
        """Wait for the next ring."""
        self._next = self._next or Signal()
        await self._next.wait()
