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
KEPT = 0.95  # of the goodput a refused rate is cut to
# Of the rate, times seconds cubed: how it comes back. A quarter of it after each hit.
CURVE = 0.001
MOST_HITS = 4
NEAR = 1.0  # of the rate: refused within it, the same limit was hit again
PASSED = 2.1  # times the rate: the limit has moved
SLACK_SECONDS = 0.05  # a timer may fire late without costing rate


@attrs.define
class Spacing:
    """One grain after the other, each as long as it costs (generic cell rate algorithm)."""

    _free_at: float = -math.inf

    def ready_at(self) -> float:
        """When the next may go."""
        return self._free_at

    def take(self, now: float, seconds: float) -> None:
        """Let one go that occupies so many seconds."""
        slack = min(SLACK_SECONDS, seconds / 2)
        self._free_at = max(self._free_at, now - slack) + seconds


@attrs.define
class Goodput:
    """Successes per second over the last seconds, in bins of one."""

    _bins: deque[tuple[int, int]] = attrs.field(factory=deque)
    _since: float | None = None

    def add(self, now: float) -> None:
        """Count a success."""
        second = math.floor(now)
        if self._since is None:
            self._since = now
        if self._bins and self._bins[-1][0] == second:
            self._bins[-1] = second, self._bins[-1][1] + 1
        else:
            self._bins.append((second, 1))
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
    """Requests per second that were refused last; ``None`` is off."""
    _cut_at: float = 0.0
    _hits: int = 0

    @property
    def on(self) -> bool:
        """Whether a rate is kept."""
        return self._known is not None

    def rate(self, now: float) -> float:
        """Requests per second now: a cubic that is flat around what was refused."""
        if self._known is None:
            return math.inf
        curve = CURVE * self._known * 0.25**self._hits
        dip = math.cbrt((1 - KEPT) * self._known / curve)
        since = now - self._cut_at - dip
        return curve * since * since * since + self._known

    def refused(self, now: float, goodput: float) -> None:
        """Keep below what was just achieved; the nearer to the last hit, the slower back up."""
        rate = self.rate(now)
        if self._known is not None and abs(rate - self._known) <= NEAR * self._known:
            self._hits = min(MOST_HITS, self._hits + 1)
        self._known, self._cut_at = max(min(goodput, rate), 1 / 60), now

    def review(self, now: float, at_most: float) -> None:
        """Forget hits that were passed, and the rate when concurrency alone keeps below it."""
        if self._known is None:
            return
        rate = self.rate(now)
        if rate > PASSED * self._known:
            self._hits = 0
        if rate > at_most:
            self._known, self._hits = None, 0
