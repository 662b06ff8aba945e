"""The controller against gateways that are arithmetic: how much it gets, how little is refused.

Each case is minutes of service in milliseconds, with no event loop, and the same every time.
The first table holds the models the design began with; the second was added to widen it. Both
were in view while constants were chosen: neither is a held-out score.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from gateways import (
    Bucket,
    Cap,
    Gateway,
    Queue,
    Window,
    constant,
    drive,
    exponential,
    pareto,
    stepped,
    visited,
)

from step_tts._models import Concurrency, Rate

if TYPE_CHECKING:
    from collections.abc import Callable

SEEDS = (0, 1)

FIRST: dict[str, tuple[Callable[[Random], Gateway], float, float]] = {
    "cap 4": (lambda r: Cap(4, r), 0.95, 0.03),
    "cap 24": (lambda r: Cap(24, r), 0.95, 0.03),
    "cap 64": (lambda r: Cap(64, r), 0.95, 0.03),
    "cap 24, 6, 48": (lambda r: Cap(stepped(24, 6, 48), r), 0.88, 0.02),
    "10 a second, burst 10": (lambda r: Bucket(10, 10, r), 0.95, 0.03),
    "2 a second, burst 2, says 1 s": (lambda r: Bucket(2, 2, r, tells=True), 0.90, 0.03),
    "1 a second, burst 1": (lambda r: Bucket(1, 1, r), 0.80, 0.05),
    "10, 2, 20 a second": (lambda r: Bucket(stepped(10, 2, 20), 10, r), 0.78, 0.02),
    "600 a minute, says when": (lambda r: Window(600, 60, r), 0.95, 0.03),
}

WIDER: dict[str, tuple[Callable[[Random], Gateway], float, float]] = {
    "cap 8, heavy tail": (lambda r: Cap(8, r, law=pareto), 0.95, 0.03),
    "cap 16, constant": (lambda r: Cap(16, r, law=constant), 0.95, 0.03),
    "cap 32, exponential": (lambda r: Cap(32, r, law=exponential), 0.95, 0.03),
    "cap 5, exponential, says 1 s": (
        lambda r: Cap(5, r, law=exponential, retry_after=1),
        0.95,
        0.03,
    ),
    "cap 40, constant, says 1 s": (
        lambda r: Cap(40, r, law=constant, retry_after=1),
        0.94,
        0.03,
    ),
    "cap 12, 2 % faults": (lambda r: Cap(12, r, faults=0.02), 0.95, 0.03),
    "cap 5, 2, 8, says 1 s": (lambda r: Cap(stepped(5, 2, 8), r, retry_after=1), 0.90, 0.03),
    "cap 20, 12 of them taken each minute": (lambda r: Cap(visited(20, 8), r), 0.65, 0.03),
    "5 a second, burst 20, exponential": (lambda r: Bucket(5, 20, r, law=exponential), 0.95, 0.03),
    "30 a second, burst 5, heavy tail": (lambda r: Bucket(30, 5, r, law=pareto), 0.55, 0.03),
}


@pytest.mark.parametrize("name", [*FIRST, *WIDER])
def test_golden(name: str) -> None:
    """A floor under what gets through and a ceiling over what is refused."""
    make, floor, ceiling = (FIRST | WIDER)[name]
    scores = [drive(make(Random(seed)), Random(100 + seed)) for seed in SEEDS]
    assert sum(score.goodput for score in scores) / len(scores) >= floor
    assert sum(score.rejects for score in scores) / len(scores) <= ceiling


@pytest.mark.parametrize(("slots", "worst"), [(4, 16), (16, 22)])
def test_a_queueing_server_is_not_buried(slots: int, worst: float) -> None:
    """It never refuses, and the longest waits stay a few times the shortest."""
    gateway = Queue(slots, Random(0))
    score = drive(gateway, Random(100))
    assert score.goodput >= 0.95
    assert gateway.p95 <= worst


def test_a_known_rate_is_kept_without_a_refusal() -> None:
    """Who names the limit pays nothing for finding it."""
    gateway = Bucket(10, 10, Random(0))
    score = drive(gateway, Random(1), rate=Rate(requests_per_minute=600))
    assert score.rejects == 0
    assert score.goodput >= 0.95


def test_a_fixed_number_stays() -> None:
    """Whatever the server says; pauses keep even a bad choice from storming."""
    score = drive(Cap(4, Random(0)), Random(1), concurrency=Concurrency(fixed=8))
    assert score.controller.limit.slots == 8
    assert score.goodput > 0.6
    assert 0.1 < score.rejects < 0.8


def test_the_limit_is_found_again_after_it_rose() -> None:
    """From 4 to 40: the climb quickens while nothing is refused."""
    score = drive(Cap(stepped(4, 40, 40, 40), Random(0)), Random(1))
    assert 36 <= score.controller.limit.slots <= 41
