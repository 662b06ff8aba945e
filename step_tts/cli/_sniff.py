"""``step-tts sniff``: what files are, and whether they are complete, by their own bytes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeAlias

import click

from step_tts._errors import StepTTSError
from step_tts.cli._format import bytes_text, channels_text, error_record, info_record, seconds_text
from step_tts.cli._pipes import is_terminal, standard_input
from step_tts.cli._terminal import FAILED, emit, printable, reported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from step_tts._models import AudioInfo

__all__ = ["sniff"]

_COLUMNS = ("file", "format", "length", "rate", "channels", "size", "verdict")

_VERDICTS = {"head": "good head", "nothing": "not checked"}
"""By ``AudioInfo.checked``; every deeper check proves that a file is complete."""

_UNFOLDED_COLUMNS = 10_000
"""Nothing is folded in a pipe, where each line is a file."""


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Write one JSON line per file to stdout.")
@click.option("--debug", is_flag=True, help="Show the log, and tracebacks of errors.")
def sniff(files: tuple[str, ...], *, as_json: bool, debug: bool) -> None:
    """Identify each FILE by its bytes, and check whether it is complete. - is standard input.

    The verdict is "whole" if every frame, chunk or page was checked, "perhaps whole" if nothing
    says how long the audio should be, "good head" if only the header of the format is checked,
    and otherwise what is wrong. The exit code is 1 if anything is wrong with any file.
    """
    with reported(debug=debug):
        findings = ((path, _inspected(path)) for path in files)
        broken = _emit_all(findings) if as_json else _show_table(findings)
    if broken:
        sys.exit(FAILED)


_Finding: TypeAlias = tuple[str, "AudioInfo | StepTTSError | OSError"]


def _inspected(path: str) -> AudioInfo | StepTTSError | OSError:
    from step_tts._inspect import inspect, inspect_stream

    try:
        return inspect_stream(standard_input()) if path == "-" else inspect(path)
    except (StepTTSError, OSError) as error:
        return error


def _emit_all(findings: Iterator[_Finding]) -> int:
    """Write a JSON line for each file as soon as it is known; return how many are not complete."""
    broken = 0
    for path, found in findings:
        if isinstance(found, Exception):
            broken += 1
            emit({"path": path, "whole": False, **error_record(found)})
        else:
            emit({"path": path, "whole": True, **info_record(found)})
    return broken


def _show_table(findings: Iterator[_Finding]) -> int:
    """Write a table; return how many files are not complete."""
    from rich.console import Console
    from rich.table import Table

    width = None if is_terminal(sys.stdout) else _UNFOLDED_COLUMNS
    table = Table(box=None, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, overflow="fold")
    broken = 0
    for path, found in findings:
        broken += isinstance(found, Exception)
        table.add_row(printable(path), *map(printable, _cells(found)))
    Console(width=width, markup=False, highlight=False, emoji=False).print(table)
    return broken


def _cells(found: AudioInfo | StepTTSError | OSError) -> tuple[str, ...]:
    if isinstance(found, Exception):
        return ("", "", "", "", "", _reason(found))
    return (
        _format_cell(found),
        seconds_text(found.duration),
        f"{found.sample_rate} Hz" if found.sample_rate else "",
        channels_text(found.channels) if found.channels else "",
        bytes_text(found.size),
        "; ".join((_verdict(found), *found.warnings)),
    )


def _verdict(info: AudioInfo) -> str:
    from step_tts._inspect import OPEN_END

    whole = "perhaps whole" if OPEN_END in info.warnings else "whole"
    return _VERDICTS.get(info.checked, whole)


def _format_cell(info: AudioInfo) -> str:
    """``mp3``, or with its coding if that is something else: ``wav pcm_s16le``."""
    return " ".join(dict.fromkeys((str(info.format), info.codec or str(info.format))))


def _reason(error: StepTTSError | OSError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
