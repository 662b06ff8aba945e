"""``step-tts batch``: a file of texts → a directory of audio files, and a summary."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import attrs
import click

from step_tts._batch._readers import InputFormat, read_rows
from step_tts._errors import InvalidRequestError, StepTTSError
from step_tts.cli._connect import connect
from step_tts.cli._feed import Feed, row_text
from step_tts.cli._format import error_record, saved_record
from step_tts.cli._interrupts import interruptible
from step_tts.cli._options import (
    ClientOptions,
    ReportOptions,
    RequestOptions,
    client_options,
    report_options,
    request_options,
)
from step_tts.cli._pipes import is_terminal, left_behind, opened
from step_tts.cli._progress import progress
from step_tts.cli._summary import Tally
from step_tts.cli._terminal import FAILED, INTERRUPTED, emit, note, reported

if TYPE_CHECKING:
    from typing import Literal

    from step_tts._batch import SpeechBatch
    from step_tts._batch._readers import Row
    from step_tts._models import BatchResult, SavedSpeech
    from step_tts.cli._progress import Advance

__all__ = ["batch"]

_KEPT = "the files that are finished stay"
_FORMATS: dict[str, InputFormat] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".text": "txt",
    ".txt": "txt",
}


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--to",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Directory for the audio files; made if missing.",
)
@click.option(
    "--input-format",
    type=click.Choice(get_args(InputFormat)),
    help="How FILE is written.  [default: by its suffix]",
)
@click.option(
    "-c",
    "--concurrency",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Texts in flight at once.",
)
@click.option(
    "--name",
    default="{index:05d}-{slug}",
    show_default=True,
    metavar="TEMPLATE",
    help="Name of the files of rows that bring none.",
)
@click.option(
    "--order",
    type=click.Choice(["completion", "input"]),
    default="completion",
    show_default=True,
    help="Order in which --json reports rows.",
)
@click.option(
    "--resume/--no-resume",
    default=True,
    show_default=True,
    help="Keep a journal in DIR and skip what it knows to be finished.",
)
@click.option(
    "--keep-failures", is_flag=True, help="Leave rows that failed in an earlier run at that."
)
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="What Ctrl-C leaves to rows in flight.",
)
@click.option("--no-progress", is_flag=True, help="Draw no progress bar.")
@request_options
@client_options
@report_options
def batch(
    *,
    file: str,
    to: Path,
    input_format: InputFormat | None,
    concurrency: int,
    name: str,
    order: Literal["completion", "input"],
    resume: bool,
    keep_failures: bool,
    grace: float,
    no_progress: bool,
    request: RequestOptions,
    client: ClientOptions,
    report: ReportOptions,
) -> None:
    """Speak every row of FILE into a directory. FILE may be - for standard input.

    \b
    .txt    a text a line; blank lines are skipped
    .jsonl  a JSON object a line, such as {"input": "Hello", "name": "greeting"}
    .csv    a header that names the same fields, then a row a text

    Fields are input (or text), name, model, voice, speed, prompt_text, prompt_audio_url,
    response_format, extra and extra_body. The options below hold for rows that say nothing
    else. A row that is malformed or cannot be spoken is reported at the end; the rest go on.

    Run it again after an interruption, or a kill, and it goes on where it was.
    """  # noqa: D301  click's mark for verbatim lines is the character itself
    job = _Job(
        file=file,
        form=input_format or _format_of(file),
        to=to,
        concurrency=concurrency,
        name=name,
        order=order,
        resume=resume,
        keep_failures=keep_failures,
        grace=grace,
        bar=not no_progress and _bar_fits(report),
        request=request,
        client=client,
        report=report,
    )
    with reported(debug=report.debug):
        job.run()
    if job.tally.failed:
        sys.exit(FAILED)


def _format_of(file: str) -> InputFormat:
    form = _FORMATS.get(Path(file).suffix.lower())
    if form is None:
        known = ", ".join(sorted(_FORMATS))
        raise click.UsageError(f"{file}: say --input-format; only {known} speak for themselves.")
    return form


def _bar_fits(report: ReportOptions) -> bool:
    """Whether stderr is a terminal on which nothing else will be written meanwhile."""
    others = report.quiet or report.debug or (report.as_json and is_terminal(sys.stdout))
    return is_terminal(sys.stderr) and not others


@attrs.define(kw_only=True)
class _Job:
    """One batch from its file to its summary."""

    file: str
    form: InputFormat
    to: Path
    concurrency: int
    name: str
    order: Literal["completion", "input"]
    resume: bool
    keep_failures: bool
    grace: float
    bar: bool
    request: RequestOptions
    client: ClientOptions
    report: ReportOptions
    tally: Tally = attrs.field(factory=Tally)

    def run(self) -> None:
        """Speak all rows; then, whatever happened, say how it went."""
        started = time.monotonic()
        try:
            self._speak_all()
        except KeyboardInterrupt:
            note(f"interrupted; {'run it again to go on' if self.resume else _KEPT}")
            self._summarise(time.monotonic() - started)
            sys.exit(INTERRUPTED)
        except (StepTTSError, OSError):
            if self.tally.rows:
                self._summarise(time.monotonic() - started)
            raise
        self._summarise(time.monotonic() - started)

    def _speak_all(self) -> None:
        import anyio

        with opened(self.file) as (stream, size):
            rows = read_rows(stream.readline, self.form, defaults=self.request.fields())
            with progress(size, shown=self.bar) as advance:
                anyio.run(self._speak, Feed(rows), advance)

    async def _speak(self, feed: Feed, advance: Advance) -> None:
        async with (
            interruptible(self.grace) as interrupts,
            connect(self.client, concurrency=self.concurrency) as tts,
            tts.batch(
                feed,
                to=self.to,
                name=self.name,
                order=self.order,
                resume=self.resume,
                keep_failures=self.keep_failures,
            ) as results,
        ):
            interrupts.stop = results.stop
            await self._report_all(feed, results, advance)
        if interrupts.came:
            raise KeyboardInterrupt

    async def _report_all(self, feed: Feed, results: SpeechBatch, advance: Advance) -> None:
        async for result in results:
            row = feed.land(result.index)
            outcome = _outcome(row, result)
            self._count(row, result, outcome)
            advance(self.tally, row.size)
            if self.report.as_json:
                await left_behind(emit, _record(row, result, outcome))

    def _count(self, row: Row, result: BatchResult, outcome: SavedSpeech | StepTTSError) -> None:
        if isinstance(outcome, StepTTSError):
            self.tally.fail(row_text(row), outcome)
        elif result.resumed:
            self.tally.keep(outcome.info)
        else:
            self.tally.speak(outcome.info)

    def _summarise(self, elapsed: float) -> None:
        for failure in self.tally.failures():
            note(f"error: {failure}")
        if not self.report.quiet:
            note(self.tally.result(elapsed))


def _outcome(row: Row, result: BatchResult) -> SavedSpeech | StepTTSError:
    """What became of a row; a malformed one keeps its reader's reason."""
    if isinstance(row.item, InvalidRequestError):
        return row.item
    outcome = result.saved or result.error
    assert outcome is not None  # noqa: S101  a result is one or the other when there is a ``to``
    return outcome


def _record(
    row: Row, result: BatchResult, outcome: SavedSpeech | StepTTSError
) -> dict[str, object]:
    place: dict[str, object] = {"line": row.line, "index": result.index}
    place |= {"resumed": result.resumed, "shared": result.shared}
    if isinstance(outcome, StepTTSError):
        return {**place, **error_record(outcome)}
    return {**place, **saved_record(outcome)}
