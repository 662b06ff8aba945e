"""Wakes tasks that wait for a change; costs nothing while nobody waits.

What ``asyncio.Condition`` is, without its lock: there is one thread.
"""

from __future__ import annotations

from step_tts._runtime import Signal

__all__ = ["Condition"]


class Condition:
    """Who waits looks again, whenever notified, at what they wait for.

    Between that look and the wait nothing may await, or a notice is missed.
    """

    def __init__(self) -> None:
        self._next: Signal | None = None

    def notify_all(self) -> None:
        """Wake all who wait."""
        if self._next:
            self._next.set()
            self._next = None

    async def wait(self) -> None:
        """Wait for the next notice."""
        self._next = self._next or Signal()
        await self._next.wait()
