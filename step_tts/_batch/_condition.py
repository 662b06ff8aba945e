"""Wakes tasks that wait for a change; costs nothing while nobody waits.

Like ``asyncio.Condition`` without the lock: there is only one thread.
"""

from __future__ import annotations

from step_tts._runtime import Signal

__all__ = ["Condition"]


class Condition:
    """A task that waits checks what it waits for again after every notice.

    Nothing may await between that check and the wait, or a notice is missed.
    """

    def __init__(self) -> None:
        self._next: Signal | None = None

    def notify_all(self) -> None:
        """Wake all waiting tasks."""
        if self._next:
            self._next.set()
            self._next = None

    async def wait(self) -> None:
        """Wait for the next notice."""
        self._next = self._next or Signal()
        await self._next.wait()
