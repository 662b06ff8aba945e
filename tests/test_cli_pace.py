from __future__ import annotations

from step_tts.cli._pace import WINDOW_SECONDS, Pace


def test_what_is_long_ago_does_not_count() -> None:
    """A batch that stands still shows that it does."""
    now = 0.0
    pace = Pace(lambda: now)
    assert pace.left(10) is None
    assert pace.rates() == (0.0, 0.0)
    for moment in (1.0, 1.5, 4.0):
        now = moment
        pace.add(10, 2.0)
    assert pace.rates() == (0.75, 1.5)
    assert pace.left(60) == 8.0
    now = 4.0 + WINDOW_SECONDS - 1
    assert pace.rates() == (1 / WINDOW_SECONDS, 2 / WINDOW_SECONDS)
    now = 5.0 + WINDOW_SECONDS
    assert pace.rates() == (0.0, 0.0)
    assert pace.left(10) is None


def test_memory_is_that_of_the_window() -> None:
    """However long the batch."""
    now = 0.0
    pace = Pace(lambda: now)
    for second in range(10 * WINDOW_SECONDS):
        now = float(second)
        pace.add(1, 1.0)
    assert len(pace._seconds) <= WINDOW_SECONDS
    assert pace.rates() == (1.0, 1.0)
