"""What whole answers take: their running mean, and whether they take ever longer.

Pure. A server that queues instead of refusing shows its limit only here. Long texts take longer
by nature, so latencies are first brought to the length of a typical text.
"""

from __future__ import annotations

import math
from collections import deque

import attrs

__all__ = ["Latency"]

MEAN_WEIGHT = 0.05  # of one more answer in the running mean
FEWEST = 8  # answers before their mean is worth remembering as the least
FIT_WEIGHT = 0.02  # of one more answer in the fit of latency against length
DRIFT = 1.0002  # per answer: what was quick an hour ago need not be possible now
LATEST = 16
HELD_UP = 0.75  # of the latest: a queue spares nobody, a law that spreads widely has quick ones
CROWDED = 2.5  # times its own minimum; at 2 the limit recovers 3 % slower after it was raised


@attrs.define
class Latency:
    """Statistics of the answers so far, in seconds."""

    mean: float | None = None
    """Seconds to the last byte of a whole answer; ``None`` before the first."""
    _least: float = math.inf
    _seen: int = 0
    _latest: deque[float] = attrs.field(factory=lambda: deque(maxlen=LATEST))
    _cost: _Cost = attrs.field(factory=lambda: _Cost())  # noqa: PLW0108  defined below

    @property
    def seconds(self) -> float:
        """The same, where none is known yet nothing."""
        return self.mean or 0.0

    @property
    def lengths(self) -> tuple[float, float]:
        """Of the texts that were answered: the mean of their characters, and of the square."""
        return self._cost.lengths

    @property
    def crowded(self) -> bool:
        """Whether answers take so much longer than they did that the server must be queueing.

        A queue holds up nearly every answer. Where they merely spread widely, the first to come
        are the quickest of those under way, and beside their mean the usual ones look like a crowd.
        """
        if self.seconds <= CROWDED * self._least:
            return False
        return sum(seconds > self._least for seconds in self._latest) >= HELD_UP * LATEST

    def forget(self) -> None:
        """Forget the least: a server that refuses does not queue."""
        self._least = math.inf

    def add(self, seconds: float, characters: int) -> None:
        """Note one whole answer, of a text of so many characters."""
        usual = self._cost.usual(seconds, characters)
        self._seen += 1
        self._latest.append(usual)
        mean = self.mean or usual
        self.mean = mean = mean + max(MEAN_WEIGHT, 1 / self._seen) * (usual - mean)
        if self._seen >= FEWEST:
            self._least = min(self._least * DRIFT, mean)


@attrs.define
class _Cost:
    """How latency depends on length: a line through exponentially forgotten points."""

    _seen: int = 0
    _x: float = 0.0
    _y: float = 0.0
    _xx: float = 0.0
    _xy: float = 0.0

    @property
    def lengths(self) -> tuple[float, float]:
        """The mean of the characters, and of their square."""
        return self._x, self._x * self._x + self._xx

    def usual(self, seconds: float, characters: int) -> float:
        """What a text of the mean length would have taken; the line moves towards the point."""
        longer, slower = characters - self._x, seconds - self._y
        if self._xy > 0 and self._y:
            # A line that meets zero before length zero would promise long texts for nothing.
            slope = min(self._xy / self._xx, self._y / self._x)
            usual = seconds / max(0.1, 1 + slope * longer / self._y)
        else:
            usual = seconds
        self._seen += 1
        weight = max(FIT_WEIGHT, 1 / self._seen)
        self._x += weight * longer
        self._y += weight * slower
        self._xx = (1 - weight) * (self._xx + weight * longer * longer)
        self._xy = (1 - weight) * (self._xy + weight * longer * slower)
        return usual
