"""When the next attempt may go: every rule of the gate in one decision.

Pure: the time is handed in as seconds of one monotonic clock, chance as a function. Knows
levels, outcomes and times. Knows neither HTTP nor who is waiting.

An *epoch* begins with a cut. What was sent before it says nothing new: one overload answers
with many refusals, and the limit is cut once.
"""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING

import attrs

from step_tts._gate._chance import Chance
from step_tts._gate._latency import Latency
from step_tts._gate._limit import Limit
from step_tts._gate._pacer import Allowance, Pacer, Spacing
from step_tts._gate._quota import FAULT_COST, THROTTLE_COST, Quota
from step_tts._gate._unit import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from step_tts._policies import Concurrency, Rate
    from step_tts._wire import LimitHints

__all__ = ["Controller", "Outcome", "Ticket"]

FIRST_PAUSE_SECONDS = 0.25  # doubled with each cut in a row, where the server names no time
DROUGHT = 5.0  # seconds of refusals in a row, ten until it ends: then it is a window that ended
LONGEST_PAUSE_SECONDS = 20.0
LONGEST_WAIT_SECONDS = 120.0  # at a server's wish; whoever is told more learns it as an error
JITTER = 0.1  # of a pause is added at most, so that clients told the same do not return as one
# Of a round trip: what waits for one instant is sent over this much of it. A refusal of the first
# one too many is then on its way back before many are, and no bunch runs into a short burst. With
# a quarter, 30 a second in bursts of 5 give 2 % less; with a half, the numbers at once lose 1 %.
SPREAD_OVER = 1 / 3
# Seconds. asyncio sleeps for whole milliseconds: shorter gaps would cost a turn of the loop each
# (measured: a tenth of a batch's CPU) and not be kept.
SHORTEST_GAP = 0.001
SHORT = 2.0  # round trips: a wait below that concerns the refused call alone
AFTER_REFUSAL = 0.25  # of the gap: at a pace just too high, little is missing
CONSENT = 2.0  # times what a refusal takes: silence for so long is consent
PROBE_SECONDS = 1.0  # between two attempts while no retry can be afforded
FAULTY = 0.25  # of an epoch's answers: more faults than this are overload, fewer are chance
FEWEST_FAULTS = 4


class Outcome(enum.Enum):
    """How an attempt ended."""

    OK = "ok"
    THROTTLED = "throttled"
    """The server asked for less."""
    FAULT = "fault"
    """The server, or the way to it, failed."""
    UNKNOWN = "unknown"
    """Under way, cancelled, or refused for what was asked: it says nothing about load."""


@attrs.define(eq=False)
class Ticket:
    """One attempt under way."""

    sent_at: float
    characters: int
    level: int
    """How many were in flight with it when it was sent."""
    nth: int = 0
    """How many had been let in before, as far as was known."""
    proven: int = 0
    """The highest level that was known to work; what is sent later may stand beside a refusal
    that is still on its way, and then counts as one too many."""
    cost: float = 1.0
    """What it takes of the rate, in calls of the usual length."""
    spent: float = 0.0
    """What those took that had been let in before."""
    paid: float = 0.0
    """What it took from the retry quota."""
    outcome: Outcome = Outcome.UNKNOWN


class Controller:
    """All limits of one client."""

    def __init__(self, concurrency: Concurrency, rate: Rate, chance: Callable[[], float]) -> None:
        self.limit = Limit(concurrency)
        self.latency = Latency()
        self.pacer = Pacer()
        self.quota = Quota()
        self.chance = Chance()
        self.unit = Unit()
        self.paused_until = -math.inf
        """When the shared pause ends."""
        self._rate = rate
        self._chance = chance
        self._policy: float | None = None
        self._allowance: Allowance | None = None
        self._flying: set[Ticket] = set()
        self._full_at = -math.inf  # When the limit was last in full use.
        self._epoch = -math.inf
        self._lowered_at = -math.inf  # When an epoch last began with less.
        self._streak = 0
        self._dry_since = 0.0  # When the first and the last of a row of cuts were sent;
        self._dry_until = 0.0  # the last also by the server's word.
        self._refusal = 0.0  # Seconds that it took to come back.
        self._admitted = 0  # Sent and not refused.
        self._spent = 0.0  # What those took of the rate.
        self._wary = False  # Whether a refusal came unawares: then the next one goes alone.
        self._scout: Ticket | None = None  # Whoever did, until the next one goes.
        self._answers = self._faults = 0
        self._proven = 0  # The highest level at which an attempt of this epoch was admitted.
        self._bunch = 0  # The level that was refused when the very first went at one instant.
        self._alone = False  # Whether the last cut answered one more than works, as before.
        self._even = Spacing()
        # A limit of the user holds to the letter, whatever late timers cost.
        self._requests, self._characters = Spacing(slack=0.0), Spacing(slack=0.0)

    @property
    def in_flight(self) -> int:
        """How many hold a slot."""
        return len(self._flying)

    def ready_at(self) -> float:
        """When the next attempt may be sent; infinity is not before one in flight has ended."""
        if self.in_flight >= self.limit.slots:
            return math.inf
        ready_at = max(
            self.paused_until,
            self._even.ready_at,
            self._requests.ready_at,
            self._characters.ready_at,
        )
        if allowance := self._allowance:
            wait = min(allowance.wait(self._admitted), LONGEST_WAIT_SECONDS)
            ready_at = max(ready_at, allowance.at + wait)
        return ready_at

    def is_served(self, now: float) -> bool:
        """Whether an attempt is under way that was let in, which no refusal says so late."""
        latest = now - CONSENT * self._refusal
        return any(t.outcome is Outcome.UNKNOWN and t.sent_at < latest for t in self._flying)

    def start(self, now: float, characters: int, again: Ticket | None = None) -> Ticket:
        """Send an attempt; ``again`` is the attempt that it repeats."""
        if self._scout in self._flying:  # It was not refused in time.
            self._let_in(self._scout)
        self._scout = None
        level = self.in_flight + 1
        if level >= self.limit.slots:
            self._full_at = now
            # What waited for a slot was not late.
            self._even.ready_at = max(self._even.ready_at, now)
        usual = self.unit.usual
        cost = characters / usual if usual else 1.0
        self._even.take(now, self._gap(now, cost))
        if self._rate.requests_per_minute:
            self._requests.take(now, 60 / self._rate.requests_per_minute)
        if self._rate.characters_per_minute:
            self._characters.take(now, 60 * characters / self._rate.characters_per_minute)
        paid = self._price(again)
        ticket = Ticket(
            now, characters, level, self._admitted, self._proven, cost, self._spent, paid
        )
        self._admitted += 1
        self._spent += cost
        self.pacer.intake.add(now, cost)
        self._flying.add(ticket)
        if self._wary:
            self._wary, self._scout = False, ticket
        return ticket

    def ok(self, ticket: Ticket, now: float, seconds: float | None) -> None:
        """Note whole audio after so many seconds of the server's time, if that is known."""
        ticket.outcome = Outcome.OK
        self.quota.reward(ticket.paid)
        if seconds is not None:
            self.latency.add(seconds, ticket.characters)
        if not self.limit.adapts:
            self._streak = 0  # A number that was set too high is refused all the time.
        self._let_in(ticket)
        fresh = ticket.sent_at >= self._epoch
        full = fresh and self._full_at >= ticket.sent_at
        self._answers += fresh
        if full and not self.latency.crowded:
            self.limit.grow()
        if self.pacer.on:
            self.pacer.convert(self.unit.follow(self.latency.lengths[0]))
            # Of what is under way when a pause begins, the slowest come last: beside their mean
            # the number would seem to bear next to nothing.
            most = 2 * self.limit.value / self._round_trip() if full else math.inf
            self.pacer.review(now, most)

    def throttled(self, ticket: Ticket, now: float, retry_after: float | None) -> None:
        """Note that the server asked for less, and perhaps for how long."""
        ticket.outcome = Outcome.THROTTLED
        self._admitted -= 1
        self._spent -= ticket.cost
        self.pacer.intake.take_back(ticket.sent_at, ticket.cost)
        self._refusal = now - ticket.sent_at
        fresh, paced = ticket.sent_at >= self._epoch, self.pacer.on
        if fresh:
            if paced and not self._streak:
                self.unit.refused(ticket.characters, *self.latency.lengths)
            if self._by_chance(ticket, now, retry_after):
                return
            self._cut(ticket, now)
        self._dry_until = ticket.sent_at
        if retry_after and paced:  # One that counts those at once just names a time.
            self._dry_until += retry_after
        self._pause(now, retry_after, fresh=fresh)

    def fault(self, ticket: Ticket, now: float, retry_after: float | None = None) -> None:
        """Note a passing fault; many of them in one epoch are overload, as if throttled."""
        ticket.outcome = Outcome.FAULT
        if ticket.sent_at < self._epoch:
            return
        self._answers += 1
        self._faults += 1
        if self._faults >= max(FEWEST_FAULTS, FAULTY * self._answers):
            self._cut(ticket, now)
            self._pause(now, retry_after, fresh=True)

    def leave(self, ticket: Ticket) -> None:
        """Free the slot. An attempt that ended without an outcome says nothing."""
        self._flying.discard(ticket)

    def forget(self) -> None:
        """Free every slot: whoever held one is gone without a word."""
        self._flying.clear()

    def told(self, ticket: Ticket, hints: LimitHints) -> None:
        """Take the server's own words about its limits, as of when it let the attempt in."""
        if hints.requests_per_second:
            self._policy = max(hints.requests_per_second, 1 / LONGEST_WAIT_SECONDS)
        if hints.concurrent:
            self.limit.know(hints.concurrent)
        if hints.pause and hints.pause <= LONGEST_WAIT_SECONDS:
            self.paused_until = max(self.paused_until, ticket.sent_at + hints.pause)
        older = self._allowance and self._allowance.at > ticket.sent_at
        if hints.remaining is not None and hints.refill and not older:
            until = ticket.nth + 1 + hints.remaining
            self._allowance = Allowance(ticket.sent_at, until, hints.refill)

    def _round_trip(self) -> float:
        return self.latency.mean or 1.0

    def _gap(self, now: float, cost: float) -> float:
        """Seconds before the next: the longest of what pacing, spreading and probing want."""
        spread = SPREAD_OVER * self.latency.seconds / self.limit.value
        wait = min(CONSENT * self._refusal, LONGEST_PAUSE_SECONDS) if self._wary else 0.0
        gap = max(spread, wait)
        if gap < SHORTEST_GAP:
            gap = 0.0
        if self.pacer.on:
            gap = max(gap, min(cost / self.pacer.rate(now), LONGEST_WAIT_SECONDS))
        if self._policy:
            gap = max(gap, 1 / self._policy)
        if self.quota.exhausted:
            gap = max(gap, PROBE_SECONDS, self._round_trip())
        return gap

    def _price(self, again: Ticket | None) -> float:
        """Pay for a retry; what a retry that failed had paid is lost."""
        if again is None:
            return 0.0
        return self.quota.pay(THROTTLE_COST if again.outcome is Outcome.THROTTLED else FAULT_COST)

    def _let_in(self, ticket: Ticket) -> None:
        """Note that it was not refused, by its answer or by silence; it may end a drought."""
        if ticket.sent_at >= self._lowered_at:
            if self._streak and self._dry_since + DROUGHT <= self._dry_until <= ticket.sent_at:
                self.pacer.refilled(self._dry_since, (self._dry_until + ticket.sent_at) / 2)
            self._streak = 0
            self._proven = max(self._proven, ticket.level)

    def _by_chance(self, refused: Ticket, now: float, retry_after: float | None) -> bool:
        """Whether neither number nor rate was its reason; a server that says when has one."""
        first = retry_after is None and not self._streak and self.pacer.on
        lone = first and refused.level <= self._admitted_level(refused, now)
        return self.chance.excuses(refused.nth, lone=lone, slow=self.pacer.is_low(now))

    def _cut(self, ticket: Ticket, now: float) -> None:
        """Begin an epoch; with less, unless nothing was let in since the last one began.

        Then it is the same overload, and there is nothing to learn but patience. Nor is there
        where nothing was answered yet: what was sent at one instant and refused may have been too
        many at once or too close together, and whoever is next, at that level but later, tells.
        """
        self.latency.forget()
        level = self._admitted_level(ticket, now)
        self._alone = 0 < level == ticket.level - 1 and self.limit.is_ceiling(ticket.level)
        unawares = self._streak > 0 or (self.limit.doubles and not self.pacer.on)
        first = self._epoch == -math.inf and self.latency.mean is None
        if first and ticket.outcome is Outcome.THROTTLED:
            self._bunch = ticket.level
            self.limit.hold(ticket.level)
            self._even.ready_at = now + FIRST_PAUSE_SECONDS
        elif level or not self._streak:
            self._lower(ticket, level, now)
            self._lowered_at, self._streak, self._proven = now, 0, 0
        self._wary, self._scout = unawares, None
        if not self._streak:
            self._dry_since = ticket.sent_at
        self._epoch = now
        self._streak += 1
        self._answers = self._faults = 0

    def _lower(self, refused: Ticket, level: int, now: float) -> None:
        """Take back the rate, if it alone was raised or the level just worked; else the level.

        Where the very first were too many at one instant and as many have worked since, what they
        were is too close together. Then the server counts by a rate, and holds little in hand.
        """
        measured = self.pacer.dry(refused.spent, refused.sent_at)
        raised = self.pacer.probes(now) and refused.level < self.limit.slots
        throttled = refused.outcome is Outcome.THROTTLED  # Faults do not come of a rate.
        close = self.limit.doubles and not self.pacer.on and 0 < self._bunch < level
        if self.limit.adapts and throttled and (raised or close or refused.level <= level):
            usual = level / self._round_trip()
            if self.limit.doubles and not close:  # Half of them went for a whole round trip.
                usual /= 2
            if not self.pacer.on:
                self.limit.search()
            before = self._gap(now, refused.cost)
            self.pacer.refused(now, measured, usual)
            if self._admitted == refused.nth:  # Nobody followed: the next one takes its place.
                self._even.ready_at = now + AFTER_REFUSAL * self._gap(now, refused.cost)
            else:  # It was to go at the old pace.
                self._even.ready_at += self._gap(now, refused.cost) - before
        else:
            self.limit.cut(refused.level, level)

    def _admitted_level(self, refused: Ticket, now: float) -> int:
        """The highest level that is known to work since the last cut.

        Whoever has been under way for twice as long as this refusal took was let in as well.
        """
        before = now - CONSENT * (now - refused.sent_at)
        silent = (t.level for t in self._flying if self._lowered_at <= t.sent_at < before)
        return max(refused.proven, *silent, 0)

    def _pause(self, now: float, retry_after: float | None, *, fresh: bool) -> None:
        """Stop everybody, if the server or a row of cuts gives reason to.

        A short wait that follows the first refusal of one too many concerns that call alone, and
        so does any that answers a look above the ceiling: the others keep to what works, and a
        pause of theirs would cost a tenth of the goodput.
        """
        seconds = self._backoff() if fresh else 0.0
        if retry_after is not None and retry_after <= LONGEST_WAIT_SECONDS:
            seconds = self._asked(retry_after, fresh=fresh)
        if seconds and now + seconds > self.paused_until:
            self.paused_until = self._epoch = now + seconds
            self.pacer.rest(self.paused_until)

    def _asked(self, retry_after: float, *, fresh: bool) -> float:
        """The server's wish as a pause of everybody, if it is to be one."""
        short = retry_after < SHORT * self.latency.seconds
        own = (short and self._streak < 2) or (fresh and self._alone)
        return 0.0 if own else retry_after * (1 + JITTER * self._chance())

    def _backoff(self) -> float:
        """A pause of our own choice: none after a first cut, which is itself the answer."""
        if self._streak < 2:
            return 0.0
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self._streak, 10))
        return longest * (0.5 + 0.5 * self._chance())
