from __future__ import annotations

from step_tts._errors import InternalServerError, InvalidRequestError
from step_tts._formats import AudioFormat
from step_tts._models import AudioInfo
from step_tts.cli._summary import GROUPS_SHOWN, ROWS_SHOWN, Tally


def test_the_result_counts_rows_sound_and_bytes() -> None:
    """Sound of unknown length counts as none."""
    tally = Tally()
    tally.speak(AudioInfo(format=AudioFormat.MP3, size=1500, duration=61.0))
    tally.speak(AudioInfo(format=AudioFormat.AMR, size=500))
    tally.fail("line 3", InvalidRequestError("no"))
    assert tally.rows == 3
    assert tally.result(2.5) == "2 spoken, 1 failed; 1:01 of audio, 2.0 kB, in 2.50 s"


def test_the_result_says_how_long_files_are_where_they_differ() -> None:
    """A clip that is far too short or too long shows."""
    tally = Tally()
    for duration in (2.0, 0.05, 4.0):
        tally.speak(AudioInfo(format=AudioFormat.MP3, size=10, duration=duration))
    assert "6.05 s of audio (0.05 s to 4.00 s each)" in tally.result(1)


def test_nothing_failed_is_nothing_to_say() -> None:
    """A good batch ends with its result alone."""
    assert list(Tally().failures()) == []


def test_one_failure_names_its_row_and_its_reason() -> None:
    """The whole message is shown, with the request id that a server's staff asks for."""
    tally = Tally()
    tally.fail("line 3, hello", InternalServerError("boom.", status_code=500, request_id="r1"))
    assert list(tally.failures()) == [
        "1 × InternalServerError: boom. [status 500, request id r1] (line 3, hello)"
    ]


def test_failures_that_differ_in_numbers_are_one_group() -> None:
    """Most frequent first; a few rows of each, and how many more there are."""
    tally = Tally()
    tally.fail("line 1", InvalidRequestError("blank"))
    for line in range(2, 12):
        tally.fail(f"line {line}", InternalServerError(f"cut after {line} bytes"))
    first, second = tally.failures()
    rows = ", ".join(f"line {line}" for line in range(2, 2 + ROWS_SHOWN))
    assert first == f"10 × InternalServerError: cut after 2 bytes ({rows} and 5 more)"
    assert second == "1 × InvalidRequestError: blank (line 1)"


def test_the_same_words_from_two_classes_are_two_groups() -> None:
    """The class says what to do about it."""
    tally = Tally()
    tally.fail("line 1", InvalidRequestError("no"))
    tally.fail("line 2", InternalServerError("no"))
    assert len(list(tally.failures())) == 2


def test_reasons_without_end_do_not_grow_the_summary() -> None:
    """Groups that are known go on counting; others are counted together."""
    tally = Tally()
    for number in range(1000):
        word = "".join(chr(ord("a") + int(digit)) for digit in str(number))
        tally.fail(f"line {number}", InvalidRequestError(word))
    tally.fail("line 1000", InvalidRequestError("a"))
    lines = list(tally.failures())
    assert len(lines) == GROUPS_SHOWN + 1
    assert lines[0] == "2 × InvalidRequestError: a (line 0, line 1000)"
    assert lines[-1] == f"{1000 - GROUPS_SHOWN} more, for other reasons"


def test_rows_that_were_done_before_are_counted_apart() -> None:
    """Their sound is part of what there is."""
    tally = Tally()
    tally.keep(AudioInfo(format=AudioFormat.MP3, size=10, duration=2.0))
    assert tally.rows == 1
    assert tally.result(1).startswith("0 spoken, 0 failed, 1 done before; 2.00 s of audio, 10 B")
