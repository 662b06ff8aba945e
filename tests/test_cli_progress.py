from __future__ import annotations

import pytest

from step_tts._errors import InvalidRequestError
from step_tts._models import AudioFormat, AudioInfo
from step_tts.cli._progress import counts_text, progress
from step_tts.cli._summary import Tally


@pytest.fixture
def tally() -> Tally:
    """Two rows spoken, one failed."""
    tally = Tally()
    for _ in range(2):
        tally.speak(AudioInfo(format=AudioFormat.MP3, size=1))
    tally.fail("line 3", InvalidRequestError("no"))
    return tally


def test_the_counts_and_the_rate(tally: Tally) -> None:
    """Failures count as rows done."""
    assert counts_text(tally, 2.0) == "2 spoken, 1 failed, 1.5/s"
    assert counts_text(Tally(), 0.0) == "0 spoken, 0 failed, 0.0/s"


def test_a_bar_that_is_not_shown_says_nothing(
    tally: Tally, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not a byte, to neither stream."""
    with progress(100, shown=False) as advance:
        advance(tally, 50)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("total", "shown"), [(100, True), (None, False)])
def test_a_bar_is_drawn_on_stderr_alone(
    tally: Tally,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    total: int | None,
    shown: bool,
) -> None:
    """Without a total there is no share and no time left; colour can be turned off."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with progress(total, shown=True) as advance:
        advance(tally, 50)
        print("data")  # noqa: T201  as a command's --json would
    out, err = capsys.readouterr()
    assert out == "data\n"
    assert "2 spoken, 1 failed, " in err
    assert (" 50%" in err) is shown
    assert ("left" in err) is shown
    assert "\x1b[3" not in err
