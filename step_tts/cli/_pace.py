"""How fast a batch goes, estimated from its last two minutes, and how long it will take.

Only rows that were spoken or failed in this run count: those finished in an earlier one fly by, and
say nothing about the rest. The clock is handed in.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pace"]

WINDOW_SECONDS = 120
"""One text can take many seconds (wire.md §2.3), and so can a pause."""


@attrs.define
class _Second:
    """What was done in one second."""

    number: int
    rows: int = 0
    weight: float = 0.0
    audio: float = 0.0


@attrs.define
class Pace:
    """Rates over a sliding window."""

    _clock: Callable[[], float] = time.monotonic
    _began: float = attrs.field(init=False)
    _seconds: deque[_Second] = attrs.field(factory=deque)

    def __attrs_post_init__(self) -> None:
        self._began = self._clock()

    def add(self, weight: float, audio: float) -> None:
        """Count a row: its share of the input, and the seconds of audio it became."""
        number = int(self._clock())
        if not self._seconds or self._seconds[-1].number != number:
            self._forget(number)
            self._seconds.append(_Second(number))
        second = self._seconds[-1]
        second.rows += 1
        second.weight += weight
        second.audio += audio

    def rates(self) -> tuple[float, float]:
        """Rows, and seconds of audio, per second."""
        self._forget(int(self._clock()))
        span = self._span()
        rows = sum(second.rows for second in self._seconds)
        return rows / span, sum(second.audio for second in self._seconds) / span

    def left(self, weight: float) -> float | None:
        """Seconds until this much more of the input is done; ``None`` while nothing moves."""
        done = sum(second.weight for second in self._seconds)
        return weight * self._span() / done if done else None

    def _span(self) -> float:
        return min(max(self._clock() - self._began, 1.0), float(WINDOW_SECONDS))

    def _forget(self, now: int) -> None:
        while self._seconds and self._seconds[0].number <= now - WINDOW_SECONDS:
            self._seconds.popleft()
