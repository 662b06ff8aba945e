"""The deadlines of one call, each with its own error.

Knows clocks and cancel scopes. Does not know what the steps it times do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import anyio

from step_tts._errors import (
    APITimeoutError,
    FirstByteTimeoutError,
    StallTimeoutError,
    TotalTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from step_tts._models import Timeouts

__all__ = ["Deadlines"]

T = TypeVar("T")


class Deadlines:
    """The deadlines of one call, over all its attempts.

    ``total`` runs while this package works or waits for the server. A reader that takes its
    time between two pieces moves it along: see ``paused`` and ``resumed``.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self._total_at: float | None = None
        self._first_byte_at = math.inf
        self._paused_at: float | None = None

    def start_attempt(self) -> None:
        """Start the wait for a first byte; with the first attempt, the total too."""
        self._first_byte_at = _after(self.timeouts.first_byte)
        if self._total_at is None:
            self._total_at = _after(self.timeouts.total)

    def paused(self) -> None:
        """Note that the reader has the turn."""
        self._paused_at = anyio.current_time()

    def resumed(self) -> None:
        """Take the turn back; the time the reader took is not the server's fault."""
        if self._paused_at is not None and self._total_at is not None:
            self._total_at += anyio.current_time() - self._paused_at
        self._paused_at = None

    def leave_room_for(self, seconds: float) -> bool:
        """Whether a pause of so many seconds ends before the total deadline."""
        return self._total_at is None or anyio.current_time() + seconds < self._total_at

    async def first_byte(self, step: Callable[[], Awaitable[T]]) -> T:
        """Run one step that must end before the first byte is due.

        Raises:
            FirstByteTimeoutError: It did not.
            TotalTimeoutError: The call as a whole has run out of time.
        """
        return await self._within(self._first_byte_at, step, FirstByteTimeoutError)

    async def stall(self, step: Callable[[], Awaitable[T]]) -> T:
        """Run one step between two pieces of a body.

        Raises:
            StallTimeoutError: It took too long.
            TotalTimeoutError: The call as a whole has run out of time.
        """
        return await self._within(_after(self.timeouts.stall), step, StallTimeoutError)

    async def _within(
        self, stage_at: float, step: Callable[[], Awaitable[T]], late: type[APITimeoutError]
    ) -> T:
        total_at = math.inf if self._total_at is None else self._total_at
        with anyio.CancelScope(deadline=min(stage_at, total_at)):
            return await step()
        error = self._too_late(TotalTimeoutError if total_at <= stage_at else late)
        error.sent = True
        raise error

    def _too_late(self, kind: type[APITimeoutError]) -> APITimeoutError:
        if kind is FirstByteTimeoutError:
            return kind(f"No audio came within {self.timeouts.first_byte} s.")
        if kind is StallTimeoutError:
            return kind(f"No more audio came for {self.timeouts.stall} s.")
        return kind(f"The call took longer than {self.timeouts.total} s.")


def _after(seconds: float | None) -> float:
    return math.inf if seconds is None else anyio.current_time() + seconds
