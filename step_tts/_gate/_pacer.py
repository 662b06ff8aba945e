"""How fast: even spacing, and the search for a rate limit that showed itself.

Pure. ``Spacing`` lets one through per interval. ``Pacer`` decides on a rate: it is off until a
refusal comes at a level that is known to work, for then the server counts requests per time and
not at once.
"""

from __future__ import annotations

import math
from collections import deque

import attrs

__all__ = ["Allowance", "Goodput", "Pacer", "Spacing"]

WINDOW_SECONDS = 15
KEPT = 0.97  # of what is known, after a refusal; at 0.95 the rates of the tuned set lose a percent
# How the rate comes back: a cubic that is flat around what is known, in steps of a second, or of
# three requests where they are rarer (with two, one in thirty of a rare rate's is refused). After
# each hit it is four times flatter.
CURVE = 0.001
FLATTER = 0.25
MOST_HITS = 4
REQUESTS = 3.0
LONGEST_STEP = 4.0
SQUEEZE = 0.6  # between what was let in, which is too little, and what was refused, too much
FEWEST = 10  # requests to measure a rate by: one more or less is then a tenth
SHORTEST_SPAN = 0.1  # seconds
PASSED = 1.25  # times the rate: the limit has moved; at 2 it is followed far later, at 1.1 in vain
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


@attrs.frozen
class Allowance:
    """What the server said it had left when it let an attempt in."""

    at: float
    """When that attempt was sent."""
    until: int
    """How many will have been let in when nothing is left."""
    refill: float
    """Seconds until there is one more."""

    def wait(self, admitted: int) -> float:
        """Seconds after ``at`` until there is one more than the server has let in."""
        return max(0, admitted + 1 - self.until) * self.refill


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
    _dry: tuple[int, float] | None = None
    """When the server had nothing left, and how many it had let in by then."""

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
        steps = max(0.0, now - self._cut_at) / step - math.cbrt((1 - KEPT) / curve)
        return self._known * (1 + curve * steps * steps * steps)

    def probes(self, now: float) -> bool:
        """Whether the rate is above what is known."""
        return self._known is not None and self.rate(now) > self._known

    def rest(self, until: float) -> None:
        """Note a pause: nothing is learnt meanwhile."""
        self._cut_at = max(self._cut_at, until)

    def dry(self, admitted: int, at: float) -> float:
        """Note that the server had nothing left for whoever was sent then.

        Args:
            admitted: How many it had ever let in.
            at: The time.

        Returns:
            How many a second it has let in since it last had nothing left: whatever it counts
            by, it gave no more; it gives more if the client did not ask for all. Nothing the
            first time.
        """
        before = self._dry
        if before is None or admitted - before[0] >= FEWEST:
            self._dry = admitted, at
        if before is None:
            return 0.0
        # Some that seemed to be let in before may have been refused since.
        return max(0, admitted - before[0]) / max(at - before[1], SHORTEST_SPAN)

    def refused(self, now: float, measured: float, goodput: float) -> None:
        """Keep below what was refused; the more often it is hit, the slower back up.

        Args:
            now: The time.
            measured: What ``dry`` found.
            goodput: Successes per second of late, for want of a rate that was kept.
        """
        if self._known is None:
            known = max(measured, goodput)
        else:
            rate = self.rate(now)
            if rate <= PASSED * self._known:
                self._hits = min(MOST_HITS, self._hits + 1)
            known = min(rate, measured + SQUEEZE * max(0.0, rate - measured))
        self._known, self._cut_at = max(known, 1 / 60), now

    def review(self, now: float, at_most: float) -> None:
        """Forget hits that were passed, and the rate when concurrency alone keeps below it."""
        if self._known is None:
            return
        rate = self.rate(now)
        if rate > PASSED * self._known:
            self._hits = 0
        if rate > at_most:
            self._known, self._hits = None, 0
