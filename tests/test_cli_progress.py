from __future__ import annotations

import pytest

from step_tts import Paused
from step_tts._errors import InvalidRequestError
from step_tts._formats import AudioFormat
from step_tts._models import AudioInfo
from step_tts.cli._gauges import Gauges
from step_tts.cli._pace import Pace
from step_tts.cli._progress import Progress, flight, shown_on_stderr
from step_tts.cli._summary import Tally


class Clock:
    """Stands still until it is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def progress(total: float | None = 100) -> tuple[Progress, Clock]:
    """Two rows spoken, one failed, one done before; ten seconds in, half of the input."""
    clock, tally = Clock(), Tally()
    for _ in range(2):
        tally.speak(AudioInfo(format=AudioFormat.MP3, size=1))
    tally.fail("line 3", InvalidRequestError("no"))
    tally.keep(AudioInfo(format=AudioFormat.MP3, size=1))
    shown = Progress(total=total, tally=tally, gauges=Gauges(clock), pace=Pace(clock))
    clock.now += 10
    for audio in (4.0, 2.0, None):
        shown.advance(10, audio, fresh=True)
    shown.advance(20, 100.0, fresh=False)
    return shown, clock


def test_what_was_done_before_says_nothing_of_the_pace() -> None:
    """It counts as done, and in no rate: fifty more at three a second take long."""
    shown, _ = progress()
    assert shown.counts() == "2 spoken, 1 failed, 1 done before"
    assert shown.speed() == "0.3 rows/s, 0.6 s of audio/s"
    assert shown.left() == "17 s left"


def test_time_left_is_told_only_where_it_can_be_reckoned() -> None:
    """Not without a total, nor before anything moved."""
    assert progress(None)[0].left() == ""
    assert Progress(total=10, tally=Tally()).left() == ""


def test_the_flight_and_its_pauses() -> None:
    """A pause that is now says how long it is still."""
    shown, clock = progress()
    gauges = shown.gauges
    assert flight(gauges) == "none in flight yet"
    gauges.in_flight, gauges.limit = 3, 16
    assert flight(gauges) == "3 of 16 in flight"
    gauges.heed(Paused(seconds=4.5))
    assert flight(gauges) == "3 of 16 in flight, paused for 5 s"
    clock.now += 60
    assert flight(gauges) == "3 of 16 in flight, 1 pause"
    gauges.heed(Paused(seconds=1))
    clock.now += 1
    assert flight(gauges).endswith("2 pauses")


def test_a_display_that_is_not_shown_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Not a byte, to neither stream."""
    with shown_on_stderr(progress()[0], shown=False):
        pass
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("total", "known"), [(100, True), (None, False)])
def test_a_display_is_drawn_on_stderr_alone(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    total: int | None,
    known: bool,
) -> None:
    """Without a total there is no share and no time left; colour can be turned off."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with shown_on_stderr(progress(total)[0], shown=True):
        print("data")  # noqa: T201  as a command's --json would
    out, err = capsys.readouterr()
    assert out == "data\n"
    assert "2 spoken, 1 failed, " in err
    assert (" 50 %" in err) is known
    assert ("left" in err) is known
    assert "\x1b[3" not in err
