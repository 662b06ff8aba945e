"""Capacity, rate and latency: the arithmetic, with time and chance handed in."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from step_tts.sandbox import Capacity, Fixed, LogNormal, PerCharacter, Rate
from step_tts.sandbox._limits import Bucket, as_capacity, as_latency


@pytest.mark.parametrize(
    ("capacity", "in_flight", "admitted"),
    [
        (Capacity(2), 1, True),
        (Capacity(2), 2, False),
        (Capacity(2, queue=1), 2, True),
        (Capacity(2, queue=1), 3, False),
        (Capacity(2, queue=None), 10_000, True),
    ],
)
def test_capacity_counts_slots_and_queue(
    capacity: Capacity, in_flight: int, admitted: bool
) -> None:
    """What is served and what waits together decide."""
    assert capacity.admits(in_flight) is admitted


def test_a_bucket_lets_a_burst_in_and_then_one_per_interval() -> None:
    """Ten a second: ten at once, the eleventh after a tenth of a second."""
    bucket = Bucket(Rate(10, 1.0), now=100.0)
    verdicts = [bucket.take(100.0) for _ in range(11)]
    assert [verdict.admitted for verdict in verdicts] == [True] * 10 + [False]
    assert verdicts[0].remaining == 9
    assert verdicts[-1].remaining == 0
    assert verdicts[-1].wait == pytest.approx(0.1)
    assert verdicts[-1].reset == pytest.approx(1.0)
    assert not bucket.take(100.05).admitted
    assert bucket.take(100.1).admitted


def test_a_rested_bucket_is_never_fuller_than_its_burst() -> None:
    """An hour of rest earns no more than the burst."""
    bucket = Bucket(Rate(60, burst=2), now=0.0)
    assert [bucket.take(3600.0).admitted for _ in range(3)] == [True, True, False]


@given(st.lists(st.floats(0, 5), max_size=60))
def test_a_bucket_never_exceeds_its_rate(gaps: list[float]) -> None:
    """Over any span no more come in than the burst and the span's share."""
    bucket, now, admitted = Bucket(Rate(3, 2.0), now=0.0), 0.0, 0
    for gap in gaps:
        now += gap
        admitted += bucket.take(now).admitted
    assert admitted <= 3 + now * 1.5 + 1e-6


def test_latency_laws() -> None:
    """Each law says seconds for a text."""
    assert Fixed(0.5).seconds("abc", Random(0)) == 0.5
    assert PerCharacter(0.1, base=1.0).seconds("abc", Random(0)) == pytest.approx(1.3)
    draws = sorted(LogNormal(2.0).seconds("", random) for random in [Random(7)] for _ in range(999))
    assert draws[499] == pytest.approx(2.0, rel=0.1)
    assert draws[-1] > 4
    assert LogNormal(2.0).seconds("", Random(1)) == LogNormal(2.0).seconds("", Random(1))


def test_bare_numbers_are_understood() -> None:
    """A number stands for the simplest law."""
    assert as_capacity(3) == Capacity(3)
    assert as_capacity(Capacity(4)) == Capacity(4)
    assert as_capacity(None) is None
    assert as_latency(None) == Fixed(0)
    assert as_latency(0.25) == Fixed(0.25)
    assert as_latency(PerCharacter(1)) == PerCharacter(1)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Capacity(0),
        lambda: Capacity(1, queue=-1),
        lambda: Capacity(1, retry_after=-1),
        lambda: Rate(0),
        lambda: Rate(1, 0),
        lambda: Rate(1, math.inf),
        lambda: Rate(1, burst=0),
        lambda: Fixed(-1),
        lambda: Fixed(math.nan),
        lambda: LogNormal(0),
        lambda: LogNormal(1, -1),
        lambda: PerCharacter(-1),
    ],
)
def test_values_that_make_no_sense_are_refused(build: object) -> None:
    """A law that cannot hold is a ValueError where it is written."""
    assert callable(build)
    with pytest.raises(ValueError, match="must be"):
        build()
