"""Wakes tasks that wait for a change; costs nothing while nobody waits."""

from __future__ import annotations

import anyio

__all__ = ["Bell"]


class Bell:
    """Who waits looks again, whenever it is rung, at what they wait for.

    Between that look and the wait nothing may await, or a ring is missed.
    """

    def __init__(self) -> None:
        self._event: anyio.Event | None = None

    def ring(self) -> None:
        """Wake all who wait."""
        if self._event:
            self._event.set()
            self._event = None

    async def rung(self) -> None:
        """Wait for the next ring."""
        self._event = self._event or anyio.Event()
        await self._event.wait()
