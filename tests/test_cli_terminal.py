from __future__ import annotations

import json
import logging
import signal
from typing import TYPE_CHECKING

import pytest

from step_tts._errors import (
    ConfigurationError,
    InternalServerError,
    InvalidRequestError,
    SaveError,
    StreamConsumedError,
)
from step_tts.cli import _terminal

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def quiet_logger() -> Iterator[logging.Logger]:
    """The package's logger, given back as it was."""
    logger = logging.getLogger("step_tts")
    before = logger.level, list(logger.handlers)
    yield logger
    logger.setLevel(before[0])
    logger.handlers[:] = before[1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello, 世界 “é”", "Hello, 世界 “é”"),
        ("\x1b[2J\a", "\\x1b[2J\\x07"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("caf\udce9", "caf\\udce9"),
        ("\u202egnp", "\\u202egnp"),
    ],
)
def test_nothing_printed_can_steer_the_terminal(text: str, shown: str) -> None:
    """Messages of servers and names of files are other people's words."""
    assert _terminal.printable(text) == shown


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InternalServerError("boom"), 1, "error: boom\n"),
        (
            SaveError(28, "No space left on device"),
            1,
            "error: [Errno 28] No space left on device\n",
        ),
        (FileNotFoundError(2, "gone", "x"), 1, "error: [Errno 2] gone: 'x'\n"),
        (ConfigurationError("no key"), 2, "error: no key\n"),
        (InvalidRequestError("blank"), 2, "error: blank\n"),
        (StreamConsumedError(), 2, "error: StreamConsumedError\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (KeyboardInterrupt(signal.SIGTERM), 143, "interrupted\n"),
    ],
)
def test_an_error_is_a_line_and_a_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """1 something failed, 2 usage or configuration, 130 interrupted, 143 terminated."""
    with pytest.raises(SystemExit) as caught, _terminal.reported(debug=False):
        raise error
    assert caught.value.code == code
    assert capsys.readouterr() == ("", line)


def test_what_to_do_comes_below_what_happened(capsys: pytest.CaptureFixture[str]) -> None:
    error = InternalServerError("boom")
    error.add_note("to continue, run: it")
    _terminal.complain(error)
    assert capsys.readouterr().err == "error: boom\nto continue, run: it\n"


def test_an_error_is_a_record_for_scripts_too(capsys: pytest.CaptureFixture[str]) -> None:
    """With the fields that a failed row of a batch has."""
    with pytest.raises(SystemExit), _terminal.reported(debug=False, as_json=True):
        raise InternalServerError("boom", status_code=503, code="busy")
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "error": "InternalServerError",
        "message": "boom [status 503, code busy]",
        "status_code": 503,
        "code": "busy",
        "request_id": None,
        "retryable": True,
        "attempts": 0,
    }
    assert err == "error: boom [status 503, code busy]\n"


def test_an_error_that_cannot_be_written_as_json_is_told_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard output itself may be what is full."""

    def full(_: object) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(_terminal, "emit", full)
    with pytest.raises(SystemExit) as caught, _terminal.reported(debug=False, as_json=True):
        raise InternalServerError("boom")
    assert caught.value.code == 1
    assert capsys.readouterr().err == "error: boom\n"


def test_a_bug_and_a_closed_pipe_are_not_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    """Python shows the one, click ends quietly on the other."""
    for error in (ZeroDivisionError(), BrokenPipeError()):
        with pytest.raises(type(error)), _terminal.reported(debug=False):
            raise error
    assert capsys.readouterr() == ("", "")


def test_debug_adds_the_traceback_and_the_log(
    quiet_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of it goes to stderr."""
    with pytest.raises(SystemExit), _terminal.reported(debug=True):
        quiet_logger.debug("attempt %d", 1)
        raise InternalServerError("boom")
    out, err = capsys.readouterr()
    assert out == ""
    assert "DEBUG step_tts: attempt 1\n" in err
    assert "Traceback" in err
    assert err.endswith("error: boom\n")


def test_a_warning_is_said_once(
    quiet_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each segment of a narration has the same to warn of; with ``--debug`` it is in the log."""
    before = list(quiet_logger.handlers)
    with _terminal.reported(debug=False, as_json=True):
        for text in ("one", "one", "two"):
            quiet_logger.warning(text)
    assert capsys.readouterr() == ("", "note: one\nnote: two\n")
    assert quiet_logger.handlers == before
    with _terminal.reported(debug=True):
        quiet_logger.warning("one")
    out, err = capsys.readouterr()
    assert (out, err.count("one")) == ("", 1)


def test_a_warning_that_cannot_be_said_harms_nobody(
    quiet_logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be raised in the midst of a call."""

    def closed(text: str) -> None:
        raise BrokenPipeError(text)

    monkeypatch.setattr(_terminal, "note", closed)
    with _terminal.reported(debug=False):
        quiet_logger.warning("one")


def test_a_record_is_one_ascii_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Right under every locale, and with any name a file can have."""
    _terminal.emit({"path": "你好\udce9\n"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.count("\n") == 1
    assert json.loads(out) == {"path": "你好\udce9\n"}
