"""The gate against gateways that are arithmetic: how much it gets, how little is refused.

The first table goes through the gate itself, on a clock that jumps; the sets of
``gateway_sets`` through its controller alone, fifteen minutes of service each. The same every
time, in milliseconds. What is asked for is 95 % and 3 %; what is not met is listed as it is.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
import trio
from gateway_sets import TUNED_MOVING, TUNED_STEADY
from gateways import BOUNDS, Bucket, Cap, Queue, Score, Window, drive, drive_gate, stepped
from trio.testing import MockClock

from step_tts._gate._controller import Controller
from step_tts._models import Concurrency, Rate

if TYPE_CHECKING:
    from gateway_sets import Make

MINUTES = 120.0
TABLE: dict[str, tuple[Make, float, float]] = {
    "cap 24": (lambda r: Cap(24, r), 0.90, 0.01),
    "cap 4": (lambda r: Cap(4, r), 0.93, 0.03),
    "cap 24, 6, 48": (lambda r: Cap(stepped(24, 6, 48, seconds=MINUTES), r), 0.58, 0.02),
    "cap 64": (lambda r: Cap(64, r), 0.88, 0.01),
    "10 a second, burst 10": (lambda r: Bucket(10, 10, r), 0.93, 0.02),
    "2 a second, burst 2, says when": (lambda r: Bucket(2, 2, r, tells=True), 0.87, 0.06),
    "600 a minute, says when": (lambda r: Window(600, 60, r), 0.97, 0.03),
    "10, 2, 20 a second": (
        lambda r: Bucket(stepped(10, 2, 20, seconds=MINUTES), 10, r),
        0.60,
        0.04,
    ),
    "a queue of 4": (lambda r: Queue(4, r), 0.95, 0.0),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_gate_itself(name: str) -> None:
    """Two minutes, the search for the limit included."""
    make, floor, ceiling = TABLE[name]

    async def main() -> Score:
        return await drive_gate(make(Random(0)), Random(100), seconds=MINUTES)

    score = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert score.goodput >= floor
    assert score.rejects <= ceiling


SETS = TUNED_STEADY | TUNED_MOVING
SHORT_OF_THE_AIM: dict[str, tuple[float, float]] = {
    "1 a second, burst 1": (0.92, 0.03),
    "10 a second, burst 1, says when": (0.84, 0.03),
    "30 a second, burst 5, heavy tail": (0.85, 0.03),
    "cap 24, 6, 48": (0.90, 0.03),
    "cap 20, 12 taken for 15 s a minute": (0.76, 0.03),
    "10, 2, 20 a second": (0.78, 0.03),
    "1.5 a second, burst 1, exponential": (0.90, 0.03),
    "40 a second, burst 10, says when": (0.90, 0.03),
    "60 in any 30 s, says when": (0.87, 0.045),
    "300 in any 10 s": (0.90, 0.03),
    "100 each 10 s": (0.60, 0.13),
    "cap 8 to 40 and back, bimodal": (0.82, 0.03),
    "cap 28, exponential, 4 % of 503": (0.92, 0.03),
    "cap 30, a bursting neighbour takes 20": (0.66, 0.03),
    "cap 3, 12, says 1 s, by length": (0.90, 0.03),
    "5, 15, 3 a second, burst 5": (0.80, 0.03),
    "12 a second, a bursting neighbour takes 8": (0.62, 0.03),
}


@pytest.mark.parametrize("name", SETS)
def test_golden(name: str) -> None:
    """A floor under what gets through and a ceiling over what is refused."""
    floor, ceiling = SHORT_OF_THE_AIM.get(name, (0.95, 0.03))
    score = drive(SETS[name](Random(0)), Random(100))
    assert score.goodput >= floor
    assert score.rejects <= ceiling


@pytest.mark.parametrize(("slots", "worst"), [(4, 16), (16, 22)])
def test_a_queueing_server_is_not_buried(slots: int, worst: float) -> None:
    """It never refuses, and the longest waits stay a few times the shortest."""
    gateway = Queue(slots, Random(0))
    score = drive(gateway, Random(100))
    assert score.goodput >= 0.95
    assert gateway.p95 <= worst


def test_a_known_rate_is_kept_without_a_refusal() -> None:
    """Who names the limit pays nothing for finding it."""
    rate = Rate(requests_per_minute=600)
    score = drive(Bucket(10, 10, Random(0)), Random(1), controller=control(BOUNDS, rate))
    assert score.rejects == 0
    assert score.goodput >= 0.95


def test_a_fixed_number_stays() -> None:
    """Whatever the server says; pauses keep even a bad choice from storming."""
    controller = control(Concurrency(fixed=8))
    score = drive(Cap(4, Random(0)), Random(1), controller=controller)
    assert controller.limit.slots == 8
    assert score.goodput > 0.6
    assert 0.1 < score.rejects < 0.8


def test_the_limit_is_found_again_after_it_rose() -> None:
    """From 4 to 40: the climb quickens while nothing is refused."""
    controller = control(BOUNDS)
    drive(Cap(stepped(4, 40, 40, 40), Random(0)), Random(1), controller=controller)
    assert 36 <= controller.limit.slots <= 41


def control(concurrency: Concurrency, rate: Rate | None = None) -> Controller:
    return Controller(concurrency, rate or Rate(), Random(2).random)
