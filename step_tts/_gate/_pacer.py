"""How fast: even spacing, and the search for a rate limit that showed itself.

Pure. ``Spacing`` lets one through per interval. ``Pacer`` decides on a rate: it is off until a
refusal comes at a level that is known to work, for then the server counts requests per time and
not at once.
"""

from __future__ import annotations

import math
from collections import deque

import attrs

__all__ = ["Goodput", "Pacer", "Spacing"]

WINDOW_SECONDS = 15
KEPT = 0.95  # of what is known, after a refusal
# How the rate comes back: a cubic that is flat around what is known, in steps of a second, or of
# two requests where they are rarer. After each hit it is four times flatter.
CURVE = 0.001
FLATTER = 0.25
MOST_HITS = 4
REQUESTS = 2.0
LONGEST_STEP = 4.0
SQUEEZE = 0.6  # between what was let in, which is too little, and what was refused, too much
SHORTEST_SPAN = 0.1  # seconds
PASSED = 2.0  # times the rate: the limit has moved
SLACK_SECONDS = 0.05  # a timer may fire late without costing rate


@attrs.define
class Spacing:
    """One grain after the other, each as long as it costs (generic cell rate algorithm)."""

    _slack: float = SLACK_SECONDS
    ready_at: float = -math.inf
    """When the next may go."""

    def take(self, now: float, seconds: float) -> None:
        """Let one go that occupies so many seconds."""
        late = now - self.ready_at > min(self._slack, seconds / 2)
        self.ready_at = (now if late else self.ready_at) + seconds


@attrs.define
class Goodput:
    """Successes per second over the last seconds, in bins of one."""

    _bins: deque[list[int]] = attrs.field(factory=deque)
    _since: float | None = None

    def add(self, now: float) -> None:
        """Count a success."""
        second = math.floor(now)
        if self._since is None:
            self._since = now
        if self._bins and self._bins[-1][0] == second:
            self._bins[-1][1] += 1
        else:
            self._bins.append([second, 1])
            self._forget(now)

    def per_second(self, now: float) -> float:
        """The mean; over a shorter time when it has not been running for so long."""
        self._forget(now)
        if self._since is None:
            return 0.0
        seconds = min(float(WINDOW_SECONDS), max(1.0, now - self._since))
        return sum(count for _, count in self._bins) / seconds

    def _forget(self, now: float) -> None:
        while self._bins and self._bins[0][0] <= now - WINDOW_SECONDS:
            self._bins.popleft()


@attrs.define
class Pacer:
    """The rate, while there is evidence for one."""

    _known: float | None = None
    """Requests per second the server seems to take; ``None`` is off."""
    _cut_at: float = 0.0
    _hits: int = 0
    successes: int = 0
    """Successes since the last refusal."""
    _depth: float = 0.0
    """What a full bucket gave at once beyond the rate, where one was seen to be emptied."""
    _saved: float = 0.0
    """What has come back into it during a pause."""

    @property
    def on(self) -> bool:
        """Whether a rate is kept."""
        return self._known is not None

    def rate(self, now: float) -> float:
        """Requests per second now: a cubic that is flat around what is known."""
        if self._known is None:
            return math.inf
        curve = CURVE * FLATTER**self._hits
        step = min(max(1.0, REQUESTS / self._known), LONGEST_STEP)
        steps = (now - self._cut_at) / step - math.cbrt((1 - KEPT) / curve)
        return self._known * (1 + curve * steps * steps * steps)

    def drained(self, admitted: int, seconds: float) -> None:
        """Note how much the first seconds gave before the first refusal ever."""
        self._depth = max(0.0, admitted - (self._known or 0.0) * seconds)

    def rest(self, seconds: float) -> None:
        """Note a pause: a bucket fills meanwhile."""
        self._saved = min(self._depth, (self._known or 0.0) * seconds)

    def draw(self) -> bool:
        """Whether the next may go ahead of the pace, since a pause has saved it."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True

    def admitted(self) -> None:
        """Count one that was let in."""
        self.successes += 1

    def refused(self, now: float, goodput: float) -> None:
        """Keep below what was refused; the more often it is hit, the slower back up.

        Args:
            now: The time.
            goodput: Successes per second of late, for want of a rate that was kept.
        """
        rate = self.rate(now)
        if self._saved:
            self._depth = self._saved = 0.0  # Refused before it was used up: there was none.
        if self._known is not None:
            if rate <= PASSED * self._known:
                self._hits = min(MOST_HITS, self._hits + 1)
            goodput = self._between(now, rate)
        self._known, self._cut_at, self.successes = max(goodput, 1 / 60), now, 0

    def _between(self, now: float, rate: float) -> float:
        """The rate of a server that has just refused this one.

        A bucket was empty at the last refusal and is empty now, so it never gave more than what
        it let in since; and it can hardly give what it has just refused.
        """
        least = self.successes / max(now - self._cut_at, SHORTEST_SPAN)
        return min(rate, least + SQUEEZE * max(0.0, rate - least))

    def review(self, now: float, at_most: float) -> None:
        """Forget hits that were passed, and the rate when concurrency alone keeps below it."""
        if self._known is None:
            return
        rate = self.rate(now)
        if rate > PASSED * self._known:
            self._hits = 0
        if rate > at_most:
            self._known, self._hits = None, 0
