"""``step-tts batch``: a file of texts → a directory of audio files, and a summary."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import attrs
import click

from step_tts._batch import DEFAULT_TEMPLATE
from step_tts._batch._readers import InputFormat, read_rows
from step_tts._errors import StepTTSError
from step_tts._models import BatchOrder
from step_tts.cli._again import Repeatable, how_to_go_on
from step_tts.cli._connect import connect
from step_tts.cli._feed import Feed, Part, PipedFeed, row_text, taken
from step_tts.cli._format import error_record, saved_record
from step_tts.cli._gauges import Gauges
from step_tts.cli._interrupts import interruptible
from step_tts.cli._options import FiniteRange, Terms, terms_options
from step_tts.cli._pipes import left_behind, opened
from step_tts.cli._progress import Progress, display_fits, shown_on_stderr
from step_tts.cli._reading import form_of
from step_tts.cli._run import run
from step_tts.cli._summary import Tally
from step_tts.cli._terminal import FAILED, emit, exit_code, note, reported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from step_tts._batch import SpeechBatch
    from step_tts._batch._readers import Row
    from step_tts._models import BatchResult

__all__ = ["batch"]

Form: TypeAlias = InputFormat | Literal["parquet"]

_FORMATS: dict[str, Form] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".text": "txt",
    ".txt": "txt",
}


def _shard(_: click.Context, __: click.Parameter, given: str | None) -> tuple[int, int]:
    """``2/8`` → the second of eight."""
    if given is None:
        return 1, 1
    number, slash, of = given.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise click.BadParameter("write I/N with I from 1 to N, such as 2/8")
    return int(number), int(of)


@click.command(cls=Repeatable)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--to",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Directory for the audio files; created if missing.",
)
@click.option(
    "--input-format",
    type=click.Choice([*get_args(InputFormat), "parquet"]),
    help="Format of FILE.  [default: by its suffix]",
)
@click.option(
    "--name",
    default=DEFAULT_TEMPLATE,
    show_default=True,
    metavar="TEMPLATE",
    help="File name for rows that have no name of their own.",
)
@click.option(
    "--order",
    type=click.Choice(get_args(BatchOrder)),
    default="completion",
    show_default=True,
    help="Order in which --json reports rows.",
)
@click.option(
    "--resume/--no-resume",
    default=True,
    show_default=True,
    help="Keep a journal in DIR, and skip the rows it lists as finished.",
)
@click.option(
    "--keep-failures", is_flag=True, help="Do not retry rows that failed in an earlier run."
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Take only the first N rows.",
)
@click.option(
    "--shard",
    metavar="I/N",
    callback=_shard,
    help="Take every N-th row, starting with the I-th: one machine's share of N.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Show what would be sent, without sending or writing anything.",
)
@click.option(
    "--price-per-1k",
    type=FiniteRange(min=0),
    metavar="PRICE",
    help="Price per 1000 characters; --dry-run then estimates the cost.",
)
@click.option(
    "--grace",
    type=FiniteRange(min=0),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Time that rows in flight get to finish after Ctrl-C.",
)
@terms_options
def batch(
    *,
    file: str,
    to: Path,
    input_format: Form | None,
    name: str,
    order: BatchOrder,
    resume: bool,
    keep_failures: bool,
    limit: int | None,
    shard: tuple[int, int],
    dry_run: bool,
    price_per_1k: float | None,
    grace: float,
    terms: Terms,
) -> None:
    """Speak every row of FILE into a directory. FILE may be - for standard input.

    \b
    .txt      one text per line; blank lines are skipped
    .jsonl    one JSON object per line, such as {"input": "Hello", "name": "hi"}
    .csv      a header with the same field names, then one row per text
    .parquet  columns with these names; others are ignored

    The fields are input (or text), name, model, voice, speed, prompt_text, prompt_audio_url,
    response_format, extra and extra_body. The options below apply to rows that do not set
    them. A row that is malformed or cannot be spoken is reported at the end; the rest go on.

    After an interruption, or a kill, run it again to resume where it stopped. Rows keep the
    numbers and names they have in FILE, whichever shard or limit selects them.
    """  # noqa: D301  click's mark for verbatim lines is the character itself
    if price_per_1k is not None and not dry_run:
        raise click.UsageError("--price-per-1k needs --dry-run.")
    job = _Job(
        file=file,
        form=input_format or form_of(file, _FORMATS),
        to=to,
        name=name,
        order=order,
        resume=resume,
        keep_failures=keep_failures,
        part=Part(*shard, limit),
        grace=grace,
        terms=terms,
    )
    with reported(debug=terms.report.debug, quiet=terms.report.quiet):
        failed = job.rehearse(price_per_1k) if dry_run else job.run()
    if failed:
        sys.exit(FAILED)


@attrs.define(kw_only=True)
class _Job:
    """One batch from its file to its summary."""

    file: str
    form: Form
    to: Path
    name: str
    order: BatchOrder
    resume: bool
    keep_failures: bool
    part: Part
    grace: float
    terms: Terms
    tally: Tally = attrs.field(factory=Tally)
    gauges: Gauges = attrs.field(factory=Gauges)

    def rehearse(self, price: float | None) -> bool:
        """Say what ``run`` would do; whether any row could not be spoken."""
        from step_tts.cli._dry_run import Plan

        plan = Plan(
            to=self.to,
            name=self.name,
            model=self.terms.client.model,
            placement=self.terms.client.prompt_placement,
            resume=self.resume,
            keep_failures=self.keep_failures,
            price=price,
        )
        with opened(self.file) as (stream, size):
            rows, _ = self._rows(stream, size)
            forecast = plan.forecast(taken(rows, self.part, self.name))
        for failure in forecast.tally.failures():
            note(f"error: {failure}")
        if self.terms.report.as_json:
            emit(forecast.record())
        else:
            click.echo("\n".join(forecast.lines()))
        return forecast.tally.failed > 0

    def run(self) -> bool:
        """Speak all rows; then, whatever happened, say how it went; whether any failed."""
        with self._summarised():
            self._speak_all()
        return self.tally.failed > 0  # pragma: no cover  coverage on 3.11 loses this frame's trace

    @contextmanager
    def _summarised(self) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        except KeyboardInterrupt as end:
            self._summarise(time.monotonic() - started)
            note(f"interrupted; {self._how_to_go_on()}")
            sys.exit(exit_code(end))
        except (StepTTSError, OSError) as error:
            if self.tally.rows:
                self._summarise(time.monotonic() - started)
                error.add_note(self._how_to_go_on())
            raise
        self._summarise(time.monotonic() - started)

    def _how_to_go_on(self) -> str:
        return how_to_go_on(self.file) if self.resume else "finished files are kept"

    def _rows(self, stream: BinaryIO, size: int | None) -> tuple[Iterator[Row], int | None]:
        """The rows of the file, and the sum of their sizes where it is known."""
        defaults = self.terms.request.fields()
        if self.form == "parquet":
            from step_tts._batch._tables import Table

            table = Table(stream, defaults=defaults)
            return table.rows(), table.count
        return read_rows(stream.readline, self.form, defaults=defaults), size

    def _speak_all(self) -> None:
        with opened(self.file) as (stream, size):
            rows, total = self._rows(stream, size)
            feed = Feed(taken(rows, self.part, self.name))
            progress = Progress(
                total=self.part.limit or total, tally=self.tally, gauges=self.gauges
            )
            with shown_on_stderr(progress, shown=display_fits(self.terms)):
                run(self._speak, PipedFeed(feed) if size is None else feed, feed, progress)

    async def _speak(self, rows: Feed | PipedFeed, feed: Feed, progress: Progress) -> None:
        async with (
            interruptible(self.grace) as interrupts,
            connect(self.terms.client, self.terms.pace, self.gauges.heed) as tts,
            tts.batch(
                rows,
                to=self.to,
                name=self.name,
                order=self.order,
                resume=self.resume,
                keep_failures=self.keep_failures,
            ) as results,
        ):
            interrupts.stop = results.stop
            await self._report_all(feed, results, progress)
        if interrupts.came:
            raise KeyboardInterrupt(interrupts.came)

    async def _report_all(self, feed: Feed, results: SpeechBatch, progress: Progress) -> None:
        async for result in results:
            row = feed.land(result.index)
            info = result.info
            if result.error:
                self.tally.fail(row_text(row), result.error)
            if info:
                (self.tally.keep if result.resumed else self.tally.speak)(info)
            weight = 1 if self.part.limit else row.size
            progress.advance(weight, info.duration if info else None, fresh=not result.resumed)
            if self.terms.report.as_json:
                await left_behind(emit, _record(row, result))

    def _summarise(self, elapsed: float) -> None:
        for failure in self.tally.failures():
            note(f"error: {failure}")
        if not self.terms.report.quiet:
            if answers := self.gauges.sentence():
                note(answers)
            note(self.tally.result(elapsed))


def _record(row: Row, result: BatchResult) -> dict[str, object]:
    place: dict[str, object] = {row.unit: row.line, "index": result.index}
    place |= {"resumed": result.resumed, "shared": result.shared}
    if result.error:
        return {**place, **error_record(result.error)}
    assert result.saved is not None  # noqa: S101  a result is one or the other with a ``to``
    return {**place, **saved_record(result.saved)}
