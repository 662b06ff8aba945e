"""The controller against gateways that are arithmetic: how much it gets, how little is refused.

Each case is minutes of service in milliseconds, with no event loop, and the same every time.
"""

from __future__ import annotations

from random import Random

import pytest
from gateway_sets import TUNED_MOVING, TUNED_STEADY
from gateways import BOUNDS, Bucket, Cap, Queue, drive, stepped

from step_tts._gate._controller import Controller
from step_tts._models import Concurrency, Rate

FLOORS = {
    "1 a second, burst 1": 0.80,
    "2 a second, burst 2, says when": 0.90,
    "10 a second, burst 1, says when": 0.06,
    "30 a second, burst 5, heavy tail": 0.55,
    "cap 5, 2, 8, says 1 s": 0.90,
    "cap 24, 6, 48": 0.88,
    "cap 20, 12 taken for 15 s a minute": 0.65,
    "10, 2, 20 a second": 0.78,
}


@pytest.mark.parametrize("name", TUNED_STEADY | TUNED_MOVING)
def test_golden(name: str) -> None:
    """A floor under what gets through and a ceiling over what is refused."""
    make = (TUNED_STEADY | TUNED_MOVING)[name]
    score = drive(make(Random(0)), Random(100))
    assert score.goodput >= FLOORS.get(name, 0.95)
    assert score.rejects <= 0.08


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
