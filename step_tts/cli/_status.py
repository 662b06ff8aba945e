"""``step-tts status``: how far the batch in a directory is, running or not."""

from __future__ import annotations

import time
from pathlib import Path

import attrs
import click

from step_tts._batch._status import BatchStatus, read_status
from step_tts.cli._format import seconds_text
from step_tts.cli._terminal import emit, reported

__all__ = ["status"]


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object instead of a sentence.")
def status(*, directory: Path, as_json: bool) -> None:
    """Show the progress of the batch in DIRECTORY.

    While the batch is running, the figures are those of this run, including rows it found
    already done, and the requests in flight out of how many the server allows. They lag behind
    the last finished row by a second at most. Otherwise they are those of the whole directory.
    """
    with reported(debug=False):
        found = read_status(directory)
        if as_json:
            emit({name: value for name, value in attrs.asdict(found).items() if value is not None})
        else:
            click.echo(_sentence(found))


def _sentence(found: BatchStatus) -> str:
    facts = f"{found.done} done, {found.failed} failed; {seconds_text(found.seconds)} of audio"
    if not found.running:
        return f"not running: {facts}"
    if found.updated_at is None:
        return "running: just begun"
    age = max(0.0, time.time() - found.updated_at)
    return f"running (process {found.pid}): {facts}{_gate(found)}; {seconds_text(age)} ago"


def _gate(found: BatchStatus) -> str:
    if found.limit is None:
        return ""
    pause = (found.paused_until or 0.0) - time.time()
    paused = f", paused for {seconds_text(pause)}" if pause > 0 else ""
    return f"; {found.in_flight} of {found.limit} in flight{paused}"
