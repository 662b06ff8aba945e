"""The deadlines of one call, each with its own error.

Does arithmetic on the event loop's clock. Waits for nothing: engines keep the times it gives.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from step_tts._errors import (
    APITimeoutError,
    FirstByteTimeoutError,
    StallTimeoutError,
    TotalTimeoutError,
)
from step_tts._runtime import clock

if TYPE_CHECKING:
    from step_tts._policies import Timeouts

__all__ = ["Deadlines"]


class Deadlines:
    """The deadlines of one call, over all its attempts.

    ``total`` runs while this package works or waits for the server. A reader that takes its
    time between two pieces moves it along: see ``paused`` and ``resumed``.

    Attributes:
        now: The event loop's clock.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self.now = clock()
        self._total_at: float | None = None
        self._first_byte_at = math.inf
        self._paused_at: float | None = None
        self._next: type[APITimeoutError] = FirstByteTimeoutError

    def start_attempt(self) -> float:
        """Start the wait for a first byte, with the first attempt the total too; gives the time."""
        now = self.now()
        self._first_byte_at = now + _seconds(self.timeouts.first_byte)
        if self._total_at is None:
            self._total_at = now + _seconds(self.timeouts.total)
        return now

    def paused(self) -> None:
        """Note that the reader has the turn."""
        self._paused_at = self.now()

    def resumed(self) -> None:
        """Take the turn back; the time the reader took is not the server's fault."""
        if self._paused_at is not None and self._total_at is not None:
            self._total_at += self.now() - self._paused_at
        self._paused_at = None

    def leave_room_for(self, seconds: float) -> bool:
        """Whether a pause of so many seconds ends before the total deadline."""
        return self._total_at is None or self.now() + seconds < self._total_at

    def left(self) -> float:
        """Seconds until the total deadline; before the first attempt, all there are."""
        if self._total_at is None:
            return _seconds(self.timeouts.total)
        return self._total_at - self.now()

    def total(self) -> float:
        """When the whole call is due."""
        return self._soonest(math.inf, TotalTimeoutError)

    def first_byte(self) -> float:
        """When the first byte is due, or the whole call if that is sooner."""
        return self._soonest(self._first_byte_at, FirstByteTimeoutError)

    def stall(self) -> float:
        """When the next piece of a body is due, or the whole call if that is sooner."""
        return self._soonest(self.now() + _seconds(self.timeouts.stall), StallTimeoutError)

    def late(self) -> APITimeoutError:
        """The error for missing the time last asked for."""
        error = self._next(self._sentence())
        error.sent = True
        return error

    def _soonest(self, stage_at: float, stage: type[APITimeoutError]) -> float:
        if self._total_at is not None and self._total_at <= stage_at:
            self._next = TotalTimeoutError
            return self._total_at
        self._next = stage
        return stage_at

    def _sentence(self) -> str:
        if self._next is FirstByteTimeoutError:
            return f"No audio arrived within {self.timeouts.first_byte:g} s."
        if self._next is StallTimeoutError:
            return f"No more audio arrived for {self.timeouts.stall:g} s."
        return f"The call took longer than {self.timeouts.total:g} s."


def _seconds(timeout: float | None) -> float:
    return math.inf if timeout is None else timeout
