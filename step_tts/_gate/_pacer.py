"""How fast: even spacing, and the search for a rate limit that showed itself.

Pure. ``Spacing`` lets one through per interval. ``Pacer`` decides on a rate: it is off until a
refusal comes at a level that is known to work, for then the server counts requests per time and
not at once. A server that counts by a bucket is measured from one moment at which it had nothing
left to the next; one that counts by a window shows it by refusing whatever comes until the window
is over, and is measured over as long a time.
"""

from __future__ import annotations

import math

import attrs

__all__ = ["Allowance", "Intake", "Pacer", "Spacing"]

KEPT = 0.97  # of what is known, after a refusal; at 0.95 the rates of the tuned set lose a percent
LOW = (1 + KEPT) / 2  # of what is known; above it may be wrong
# How the rate comes back: a cubic that is flat around what is known, in steps of a second, or of
# three requests where they are rarer (with two, one in thirty of a rare rate's is refused), or of
# a tenth of the server's window. After each hit it is four times flatter. What is known at first
# is a guess, in most cases far too low, so it begins as steep as two hits too few make it.
CURVE = 0.001
FLATTER = 0.25
FIRST_HITS = -2
MOST_HITS = 4
WINDOW_HITS = 1  # once a window is measured; with none, each is used up before its end again
REQUESTS = 3.0
STEPS_PER_SPAN = 10
LONGEST_STEP = 6.0  # without it a guess of one a minute is left after an hour
# Between what was let in, which is too little, and what was refused, which is too much. What a
# whole window let in is nearly all it gives.
SQUEEZE = 0.6
SQUEEZE_OF_WINDOW = 0.3
FEWEST = 10  # requests to measure a rate by: one more or less is then a tenth
SHORTEST_SPAN = 0.1  # seconds
LONGEST_SPAN = 120.0
SLOWEST = 1 / 60  # requests per second
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
class Intake:
    """How much was let in, second by second, for as long as the longest span."""

    _seconds: dict[int, float] = attrs.field(factory=dict)

    def add(self, at: float, cost: float) -> None:
        """Count one as let in, or what it takes of the rate."""
        second = math.floor(at)
        if second not in self._seconds:
            for old in [old for old in self._seconds if old < second - LONGEST_SPAN]:
                del self._seconds[old]
            self._seconds[second] = 0.0
        self._seconds[second] += cost

    def take_back(self, at: float, cost: float) -> None:
        """Note that whoever was counted at that time was refused after all."""
        if (second := math.floor(at)) in self._seconds:
            self._seconds[second] -= cost

    def per_second(self, at: float, seconds: float) -> float:
        """The mean of so many seconds until then."""
        begin = at - seconds
        return sum(n for second, n in self._seconds.items() if begin <= second + 0.5 < at) / seconds

    @property
    def since(self) -> float:
        """The earliest time that is counted."""
        return min(self._seconds, default=0)


@attrs.define
class Pacer:
    """The rate, while there is evidence for one."""

    intake: Intake = attrs.field(factory=Intake, init=False)
    """Whom the server let in of late."""
    _known: float | None = None
    """Requests per second the server seems to take; ``None`` is off."""
    _cut_at: float = 0.0
    _hits: int = FIRST_HITS
    _dry: tuple[float, float] | None = None
    """How much the server had let in when it had nothing left, and when that was."""
    _refilled_at: float = -math.inf
    """When a drought last ended."""
    _span: float | None = None
    """Seconds of the window the server seems to count by; ``None`` is none."""

    @property
    def on(self) -> bool:
        """Whether a rate is kept."""
        return self._known is not None

    def rate(self, now: float) -> float:
        """Requests per second now: a cubic that is flat around what is known."""
        if self._known is None:
            return math.inf
        curve = CURVE * FLATTER**self._hits
        step = max(1.0, REQUESTS / self._known, (self._span or 0.0) / STEPS_PER_SPAN)
        step = min(step, LONGEST_STEP)
        steps = max(0.0, now - self._cut_at) / step - math.cbrt((1 - KEPT) / curve)
        return self._known * (1 + curve * steps * steps * steps)

    def probes(self, now: float) -> bool:
        """Whether the rate is above what is known."""
        return self._known is not None and self.rate(now) > self._known

    def is_low(self, now: float) -> bool:
        """Whether it is well below what is known well, and no window can have been used up."""
        if self._known is None or self._span or self._hits < MOST_HITS:
            return False
        return self.rate(now) < LOW * self._known

    def rest(self, until: float) -> None:
        """Note a pause: nothing is learnt meanwhile."""
        self._cut_at = max(self._cut_at, until)

    def dry(self, admitted: float, at: float) -> float:
        """Note that the server had nothing left for whoever was sent then.

        Args:
            admitted: How many it had ever let in, or what those took of the rate.
            at: The time.

        Returns:
            How many a second it has let in since it last had nothing left, or over its window:
            whatever it counts by, it gave no more; it gives more if the client did not ask for
            all. Nothing the first time.
        """
        before = self._dry
        if before is None or admitted - before[0] >= FEWEST:
            self._dry = admitted, at
        if self._span:
            return self.intake.per_second(at, self._span)
        if before is None:
            return 0.0
        # Some that seemed to be let in before may have been refused since.
        return max(0.0, admitted - before[0]) / max(at - before[1], SHORTEST_SPAN)

    def refilled(self, since: float, at: float) -> None:
        """Note that a drought ended: the server counts by a window, which was used up and is over.

        From the end of one drought to the end of the next is one window or several, so the
        shortest is the best known; what was let in during so long when it was used up is what
        it holds. Where that were too few, it was not the server that let in no more.

        Args:
            since: When it was used up; the second in which it was counts to its end.
            at: When it was over.
        """
        cycle = at - max(self._refilled_at, self.intake.since)
        span = max(min(self._span or LONGEST_SPAN, cycle), SHORTEST_SPAN)
        known = self.intake.per_second(min(at, since + 1), span)
        if known * span < FEWEST:
            return
        self._span, self._known = span, known
        self._cut_at = self._refilled_at = at
        self._hits = max(WINDOW_HITS, self._hits)

    def refused(self, now: float, measured: float, usual: float) -> None:
        """Keep below what was refused; the more often it is hit, the slower back up.

        Args:
            now: The time.
            measured: What ``dry`` found.
            usual: Requests per second so far, for want of a rate that was kept.
        """
        if self._known is None:
            known = usual
        else:
            rate = self.rate(now)
            if rate <= PASSED * self._known:
                self._hits = min(MOST_HITS, self._hits + 1)
            squeeze = SQUEEZE_OF_WINDOW if self._span else SQUEEZE
            known = min(rate, measured + squeeze * max(0.0, rate - measured))
        self._known, self._cut_at = max(known, SLOWEST), now

    def convert(self, calls: float) -> None:
        """Keep to the same in calls of another length, so many of which take as much as one."""
        if self._known is not None:
            self._known = max(calls * self._known, SLOWEST)

    def review(self, now: float, at_most: float) -> None:
        """Search anew from a rate that was passed; forget it when the number keeps below it.

        Args:
            now: The time.
            at_most: Requests per second that the number bears, if it was in full use.
        """
        if self._known is None:
            return
        rate = self.rate(now)
        if rate > at_most:
            self._known, self._hits = None, FIRST_HITS
        elif rate > PASSED * self._known:
            self._known, self._cut_at = rate, now
            self._hits = 0 if self._span else FIRST_HITS
