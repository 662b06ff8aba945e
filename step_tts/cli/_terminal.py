"""What a person or a script gets: messages on stderr, data on stdout, and an exit code.

stdout carries only what was asked for (audio with ``-o -``, JSON with ``--json``, a table), so
it can always be piped. Every line for people goes to stderr.
Must not know any command.
"""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import sys
import traceback
from typing import TYPE_CHECKING

import click

from step_tts._errors import (
    ConfigurationError,
    InvalidRequestError,
    StepTTSError,
    UsageError,
)
from step_tts.cli._format import error_record, info_text
from step_tts.cli._pipes import standard_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from step_tts._models import SavedSpeech

__all__ = [
    "FAILED",
    "USAGE",
    "complain",
    "emit",
    "exit_code",
    "log_to_stderr",
    "note",
    "note_saved",
    "printable",
    "reported",
]

FAILED = 1
USAGE = 2

_USAGE_ERRORS = (ConfigurationError, InvalidRequestError, UsageError)


def printable(text: str) -> str:
    """Escape what could control a terminal.

    A server's message and a file's name come from others. Lone surrogates, which stand for the
    undecodable bytes of a file's name, could not be encoded at all.
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def note(text: str) -> None:
    """Say one line to the person at the terminal."""
    click.echo(printable(text), err=True)


def note_saved(saved: SavedSpeech) -> None:
    """Say what was saved, and where if that is not where it was asked for."""
    note(f"{saved.path}: {info_text(saved.info)}")
    if saved.suffix_corrected:
        note(f"not {saved.asked}: the server sent {saved.info.format}")


def complain(error: BaseException) -> None:
    """Say in one line what went wrong, with the exception's notes below it."""
    note(f"error: {str(error) or type(error).__name__}")
    for line in getattr(error, "__notes__", ()):
        note(line)


def emit(record: Mapping[str, object]) -> None:
    """Write one JSON line to stdout, in ASCII, which is right in every locale."""
    standard_output()(f"{json.dumps(record)}\n".encode("ascii"))


def log_to_stderr() -> None:
    """Show the package's log: attempts, statuses, request ids and times."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("step_tts")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)


def exit_code(end: KeyboardInterrupt) -> int:
    """128 and the signal, as shells have it: 130 for Ctrl-C, 143 for SIGTERM."""
    return 128 + (end.args[0] if end.args else signal.SIGINT)


class _Notes(logging.Handler):
    """Shows the package's warnings, each once; with ``log_to_stderr`` they are in the log."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._said = set[str]()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text not in self._said:
            self._said.add(text)
            with contextlib.suppress(OSError):  # It would be raised where the package warns.
                note(f"note: {text}")


@contextlib.contextmanager
def _heeded(level: int) -> Iterator[None]:
    logger, notes = logging.getLogger("step_tts"), _Notes(level)
    logger.addHandler(notes)
    try:
        yield
    finally:
        logger.removeHandler(notes)


@contextlib.contextmanager
def reported(*, debug: bool, as_json: bool = False, quiet: bool = False) -> Iterator[None]:
    """Turn what a command raises into one line on stderr, and an exit code.

    With ``as_json``, also into one on stdout. A closed pipe passes: click ends quietly on it. The
    package's warnings are shown, too, unless ``quiet``.
    """
    if debug:
        log_to_stderr()
    heeded = (
        contextlib.nullcontext() if debug else _heeded(logging.ERROR if quiet else logging.WARNING)
    )
    try:
        with heeded:
            yield
    except KeyboardInterrupt as end:
        note("interrupted")
        sys.exit(exit_code(end))
    except BrokenPipeError:
        raise
    except (StepTTSError, OSError) as error:
        if debug:
            click.echo(traceback.format_exc(), err=True)
        complain(error)
        if as_json:
            # Standard output may be the problem: a full disk, a closed pipe.
            with contextlib.suppress(OSError):
                emit(error_record(error))
        sys.exit(USAGE if isinstance(error, _USAGE_ERRORS) else FAILED)
