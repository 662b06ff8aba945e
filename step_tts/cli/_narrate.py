"""``step-tts narrate``: a long text → one audio file, or one for each chapter."""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import attrs
import click

from step_tts._batch import Namer
from step_tts._batch._fields import build_request
from step_tts._errors import StepTTSError
from step_tts._files import replace_text
from step_tts._text import SubtitleFormat
from step_tts.cli._again import Repeatable, how_to_go_on
from step_tts.cli._connect import connect
from step_tts.cli._gauges import Gauges
from step_tts.cli._interrupts import unless_interrupted
from step_tts.cli._narrated import narrated_record, playlist, suspects
from step_tts.cli._narration_progress import NarrationProgress
from step_tts.cli._options import FiniteRange, Terms, terms_options
from step_tts.cli._parts import parts_of, remove_parts
from step_tts.cli._piped import STANDARD_OUTPUT, check_standard_output, note_piped, write_on
from step_tts.cli._pipes import left_behind
from step_tts.cli._progress import display_fits, shown_on_stderr
from step_tts.cli._reading import BookForm, Source
from step_tts.cli._run import run
from step_tts.cli._terminal import emit, exit_code, note, note_saved, reported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from step_tts._book import Chapter
    from step_tts._client import AsyncClient
    from step_tts._models import NarratedSegment, SavedSpeech
    from step_tts._narrate import Narration

__all__ = ["narrate"]


def _target(context: click.Context, _: click.Parameter, given: str) -> Path | None:
    """Where to save, or ``None`` for standard output. Finished segments are kept beside it."""
    if given == STANDARD_OUTPUT:
        return None
    target = Path(given)
    if target.name in {"", ".."}:
        raise click.BadParameter(
            f"'{target}' cannot name what is saved: give it a name, such as story"
        )
    if not context.params["chapters"] and (given.endswith(os.sep) or target.is_dir()):
        raise click.BadParameter(f"{given} is a directory: name a file in it, or use --chapters.")
    return target


@click.command(cls=Repeatable)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "-o",
    "--output",
    required=True,
    callback=_target,
    metavar="PATH",
    help="Where to save; the suffix is chosen to match the audio. With --chapters, a directory. "
    "- writes to standard output as the audio arrives, and keeps nothing.",
)
@click.option(
    "--chapters",
    is_flag=True,
    is_eager=True,  # ``_target`` depends on it.
    help="Write one file per chapter, and a playlist (.m3u8).",
)
@click.option(
    "--subtitles",
    type=click.Choice(get_args(SubtitleFormat)),
    help="Write subtitles next to the audio, sentence by sentence.",
)
@click.option(
    "--input-format",
    type=click.Choice(get_args(BookForm)),
    help="Format of FILE.  [default: by its suffix]",
)
@click.option(
    "--encoding",
    default="utf-8",
    show_default=True,
    metavar="NAME",
    help="Encoding of a text or Markdown file, such as gb18030.",
)
@click.option(
    "--pause",
    type=FiniteRange(min=0),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="Silence between segments.",
)
@click.option(
    "--ahead",
    type=click.IntRange(min=0),
    default=16,
    show_default=True,
    metavar="N",
    help="How many segments to fetch ahead of the one being written.",
)
@click.option(
    "--retry-suspects",
    is_flag=True,
    help="Fetch a segment once more if its audio is implausible for its text.",
)
@click.option(
    "--resume/--no-resume",
    default=True,
    show_default=True,
    help="Keep finished segments next to PATH until all is done, and reuse those already there.",
)
@terms_options
def narrate(
    *,
    file: str,
    output: Path | None,
    chapters: bool,
    subtitles: SubtitleFormat | None,
    input_format: BookForm | None,
    encoding: str,
    pause: float,
    ahead: int,
    retry_suspects: bool,
    resume: bool,
    terms: Terms,
) -> None:
    """Speak a long text, such as a book, as one recording. FILE may be - for standard input.

    \b
    .txt   plain text; a line such as "Chapter 3" or "第三章" starts a chapter
    .md    Markdown, without code, images and footnotes
    .epub  an e-book that is not encrypted

    The text is divided at sentence ends; many segments are spoken at once and joined without
    gaps. After an interruption, or a kill, run it again: you pay only for what is missing.

    \b
      step-tts narrate story.txt -o story
      step-tts narrate book.epub -o book --chapters --subtitles srt
      step-tts narrate story.txt -o - | mpv -
    """  # noqa: D301  click's mark for verbatim lines is the character itself
    if output is None:
        check_standard_output(as_json=terms.report.as_json)
        if chapters or subtitles:
            raise click.UsageError("--chapters and --subtitles write files: name them with -o.")
    job = _Job(
        source=Source(file=file, form=input_format, encoding=encoding),
        output=output,
        apart=chapters,
        subtitles=subtitles,
        pause=pause,
        ahead=ahead,
        retry_suspects=retry_suspects,
        resume=resume and output is not None,
        terms=terms,
    )
    with reported(debug=terms.report.debug, as_json=terms.report.as_json, quiet=terms.report.quiet):
        job.run()


@attrs.define(kw_only=True)
class _Job:
    """One narration from its file to its audio."""

    source: Source
    output: Path | None
    apart: bool
    subtitles: SubtitleFormat | None
    pause: float
    ahead: int
    retry_suspects: bool
    resume: bool
    terms: Terms
    gauges: Gauges = attrs.field(factory=Gauges)

    def run(self) -> None:
        """Speak it; if it does not finish, say how to continue."""
        chapters = self.source.chapters(apart=self.apart)
        total = sum(len(chapter.text) for chapter in chapters)
        progress = NarrationProgress(total=total, files=len(chapters), gauges=self.gauges)
        speak = partial(self._speak, self.output) if self.output else self._pipe
        try:
            with shown_on_stderr(progress, shown=display_fits(self.terms)):
                run(unless_interrupted, speak, chapters, progress)
        except KeyboardInterrupt as end:
            note(f"interrupted; {self._how_to_go_on()}")
            sys.exit(exit_code(end))
        except (StepTTSError, OSError) as error:
            self._note_how_to_go_on(error)
            raise

    def _note_how_to_go_on(self, error: Exception) -> None:
        """Before the first response there is nothing to continue."""
        if self.gauges.answers.total and self.output:
            error.add_note(self._how_to_go_on())

    def _how_to_go_on(self) -> str:
        if not self.resume:
            return "unfinished audio was not kept"
        return how_to_go_on(self.source.file)

    async def _speak(
        self, output: Path, chapters: Sequence[Chapter], progress: NarrationProgress
    ) -> None:
        """Speak file after file."""
        import anyio.to_thread

        width = max(2, len(str(len(chapters))))
        namer = Namer(f"{{index:0{width}d}}-{{slug}}")
        saved: list[tuple[str, SavedSpeech]] = []
        async with connect(self.terms.client, self.terms.pace, self.gauges.heed) as tts:
            for number, chapter in enumerate(chapters, 1):
                target, parts = output, parts_of(output)
                if self.apart:
                    target /= namer.name(number, chapter.title)
                    parts /= f"{number:0{width}d}"
                file = await self._speak_file(tts, chapter, target, parts, progress)
                saved.append((chapter.title, file))
        await anyio.to_thread.run_sync(self._close, output, saved)

    async def _speak_file(
        self,
        tts: AsyncClient,
        chapter: Chapter,
        target: Path,
        parts: Path,
        progress: NarrationProgress,
    ) -> SavedSpeech:
        """Speak one file, write its subtitles, and report it."""
        kept = parts if self.resume else None
        async with self._opened(tts, chapter, progress, kept) as narration:
            saved = await narration.save(target)
        beside = await self._subtitled(narration, saved)
        if self.terms.report.as_json:
            await left_behind(emit, narrated_record(chapter.title, saved, beside))
        elif not self.terms.report.quiet:
            note_saved(saved)
        return saved

    async def _pipe(self, chapters: Sequence[Chapter], progress: NarrationProgress) -> None:
        """Speak it to standard output."""
        (text,) = chapters
        async with (
            connect(self.terms.client, self.terms.pace, self.gauges.heed) as tts,
            self._opened(tts, text, progress) as narration,
        ):
            await write_on(narration)
        if not self.terms.report.quiet:
            note_piped(narration)
        self._note_suspects("standard output", narration.segments)

    @asynccontextmanager
    async def _opened(
        self,
        tts: AsyncClient,
        text: Chapter,
        progress: NarrationProgress,
        parts: Path | None = None,
    ) -> AsyncIterator[Narration]:
        """The narration of a text, with its progress."""
        async with tts.narrate(
            build_request({"input": text.text, **self.terms.request.fields()}),
            pause=self.pause,
            ahead=self.ahead,
            whole_segments=True,
            retry_suspects=self.retry_suspects,
            parts=parts,
        ) as narration:
            progress.begin(narration)
            yield narration
            progress.end()

    async def _subtitled(self, narration: Narration, saved: SavedSpeech) -> Path | None:
        if self.subtitles is None:
            return None
        import anyio.to_thread

        path = saved.path.with_suffix(f".{self.subtitles}")
        text = narration.subtitles(self.subtitles)
        await anyio.to_thread.run_sync(partial(replace_text, path, [text]))
        return path

    def _close(self, output: Path, saved: Sequence[tuple[str, SavedSpeech]]) -> None:
        """All files are complete: write what goes with them, and remove what was kept."""
        if self.apart:
            path = output / f"{output.absolute().name}.m3u8"
            replace_text(path, [playlist(saved)])
        if self.resume:
            remove_parts(parts_of(output))
        for _, each in saved:
            self._note_suspects(str(each.path), each.segments)

    def _note_suspects(self, where: str, segments: Sequence[NarratedSegment]) -> None:
        if not (self.terms.report.quiet or self.terms.report.as_json):
            for line in suspects(where, segments):
                note(f"suspect: {line}")
