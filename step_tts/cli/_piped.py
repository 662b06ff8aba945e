"""``-o -``: the audio goes to standard output as it arrives."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import click

from step_tts.cli._format import info_text
from step_tts.cli._pipes import is_terminal, left_behind, standard_output
from step_tts.cli._terminal import note

if TYPE_CHECKING:
    from step_tts._stream import SpeechStream

__all__ = ["STANDARD_OUTPUT", "check_standard_output", "note_piped", "write_on"]

STANDARD_OUTPUT = "-"


def check_standard_output(*, as_json: bool) -> None:
    """Check that audio may be written to standard output.

    Raises:
        click.UsageError: It is a terminal, or closed, or ``--json`` uses it.
    """
    if as_json:
        raise click.UsageError(
            "-o - and --json both write to standard output: leave one of them out."
        )
    if is_terminal(sys.stdout):
        command = click.get_current_context().command_path
        raise click.UsageError(
            "Audio would garble the terminal: name a file with -o, or redirect it "
            f"({command} … -o - > speech.mp3)."
        )
    standard_output()


async def write_on(stream: SpeechStream) -> None:
    """Write what arrives to standard output, as fast as it is read there."""
    write = standard_output()
    with contextlib.closing(stream):
        async for chunk in stream:
            await left_behind(write, chunk)


def note_piped(stream: SpeechStream) -> None:
    """Say what was written there."""
    note(f"standard output: {info_text(stream.info)}")
