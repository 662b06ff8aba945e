from __future__ import annotations

import random

import pytest

from step_tts import AttemptEnded, AttemptStarted, LimitChanged, Paused, RowStarted
from step_tts.cli._gauges import Gauges, Percentiles


def started(number: int = 1) -> AttemptStarted:
    return AttemptStarted(
        call=1,
        batch=1,
        row=0,
        number=number,
        method="POST",
        url="https://speech.example/v1/audio/speech",
        characters=5,
        queued=0.0,
    )


def ended(outcome: str = "ok", seconds: float = 1.0) -> AttemptEnded:
    return AttemptEnded(
        call=1,
        batch=1,
        row=0,
        number=1,
        outcome=outcome,
        status_code=None,
        request_id=None,
        seconds=seconds,
        retry_in=None,
    )


def test_percentiles_are_right_to_one_percent() -> None:
    """Whatever the times, from a classes' worth of memory."""
    chance = random.Random(1)
    times = sorted(chance.lognormvariate(0, 2) for _ in range(10_001))
    found = Percentiles()
    for seconds in times:
        found.add(seconds)
    for share in (0.5, 0.9, 0.99):
        assert found.at(share) == pytest.approx(times[int(share * 10_000)], rel=0.0125)
    assert len(found._counts) < 800


def test_percentiles_of_nothing_and_of_no_time() -> None:
    """Nothing took no time; less than a millisecond is a millisecond."""
    found = Percentiles()
    assert found.at(0.5) == 0.0
    found.add(0.0)
    assert found.at(0.5) == 0.001


def test_the_gauges_follow_the_events() -> None:
    """In flight, at most, limit, retries; others pass."""
    gauges = Gauges()
    for event in (
        LimitChanged(limit=4),
        RowStarted(batch=1, index=0),
        started(),
        started(),
        ended("RateLimitError"),
        started(2),
        ended(seconds=2.0),
    ):
        gauges.heed(event)
    assert (gauges.in_flight, gauges.most, gauges.limit, gauges.retries) == (1, 2, 4, 1)
    assert gauges.answers.total == 1


def test_a_pause_that_prolongs_another_is_no_other() -> None:
    """Its seconds are counted once."""
    now = 100.0
    gauges = Gauges(lambda: now)
    gauges.heed(Paused(seconds=4))
    now = 102.0
    gauges.heed(Paused(seconds=4))
    assert (gauges.pauses, gauges.paused, gauges.pause) == (1, 6.0, 4.0)
    now = 200.0
    gauges.heed(Paused(seconds=1))
    assert (gauges.pauses, gauges.paused) == (2, 7.0)


def test_the_sentence_says_how_the_server_answered() -> None:
    """Only what there is to say."""
    gauges = Gauges()
    assert gauges.sentence() is None
    gauges.heed(started())
    gauges.heed(ended(seconds=2.0))
    times = "answers took 2.00 s (p50), 2.00 s (p90), 2.00 s (p99)"
    said = gauges.sentence() or ""
    assert said.replace("2.01", "2.00").replace("1.99", "2.00") == f"{times}; 1 at once at most"
    gauges.heed(started(2))
    gauges.heed(Paused(seconds=3))
    assert str(gauges.sentence()).endswith("; 1 retry; 1 pause, 3.00 s in all")
    gauges.heed(started(3))
    gauges.pauses = 2
    assert str(gauges.sentence()).endswith("; 2 retries; 2 pauses, 3.00 s in all")
