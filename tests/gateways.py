"""Gateways that exist only as arithmetic, and a clock that jumps from event to event.

A model is asked when a request arrives and answers when its reply will leave; the controller
under test is driven exactly as the gate drives it, with no event loop.
"""

from __future__ import annotations

import heapq
import math
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Protocol

import attrs

from step_tts._gate._controller import Controller
from step_tts._models import Concurrency, Rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from step_tts._gate._controller import Ticket

REFUSAL_SECONDS = 0.05  # what a refusal takes to come back


@attrs.frozen
class Reply:
    seconds: float
    refused: bool = False
    retry_after: float | None = None
    fault: bool = False


def lognormal(random: Random, mean: float = 1.5, sigma: float = 0.6) -> float:
    return random.lognormvariate(math.log(mean) - sigma * sigma / 2, sigma)


def pareto(random: Random, mean: float = 1.5, shape: float = 2.2) -> float:
    """Heavy-tailed: one answer in a hundred takes five times the mean or more."""
    return random.paretovariate(shape) * mean * (shape - 1) / shape


def exponential(random: Random, mean: float = 1.5) -> float:
    return random.expovariate(1 / mean)


def constant(random: Random, mean: float = 1.5) -> float:
    del random
    return mean


def stepped(*levels: int, seconds: float = 900.0) -> Callable[[float], int]:
    """A limit that moves, each level for an equal share of the time."""
    return lambda now: levels[min(len(levels) - 1, int(now // (seconds / len(levels))))]


def visited(slots: int, left: int) -> Callable[[float], int]:
    """A second tenant takes most of the slots for the last quarter of each minute."""
    return lambda now: slots if now % 60 < 45 else left


class Gateway(Protocol):
    def ask(self, now: float) -> Reply: ...

    def ideal(self, seconds: float) -> float:
        """How many it could serve in so many seconds."""
        ...


class Cap:
    """Admits so many at once; ``slots`` may move with time, ``others`` are a second tenant."""

    def __init__(
        self,
        slots: int | Callable[[float], int],
        random: Random,
        *,
        law: Callable[[Random], float] = lognormal,
        retry_after: float | None = None,
        faults: float = 0.0,
    ) -> None:
        self._slots = slots if callable(slots) else (lambda _: slots)
        self._random, self._law = random, law
        self._retry_after, self._fault_share = retry_after, faults
        self._ends: list[float] = []

    def ask(self, now: float) -> Reply:
        while self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
        if len(self._ends) >= self._slots(now):
            return Reply(REFUSAL_SECONDS, refused=True, retry_after=self._retry_after)
        if self._random.random() < self._fault_share:
            return Reply(REFUSAL_SECONDS, fault=True)
        seconds = self._law(self._random)
        heapq.heappush(self._ends, now + seconds)
        return Reply(seconds)

    def ideal(self, seconds: float) -> float:
        mean = _mean(self._law)
        steps = range(int(seconds))
        return sum(self._slots(float(step)) for step in steps) / mean * (1 - self._fault_share)


@cache
def _mean(law: Callable[[Random], float]) -> float:
    random = Random(7)
    return sum(law(random) for _ in range(40_000)) / 40_000


class Bucket:
    """So many per second, and a burst."""

    def __init__(
        self,
        rate: float | Callable[[float], float],
        burst: float,
        random: Random,
        *,
        law: Callable[[Random], float] = lognormal,
        tells: bool = False,
    ) -> None:
        self._rate = rate if callable(rate) else (lambda _: rate)
        self._burst, self._random, self._law, self._tells = burst, random, law, tells
        self._tokens, self._seen = burst, 0.0

    def ask(self, now: float) -> Reply:
        rate = self._rate(now)
        self._tokens = min(self._burst, self._tokens + (now - self._seen) * rate)
        self._seen = now
        if self._tokens < 1:
            wait = max(1.0, math.ceil((1 - self._tokens) / rate)) if self._tells else None
            return Reply(REFUSAL_SECONDS, refused=True, retry_after=wait)
        self._tokens -= 1
        return Reply(self._law(self._random))

    def ideal(self, seconds: float) -> float:
        return self._burst + sum(self._rate(float(step)) for step in range(int(seconds)))


class Window:
    """So many in each fixed span of time; says when the next one begins."""

    def __init__(self, requests: int, span: float, random: Random) -> None:
        self._requests, self._span, self._random = requests, span, random
        self._window, self._used = -1, 0

    def ask(self, now: float) -> Reply:
        window = int(now // self._span)
        if window != self._window:
            self._window, self._used = window, 0
        if self._used >= self._requests:
            return Reply(REFUSAL_SECONDS, True, (window + 1) * self._span - now)
        self._used += 1
        return Reply(lognormal(self._random))

    def ideal(self, seconds: float) -> float:
        return self._requests * math.ceil(seconds / self._span)


class Queue:
    """Never refuses: so many at once, the rest wait in line."""

    def __init__(self, slots: int, random: Random) -> None:
        self._free = [0.0] * slots
        self._random = random
        self.latencies: list[float] = []

    def ask(self, now: float) -> Reply:
        begin = max(now, heapq.heappop(self._free))
        end = begin + lognormal(self._random)
        heapq.heappush(self._free, end)
        self.latencies.append(end - now)
        return Reply(end - now)

    def ideal(self, seconds: float) -> float:
        return len(self._free) * seconds / 1.5

    @property
    def p95(self) -> float:
        return sorted(self.latencies)[int(0.95 * len(self.latencies))]


@attrs.define
class Score:
    goodput: float
    """Share of the ideal."""
    rejects: float
    """Share of all requests."""
    controller: Controller


def drive(
    gateway: Gateway,
    random: Random,
    *,
    seconds: float = 900.0,
    concurrency: Concurrency | None = None,
    rate: Rate | None = None,
) -> Score:
    """Run a controller against a gateway, with always more to send."""
    bounds = concurrency or Concurrency(maximum=200)
    control = Controller(bounds, rate or Rate(), random.random)
    now, done, sent, refused, order = 0.0, 0, 0, 0, 0
    events: list[tuple[float, int, Ticket, Reply]] = []
    while now < seconds:
        at = control.ready_at()
        if at <= now or not events or at < events[0][0]:
            now = max(now, at)
            reply = gateway.ask(now)
            ticket = control.start(now, 40)
            sent, order = sent + 1, order + 1
            heapq.heappush(events, (now + reply.seconds, order, ticket, reply))
            continue
        now, _, ticket, reply = heapq.heappop(events)
        if reply.refused:
            refused += 1
            control.throttled(ticket, now, reply.retry_after)
        elif reply.fault:
            control.fault(ticket, now)
        else:
            done += 1
            control.ok(ticket, now, reply.seconds)
        control.leave()
    return Score(done / gateway.ideal(seconds), refused / sent, control)
