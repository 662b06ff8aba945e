"""The gate against gateways that are arithmetic: how much it gets, how little is refused.

The first table goes through the gate itself, on a clock that jumps, a minute each; the second
through its controller alone, five minutes each. The same every time, in tenths of a second. They
hold a little less than what is reached; fifteen minutes of many more gateways are scored by
``tests/benchmarks/gate_score.py``.
"""

from __future__ import annotations

from random import Random
from statistics import mean
from typing import TYPE_CHECKING

import pytest
import trio
from gateway_sets import SILENT, SPOKEN, TUNED_MOODY, TUNED_STEADY
from gateways import (
    BOUNDS,
    SECONDS,
    Bucket,
    Cap,
    Queue,
    Score,
    drive,
    drive_gate,
    stepped,
    visited,
    weibull,
)
from gateways_drawn import EIGHTH
from trio.testing import MockClock

from step_tts._gate import Gate
from step_tts._gate._controller import Controller
from step_tts._policies import Concurrency, Rate

if TYPE_CHECKING:
    from gateway_sets import Make

MINUTE = 60.0
THROUGH_THE_GATE: dict[str, tuple[Make, float, float]] = {
    "cap 4": (lambda r: Cap(4, r), 1.0, 0.04),
    "cap 24": (lambda r: Cap(24, r), 0.87, 0.01),
    "10 a second, burst 10": (lambda r: Bucket(10, 10, r), 0.93, 0.02),
    "2 a second, burst 2, says when": (lambda r: Bucket(2, 2, r, tells=True), 0.85, 0.1),
    "a queue of 4": (lambda r: Queue(4, r), 0.94, 0.0),
}


@pytest.mark.parametrize("name", THROUGH_THE_GATE)
def test_the_gate_itself(name: str) -> None:
    """A minute, the search for the limit included."""
    make, floor, ceiling = THROUGH_THE_GATE[name]

    async def main() -> Score:
        gate = Gate(Concurrency(maximum=32), chance=Random(1).random)
        return await drive_gate(make(Random(0)), Random(100), seconds=MINUTE, gate=gate)

    score = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert score.goodput >= floor
    assert score.rejects <= ceiling


MINUTES = 300.0
MOVING: dict[str, Make] = {
    "cap 12, 4, 24": lambda r: Cap(stepped(12, 4, 24, seconds=MINUTES), r),
    "cap 20, 12 taken for 15 s a minute": lambda r: Cap(visited(20, 8), r),
    "6, 2, 12 a second": lambda r: Bucket(stepped(6, 2, 12, seconds=MINUTES), 6, r),
}
GOLDEN: dict[str, tuple[float, float]] = {
    "cap 4": (0.96, 0.033),
    "cap 8, heavy tail": (0.98, 0.018),
    "cap 12, 2 % of 503": (0.94, 0.012),
    "1 a second, burst 1": (0.89, 0.048),
    "2 a second, burst 2, says when": (0.94, 0.031),
    "5 a second, burst 20, exponential": (0.97, 0.02),
    "7 a second, burst 2, constant": (0.95, 0.01),
    "10 a second, burst 1, says when": (0.9, 0.008),
    "60 in any 30 s, says when": (0.95, 0.02),
    "100 each 10 s": (0.95, 0.016),
    "480 characters a second": (0.97, 0.023),
    "cap 24, 1 % refused at random": (0.77, 0.015),
    "10 a second, burst 10, 2 % refused at random": (0.79, 0.032),
    "cap 12, 4, 24": (0.86, 0.014),
    "cap 20, 12 taken for 15 s a minute": (0.8, 0.021),
    # The better 2 a second is known, the later it is left for 12.
    "6, 2, 12 a second": (0.58, 0.032),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    """A floor under what gets through and a ceiling over what is refused."""
    make = (TUNED_STEADY | TUNED_MOODY | MOVING)[name]
    scores = [drive(make(Random(n)), Random(100 + n), seconds=MINUTES) for n in range(3)]
    floor, ceiling = GOLDEN[name]
    assert mean(score.goodput for score in scores) >= floor
    assert mean(score.rejects for score in scores) <= ceiling


LINES = 10_000


@pytest.mark.parametrize("name", EIGHTH.steady)
def test_held_out_over_ten_thousand_lines(name: str) -> None:
    """Whatever steady limit comes: 95 % of what it gives, and 3 % refused at most."""
    gateway = EIGHTH.steady[name](Random(0))
    seconds = SECONDS * max(1, LINES / gateway.ideal(SECONDS))
    score = drive(gateway, Random(100), seconds=seconds)
    assert score.goodput >= 0.95
    assert score.rejects <= 0.03


@pytest.mark.parametrize("seed", range(6))
def test_answers_that_spread_widely_hide_no_limit(seed: int) -> None:
    """Quick answers come first; the others are no queue, and the number goes on growing."""
    gateway = Cap(56, Random(seed), law=weibull)
    assert drive(gateway, Random(100 + seed), seconds=MINUTES).goodput >= 0.95


@pytest.mark.parametrize(("slots", "worst"), [(4, 16), (16, 22)])
def test_a_queueing_server_is_not_buried(slots: int, worst: float) -> None:
    """It never refuses, and the longest waits stay a few times the shortest."""
    gateway = Queue(slots, Random(0))
    score = drive(gateway, Random(100), seconds=MINUTES)
    assert score.goodput >= 0.95
    assert gateway.p95 <= worst


@pytest.mark.parametrize("name", ["cap 24", "100 each 10 s", "600 a minute"])
def test_what_the_server_says_spares_refusals(name: str) -> None:
    """Its headers go the whole way, and not one in a thousand is refused."""
    silent, spoken = (
        drive(models[name](Random(0)), Random(1), seconds=MINUTE) for models in (SILENT, SPOKEN)
    )
    assert silent.rejects > 0.003
    assert spoken.rejects < 0.001
    assert spoken.goodput >= 0.9


def test_a_known_rate_is_kept_without_a_refusal() -> None:
    """Who names the limit pays nothing for finding it."""
    rate = Rate(requests_per_minute=600)
    score = drive(
        Bucket(10, 10, Random(0)), Random(1), seconds=MINUTE, controller=control(BOUNDS, rate)
    )
    assert score.rejects == 0
    assert score.goodput >= 0.93


def test_a_fixed_number_stays() -> None:
    """Whatever the server says; pauses keep even a bad choice from storming."""
    controller = control(Concurrency(fixed=8))
    score = drive(Cap(4, Random(0)), Random(1), seconds=MINUTE, controller=controller)
    assert controller.limit.slots == 8
    assert score.goodput > 0.6
    assert 0.1 < score.rejects < 0.8


def test_the_limit_is_found_again_after_it_rose() -> None:
    """From 4 to 40: the climb quickens while nothing is refused."""
    controller = control(BOUNDS)
    rising = Cap(stepped(4, 40, seconds=2 * MINUTE), Random(0))
    drive(rising, Random(1), seconds=3 * MINUTE, controller=controller)
    assert 36 <= controller.limit.slots <= 41


def control(concurrency: Concurrency, rate: Rate | None = None) -> Controller:
    return Controller(concurrency, rate or Rate(), Random(2).random)
