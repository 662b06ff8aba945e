"""Gateways that exist only as arithmetic: when a request arrives, they say how it will end.

``drive`` asks them through the bare controller, with a clock that jumps from event to event;
``drive_gate`` through the real gate on whatever clock the event loop has. Which gateways the
rules were chosen by: ``gateway_sets``; which were kept from it: ``gateways_drawn``.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from functools import cache, partial
from random import Random
from typing import TYPE_CHECKING, Protocol

import anyio
import attrs

from step_tts._gate import Gate
from step_tts._gate._controller import Controller
from step_tts._policies import Concurrency, Rate
from step_tts._wire import limit_hints_from

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from step_tts._gate._controller import Ticket

    Law = Callable[[Random, int], float]
    """Seconds of service for a text of so many characters."""

REFUSAL_SECONDS = 0.05  # what a refusal takes to come back
MEAN_SECONDS = 1.5
MEAN_CHARACTERS = 80
SECONDS = 900.0
BOUNDS = Concurrency(maximum=200)


@attrs.frozen
class Reply:
    seconds: float
    refused: bool = False
    retry_after: float | None = None
    fault: bool = False
    headers: Mapping[str, str] = attrs.field(factory=dict)


# --- how long service takes ----------------------------------------------------------------------


def lognormal(random: Random, characters: int, mean: float = MEAN_SECONDS) -> float:
    del characters
    return random.lognormvariate(math.log(mean) - 0.18, 0.6)


def exponential(random: Random, characters: int, mean: float = MEAN_SECONDS) -> float:
    del characters
    return random.expovariate(1 / mean)


def constant(random: Random, characters: int, mean: float = MEAN_SECONDS) -> float:
    del random, characters
    return mean


def pareto(
    random: Random, characters: int, mean: float = MEAN_SECONDS, shape: float = 2.2
) -> float:
    """Heavy-tailed: one answer in a hundred takes five times the mean or more."""
    del characters
    return random.paretovariate(shape) * mean * (shape - 1) / shape


def by_length(random: Random, characters: int, mean: float = MEAN_SECONDS) -> float:
    """A tenth of it the same for all, the rest by the text."""
    return mean * (0.1 + 0.9 * characters / MEAN_CHARACTERS) * random.uniform(0.9, 1.1)


def weibull(random: Random, characters: int, mean: float = MEAN_SECONDS) -> float:
    """More spread than exponential: most are quick, a few take very long."""
    del characters
    return random.weibullvariate(mean / math.gamma(1 + 1 / 0.7), 0.7)


def erlang(random: Random, characters: int, mean: float = MEAN_SECONDS) -> float:
    """Three steps in a row, each exponential."""
    del characters
    return random.gammavariate(3, mean / 3)


def uniform(random: Random, characters: int, mean: float = MEAN_SECONDS) -> float:
    del characters
    return random.uniform(0.2 * mean, 1.8 * mean)


def bimodal(random: Random, characters: int, mean: float = MEAN_SECONDS) -> float:
    """Three in four are quick, one takes five times as long: two kinds of machine."""
    del characters
    return mean * (0.5 if random.random() < 0.75 else 2.5) * random.uniform(0.8, 1.2)


@cache
def taking(law: Callable[..., float], mean: float) -> Law:
    """The same law with another mean."""
    return partial(law, mean=mean)


def text_length(random: Random) -> int:
    return random.randint(10, 2 * MEAN_CHARACTERS - 10)


@cache
def mean_of(law: Law) -> float:
    random = Random(7)
    return sum(law(random, text_length(random)) for _ in range(40_000)) / 40_000


# --- limits that move ----------------------------------------------------------------------------


def moving(level: float | Callable[[float], float]) -> Callable[[float], float]:
    return level if callable(level) else lambda _: level


def stepped(*levels: float, seconds: float = SECONDS) -> Callable[[float], float]:
    """Each level for an equal share of the time."""
    return lambda now: levels[min(len(levels) - 1, int(now // (seconds / len(levels))))]


def waving(low: float, high: float, period: float) -> Callable[[float], float]:
    """Up and down, as over a day."""
    middle, swing = (low + high) / 2, (high - low) / 2
    return lambda now: middle - swing * math.cos(2 * math.pi * now / period)


def visited(slots: int, left: int) -> Callable[[float], float]:
    """A second tenant takes most of the slots for the last quarter of each minute."""
    return lambda now: slots if now % 60 < 45 else left


def bursting(
    level: float, left: float, *, every: float, lasting: float, seed: int = 11
) -> Callable[[float], float]:
    """A second tenant who comes and goes at random, on average so often and for so long."""
    random, at, visits = Random(seed), 0.0, []
    while at < SECONDS:
        at += random.expovariate(1 / every)
        visits.append((at, at := at + random.expovariate(1 / lasting)))
    return lambda now: left if any(begin <= now < end for begin, end in visits) else level


def wandering(low: float, high: float, *, every: float, seed: int = 12) -> Callable[[float], float]:
    """Another level at random, as often as is said."""
    random = Random(seed)
    levels = [random.uniform(low, high) for _ in range(math.ceil(SECONDS / every) + 1)]
    return lambda now: levels[int(now // every)]


# --- gateways ------------------------------------------------------------------------------------


class Gateway(Protocol):
    def ask(self, now: float, characters: int) -> Reply: ...

    def ideal(self, seconds: float) -> float:
        """How many it could serve in so many seconds."""
        ...


class Cap:
    """Admits so many at once."""

    def __init__(
        self,
        slots: float | Callable[[float], float],
        random: Random,
        *,
        law: Law = lognormal,
        retry_after: float | None = None,
        faults: float = 0.0,
    ) -> None:
        self._slots, self._random, self._law = moving(slots), random, law
        self._retry_after, self._fault_share = retry_after, faults
        self._ends: list[float] = []

    def ask(self, now: float, characters: int) -> Reply:
        while self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
        if len(self._ends) >= int(self._slots(now)):
            return Reply(REFUSAL_SECONDS, refused=True, retry_after=self._retry_after)
        if self._random.random() < self._fault_share:
            return Reply(REFUSAL_SECONDS, fault=True)
        seconds = self._law(self._random, characters)
        heapq.heappush(self._ends, now + seconds)
        return Reply(seconds)

    def words(self) -> dict[str, str]:
        """As the IETF draft has them."""
        slots = int(self._slots(0.0))
        return {"ratelimit-policy": f'"slots";q={slots};qu="concurrent-requests"'}

    def ideal(self, seconds: float) -> float:
        steps = range(int(seconds))
        return sum(int(self._slots(float(step))) for step in steps) / mean_of(self._law)


class Bucket:
    """So many per second, and a burst: a token bucket."""

    def __init__(
        self,
        rate: float | Callable[[float], float],
        burst: float,
        random: Random,
        *,
        law: Law = lognormal,
        tells: bool = False,
    ) -> None:
        self._rate, self._burst, self._random = moving(rate), burst, random
        self._law, self._tells = law, tells
        self._tokens, self._seen = burst, 0.0

    def ask(self, now: float, characters: int) -> Reply:
        rate = self._rate(now)
        self._tokens = min(self._burst, self._tokens + (now - self._seen) * rate)
        self._seen = now
        if self._tokens < 1:
            wait = max(1.0, math.ceil((1 - self._tokens) / rate)) if self._tells else None
            return Reply(REFUSAL_SECONDS, refused=True, retry_after=wait)
        self._tokens -= 1
        return Reply(self._law(self._random, characters))

    def words(self) -> dict[str, str]:
        """As OpenAI writes them."""
        reset = (self._burst - self._tokens) / self._rate(self._seen)
        return {
            "x-ratelimit-limit-requests": f"{self._burst:g}",
            "x-ratelimit-remaining-requests": f"{int(self._tokens)}",
            "x-ratelimit-reset-requests": f"{reset:.3f}s",
        }

    def ideal(self, seconds: float) -> float:
        return self._burst + sum(self._rate(float(step)) for step in range(int(seconds)))


class Characters:
    """So many characters per second, and a burst: long texts cost more."""

    def __init__(
        self,
        rate: float,
        burst: float,
        random: Random,
        *,
        law: Law = lognormal,
        tells: bool = False,
    ) -> None:
        self._rate, self._burst, self._random = rate, burst, random
        self._law, self._tells = law, tells
        self._left, self._seen = burst, 0.0

    def ask(self, now: float, characters: int) -> Reply:
        self._left = min(self._burst, self._left + (now - self._seen) * self._rate)
        self._seen = now
        if self._left < characters:
            wait = math.ceil((characters - self._left) / self._rate) if self._tells else None
            return Reply(REFUSAL_SECONDS, refused=True, retry_after=wait)
        self._left -= characters
        return Reply(self._law(self._random, characters))

    def ideal(self, seconds: float) -> float:
        return (self._burst + self._rate * seconds) / MEAN_CHARACTERS


class Window:
    """So many in each fixed span of time; may say when the next one begins."""

    def __init__(
        self,
        requests: int,
        span: float,
        random: Random,
        *,
        law: Law = lognormal,
        tells: bool = True,
    ) -> None:
        self._requests, self._span, self._random = requests, span, random
        self._law, self._tells = law, tells
        self._window, self._used, self._seen = -1, 0, 0.0

    def ask(self, now: float, characters: int) -> Reply:
        window, self._seen = int(now // self._span), now
        if window != self._window:
            self._window, self._used = window, 0
        if self._used >= self._requests:
            wait = (window + 1) * self._span - now if self._tells else None
            return Reply(REFUSAL_SECONDS, refused=True, retry_after=wait)
        self._used += 1
        return Reply(self._law(self._random, characters))

    def words(self) -> dict[str, str]:
        """As the IETF draft has them."""
        left, reset = self._requests - self._used, (self._window + 1) * self._span - self._seen
        return {
            "ratelimit-policy": f'"window";q={self._requests};w={self._span:.0f}',
            "ratelimit": f'"window";r={left};t={math.ceil(reset)}',
        }

    def ideal(self, seconds: float) -> float:
        return self._requests * math.ceil(seconds / self._span)


class Sliding:
    """So many in any span of time; may say when the oldest of them leaves it."""

    def __init__(
        self,
        requests: int,
        span: float,
        random: Random,
        *,
        law: Law = lognormal,
        tells: bool = False,
    ) -> None:
        self._requests, self._span, self._random = requests, span, random
        self._law, self._tells = law, tells
        self._taken: deque[float] = deque()

    def ask(self, now: float, characters: int) -> Reply:
        while self._taken and self._taken[0] <= now - self._span:
            self._taken.popleft()
        if len(self._taken) >= self._requests:
            wait = self._taken[0] + self._span - now if self._tells else None
            return Reply(REFUSAL_SECONDS, refused=True, retry_after=wait)
        self._taken.append(now)
        return Reply(self._law(self._random, characters))

    def ideal(self, seconds: float) -> float:
        return self._requests * math.ceil(seconds / self._span)


class Queue:
    """Never refuses: so many at once, the rest wait in line."""

    def __init__(self, slots: int, random: Random, *, law: Law = lognormal) -> None:
        self._free = [0.0] * slots
        self._random, self._law = random, law
        self.latencies: list[float] = []

    def ask(self, now: float, characters: int) -> Reply:
        begin = max(now, heapq.heappop(self._free))
        end = begin + self._law(self._random, characters)
        heapq.heappush(self._free, end)
        self.latencies.append(end - now)
        return Reply(end - now)

    def ideal(self, seconds: float) -> float:
        return len(self._free) * seconds / mean_of(self._law)

    @property
    def p95(self) -> float:
        return sorted(self.latencies)[int(0.95 * len(self.latencies))]


class Both:
    """Two limits, one after the other: what the second refuses has cost the first its share."""

    def __init__(self, first: Gateway, second: Gateway) -> None:
        self._first, self._second = first, second

    def ask(self, now: float, characters: int) -> Reply:
        reply = self._first.ask(now, characters)
        return reply if reply.refused else self._second.ask(now, characters)

    def ideal(self, seconds: float) -> float:
        return min(self._first.ideal(seconds), self._second.ideal(seconds))


@attrs.frozen
class Spoken:
    """Says with each answer what it takes, in headers."""

    _gateway: Bucket | Window | Cap

    def ask(self, now: float, characters: int) -> Reply:
        reply = self._gateway.ask(now, characters)
        return attrs.evolve(reply, headers=self._gateway.words())

    def ideal(self, seconds: float) -> float:
        return self._gateway.ideal(seconds)


@attrs.frozen
class Reluctant:
    """Says no only after a while, as behind a slow or distant balancer."""

    _gateway: Gateway
    _seconds: float

    def ask(self, now: float, characters: int) -> Reply:
        reply = self._gateway.ask(now, characters)
        return attrs.evolve(reply, seconds=self._seconds) if reply.refused else reply

    def ideal(self, seconds: float) -> float:
        return self._gateway.ideal(seconds)


class Moody:
    """Refuses a few at random, whatever is under way, and says nothing about when."""

    def __init__(self, gateway: Gateway, share: float, random: Random) -> None:
        self._gateway, self._share, self._random = gateway, share, random

    def ask(self, now: float, characters: int) -> Reply:
        if self._random.random() < self._share:
            return Reply(REFUSAL_SECONDS, refused=True)
        return self._gateway.ask(now, characters)

    def ideal(self, seconds: float) -> float:
        return self._gateway.ideal(seconds)


class Shared:
    """A second tenant asks it too, so many times a second on average and at random."""

    def __init__(self, gateway: Gateway, rate: float, random: Random) -> None:
        self._gateway, self._rate, self._random = gateway, rate, random
        self._next = random.expovariate(rate)

    def ask(self, now: float, characters: int) -> Reply:
        while self._next <= now:
            self._gateway.ask(self._next, text_length(self._random))
            self._next += self._random.expovariate(self._rate)
        return self._gateway.ask(now, characters)

    def ideal(self, seconds: float) -> float:
        return self._gateway.ideal(seconds) - self._rate * seconds


# --- driving -------------------------------------------------------------------------------------


@attrs.define
class Tally:
    """What became of the requests."""

    sent: int = 0
    done: int = 0
    refused: int = 0

    def score(self, gateway: Gateway, seconds: float) -> Score:
        return Score(self.done / gateway.ideal(seconds), self.refused / max(1, self.sent))


@attrs.frozen
class Score:
    goodput: float
    """Share of the ideal."""
    rejects: float
    """Share of all requests."""


def drive(
    gateway: Gateway,
    random: Random,
    *,
    begin: float = 0.0,
    seconds: float = SECONDS,
    controller: Controller | None = None,
) -> Score:
    """Drive a controller as the gate does, with always more to send."""
    control = controller or Controller(BOUNDS, Rate(), random.random)
    now, order, tally = begin, 0, Tally()
    events: list[tuple[float, int, Ticket, Reply]] = []
    while now < begin + seconds:
        at = control.ready_at()
        if at <= now or not events or at < events[0][0]:
            now = max(now, at)
            characters = text_length(random)
            reply = gateway.ask(now, characters)
            ticket = control.start(now, characters)
            tally.sent, order = tally.sent + 1, order + 1
            heapq.heappush(events, (now + reply.seconds, order, ticket, reply))
            continue
        now, _, ticket, reply = heapq.heappop(events)
        control.told(ticket, limit_hints_from(reply.headers))
        if reply.refused:
            tally.refused += 1
            control.throttled(ticket, now, reply.retry_after)
        elif reply.fault:
            control.fault(ticket, now)
        else:
            tally.done += 1
            control.ok(ticket, now, reply.seconds)
        control.leave(ticket)
    for *_, ticket, _ in events:
        control.leave(ticket)
    return tally.score(gateway, seconds)


async def drive_gate(
    gateway: Gateway, random: Random, *, seconds: float = SECONDS, gate: Gate | None = None
) -> Score:
    """Drive the gate itself, with a task for each that wants to be in flight."""
    gate = gate or Gate(BOUNDS, chance=random.random)
    tally, begun = Tally(), anyio.current_time()

    async def work() -> None:
        while True:
            characters = text_length(random)
            async with gate.slot(characters=characters) as slot:
                reply = gateway.ask(anyio.current_time() - begun, characters)
                tally.sent += 1
                await anyio.sleep(reply.seconds)
                if reply.refused:
                    tally.refused += 1
                    slot.throttled(reply.retry_after)
                elif reply.fault:
                    slot.fault()
                else:
                    tally.done += 1
                    slot.ok(reply.seconds)

    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            for _ in range(gate.most + 8):
                tasks.start_soon(work)
    return tally.score(gateway, seconds)
