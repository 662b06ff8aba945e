"""Gateways that nobody chose: drawn at random from a grid of sizes, service times and refusals.

The seed of a set is the commit it was drawn on, before the rules of the gate were changed again;
all but the last have been tuned on since. A rate is drawn so that it keeps at most a hundred at
once under way, which is half of what the simulated client may have, and two limits at once so
that one of them clearly binds.
"""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING

import attrs
from gateways import (
    MEAN_CHARACTERS,
    Both,
    Bucket,
    Cap,
    Characters,
    Moody,
    Queue,
    Reluctant,
    Shared,
    Sliding,
    Window,
    bimodal,
    bursting,
    by_length,
    constant,
    erlang,
    exponential,
    lognormal,
    pareto,
    stepped,
    taking,
    uniform,
    wandering,
    waving,
    weibull,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway_sets import Make, Models
    from gateways import Gateway, Law

    Row = tuple[str, Make]

LAWS = (
    lognormal,
    exponential,
    constant,
    pareto,
    by_length,
    weibull,
    erlang,
    uniform,
    bimodal,
)
SERVICE_SECONDS = (0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0)
SLOTS = (3, 5, 7, 10, 14, 20, 28, 40, 56)
RATES = (0.5, 1, 2, 3, 5, 8, 12, 20, 30, 50)
BURSTS = (1, 1, 2, 3, 5, 10, 30)
SMALL_BURSTS = (1, 1, 2, 3)
SPANS = (5, 10, 30, 60)
WAITS = (None, None, 1, 2, 3)
FAULTS = (0, 0, 0.02)
LATE_SECONDS = (0, 0, 0, 0.2, 0.4)
BOUND = (0.4, 0.7, 1.5, 2.5)  # of two limits: what the rate gives, relative to the slots
TAKEN = (0.2, 0.4)  # by a second tenant, of what there is
MOODS = (0.005, 0.01, 0.02)
AT_ONCE = 100


class Draw:
    """Rows of a table, each with its name; the same for a seed."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def service(self) -> tuple[str, Law, float]:
        law, mean = self._random.choice(LAWS), self._random.choice(SERVICE_SECONDS)
        return f"{law.__name__} {mean:g} s", taking(law, mean), mean

    def rate(self, mean: float) -> float:
        return self._random.choice([rate for rate in RATES if rate * mean <= AT_ONCE])

    def late(self, row: Row) -> Row:
        """Perhaps the refusals take a while."""
        name, make = row
        if seconds := self._random.choice(LATE_SECONDS):
            return f"{name}, refuses after {seconds} s", lambda r: Reluctant(make(r), seconds)
        return row

    def tells(self) -> tuple[str, bool]:
        tells = self._random.random() < 0.5
        return ", says when" if tells else "", tells

    def cap(self) -> Row:
        (service, law, _), slots = self.service(), self._random.choice(SLOTS)
        wait, faults = self._random.choice(WAITS), self._random.choice(FAULTS)
        says = f", says {wait} s" if wait else ""
        failing = f", {faults:.0%} of 503".replace("%", " %") if faults else ""
        make = partial(Cap, slots, law=law, retry_after=wait, faults=faults)
        return self.late((f"cap {slots}, {service}{says}{failing}", make))

    def bucket(self, bursts: tuple[int, ...] = BURSTS) -> Row:
        service, law, mean = self.service()
        rate, burst = self.rate(mean), self._random.choice(bursts)
        says, tells = self.tells()
        make = partial(Bucket, rate, burst, law=law, tells=tells)
        return self.late((f"{rate:g} a second, burst {burst}, {service}{says}", make))

    def small_bucket(self) -> Row:
        return self.bucket(SMALL_BURSTS)

    def window(self, spans: tuple[int, ...] = SPANS) -> Row:
        (service, law, mean), span = self.service(), self._random.choice(spans)
        (says, tells), requests = self.tells(), int(self.rate(mean) * span)
        make = partial(Window, requests, span, law=law, tells=tells)
        return self.late((f"{requests} each {span} s, {service}{says}", make))

    def minute(self) -> Row:
        return self.window((60,))

    def sliding(self) -> Row:
        (service, law, mean), span = self.service(), self._random.choice(SPANS)
        (says, tells), requests = self.tells(), int(self.rate(mean) * span)
        make = partial(Sliding, requests, span, law=law, tells=tells)
        return self.late((f"{requests} in any {span} s, {service}{says}", make))

    def characters(self, spans: tuple[int, ...] = SPANS) -> Row:
        service, law, mean = self.service()
        rate, seconds = MEAN_CHARACTERS * self.rate(mean), self._random.choice(spans)
        says, tells = self.tells()
        make = partial(Characters, rate, seconds * rate, law=law, tells=tells)
        name = f"{rate:g} characters a second, {seconds} s in hand, {service}{says}"
        return self.late((name, make))

    def characters_of_a_minute(self) -> Row:
        return self.characters((60,))

    def both(self) -> Row:
        (service, law, mean), slots = self.service(), self._random.choice(SLOTS)
        rate = round(self._random.choice(BOUND) * slots / mean, 1)
        burst = max(1, int(rate))

        def make(random: Random) -> Gateway:
            return Both(Bucket(rate, burst, random, law=law), Cap(slots, random, law=law))

        return self.late((f"{slots} at once and {rate:g} a second, {service}", make))

    def wandering_cap(self) -> Row:
        (service, law, _), (low, high) = self.service(), self.two(SLOTS)
        every, seed = self._random.choice(SPANS), self._random.randrange(1000)
        levels = wandering(low, high, every=every, seed=seed)
        make = partial(Cap, levels, law=law)
        return self.late((f"cap {low} to {high}, another each {every} s, {service}", make))

    def neighbour(self) -> Row:
        (service, law, _), (low, high) = self.service(), self.two(SLOTS)
        seed = self._random.randrange(1000)
        make = partial(Cap, bursting(high, low, every=60, lasting=20, seed=seed), law=law)
        return self.late((f"cap {high}, a bursting neighbour leaves {low}, {service}", make))

    def stepped_cap(self) -> Row:
        (service, law, _), levels = self.service(), self._random.sample(SLOTS, 3)
        name = f"cap {', '.join(map(str, levels))}, {service}"
        return self.late((name, partial(Cap, stepped(*levels), law=law)))

    def waving_rate(self) -> Row:
        (service, law, _), (low, high) = self.service(), self.two(RATES[:-3])
        make = partial(Bucket, waving(low, high, 300), 5, law=law)
        return self.late((f"{low:g} to {high:g} a second and back, {service}", make))

    def neighbour_of_rate(self) -> Row:
        (service, law, _), (low, high) = self.service(), self.two(RATES[:-3])
        seed = self._random.randrange(1000)
        make = partial(Bucket, bursting(high, low, every=60, lasting=20, seed=seed), 5, law=law)
        return self.late((f"{high:g} a second, a neighbour leaves {low:g}, {service}", make))

    def shared_rate(self) -> Row:
        service, law, mean = self.service()
        rate, share = self.rate(mean), self._random.choice(TAKEN)

        def make(random: Random) -> Gateway:
            return Shared(Bucket(rate, 5, random, law=law), share * rate, random)

        return f"{rate:g} a second, burst 5, {share:.0%} taken, {service}".replace("%", " %"), make

    def shared_cap(self) -> Row:
        (service, law, mean), slots = self.service(), self._random.choice(SLOTS)
        share = self._random.choice(TAKEN)

        def make(random: Random) -> Gateway:
            return Shared(Cap(slots, random, law=law), share * slots / mean, random)

        return f"cap {slots}, {share:.0%} taken, {service}".replace("%", " %"), make

    def moody_cap(self) -> Row:
        (service, law, _), slots = self.service(), self._random.choice(SLOTS)
        share = self._random.choice(MOODS)

        def make(random: Random) -> Gateway:
            return Moody(Cap(slots, random, law=law), share, random)

        return f"cap {slots}, {share:.1%} refused at random, {service}".replace("%", " %"), make

    def queue(self) -> Row:
        (service, law, _), slots = self.service(), self._random.choice(SLOTS)
        return f"a queue of {slots}, {service}", partial(Queue, slots, law=law)

    def two(self, values: tuple[float, ...]) -> tuple[float, float]:
        low, high = sorted(self._random.sample(values, 2))
        return low, high


@attrs.frozen
class Drawn:
    """A whole set, by what its limits do."""

    steady: Models
    moving: Models
    queues: Models
    moody: Models = attrs.field(factory=dict)


def rows(*draws: Callable[[], Row]) -> Models:
    return dict(draw() for draw in draws)


def third(draw: Draw) -> Drawn:
    steady = rows(
        *5 * [draw.cap],
        *5 * [draw.bucket],
        *2 * [draw.window],
        *2 * [draw.sliding],
        *2 * [draw.characters],
        *2 * [draw.both],
    )
    moving = rows(
        draw.wandering_cap,
        draw.neighbour,
        draw.stepped_cap,
        draw.waving_rate,
        draw.neighbour_of_rate,
    )
    return Drawn(steady, moving, rows(draw.queue, draw.queue))


def later(draw: Draw) -> Drawn:
    """More of what was hard for the third: short bursts, minutes, two limits at once."""
    steady = rows(
        *3 * [draw.cap],
        *2 * [draw.bucket],
        *3 * [draw.small_bucket],
        draw.window,
        *2 * [draw.minute],
        *2 * [draw.sliding],
        *2 * [draw.characters_of_a_minute],
        *3 * [draw.both],
    )
    moving = rows(
        draw.wandering_cap,
        draw.neighbour,
        draw.stepped_cap,
        draw.waving_rate,
        draw.neighbour_of_rate,
        draw.shared_rate,
        draw.shared_cap,
    )
    moody = rows(draw.moody_cap, draw.moody_cap)
    return Drawn(steady, moving, rows(draw.queue, draw.queue), moody)


THIRD = third(Draw("f759297"))
FOURTH = later(Draw("2ec352f"))
FIFTH = later(Draw("827e771"))
SIXTH = later(Draw("73d47cf"))
SEVENTH = later(Draw("3d9deb8"))
EIGHTH = later(Draw("b988d00"))
