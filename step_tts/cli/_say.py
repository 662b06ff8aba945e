"""``step-tts say``: one text → one file, stdout, or the loudspeaker."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING

import attrs
import click

from step_tts._batch._fields import build_request
from step_tts._errors import InvalidRequestError
from step_tts._models import SpeechRequest
from step_tts.cli._aloud import aloud, find_device
from step_tts.cli._arriving import NOT_UTF8, Arriving, arriving
from step_tts.cli._connect import connect
from step_tts.cli._format import (
    info_record,
    playback_record,
    playback_text,
    saved_record,
)
from step_tts.cli._interrupts import unless_interrupted
from step_tts.cli._options import (
    ClientOptions,
    PaceOptions,
    ReportOptions,
    RequestOptions,
    client_options,
    report_options,
    request_options,
)
from step_tts.cli._piped import STANDARD_OUTPUT, check_standard_output, note_piped, write_on
from step_tts.cli._pipes import opened, standard_input
from step_tts.cli._reading import text_in
from step_tts.cli._run import run
from step_tts.cli._terminal import emit, note, note_saved, reported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from step_tts._models import SavedSpeech
    from step_tts._stream import SpeechStream
    from step_tts.cli._aloud import Keep, Outcome

__all__ = ["say"]

LIVE_CONCURRENCY = 8
"""How many segments of a text that is still being written are fetched at once, at most."""
LISTENERS_PATIENCE = 1.0
"""Seconds that a listener who hears nothing waits for the end of a sentence; a file can wait."""


@click.command()
@click.argument("text", nargs=-1)
@click.option(
    "-f",
    "--file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar="FILENAME",
    help="Read the text from this file; - is standard input.",
)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="Where to save; the suffix is chosen to match the audio. - writes to standard output "
    "as the audio arrives.  [default: speech, or nowhere with --play]",
)
@click.option(
    "--play",
    is_flag=True,
    help="Play the audio as it arrives; with -o, save it too.",
)
@request_options
@client_options
@report_options
def say(
    *,
    text: tuple[str, ...],
    file: str | None,
    output: str | None,
    play: bool,
    request: RequestOptions,
    client: ClientOptions,
    report: ReportOptions,
) -> None:
    """Speak TEXT into a file, or aloud. TEXT may be - for standard input.

    The file appears only once its audio is complete and verified. Standard input is spoken as
    it arrives, sentence by sentence, unless it is short.

    \b
      step-tts say "Hello, world" -o hello
      step-tts say --sandbox "你好，世界"
      step-tts say "Hello, world" --play
      step-tts say -f story.txt -o - | mpv -
      ollama run llama3 "Tell me a story" | step-tts say - --play
    """  # noqa: D301  click's mark for verbatim lines is the character itself
    with reported(debug=report.debug, as_json=report.as_json, quiet=report.quiet):
        job = _Job(output=output, play=play, request=request, client=client, report=report)
        if bool(text) == bool(file):
            raise click.UsageError("Give either a TEXT or -f FILE; - is standard input.")
        if output == STANDARD_OUTPUT:
            check_standard_output(as_json=report.as_json)
        if text == ("-",):
            run(unless_interrupted, job.listen)
        else:
            wanted = job.wanted(_read(file) if file else _typed(text))
            run(unless_interrupted, job.speak, wanted)


def _typed(words: tuple[str, ...]) -> str:
    """The words; what the locale has no letters for is kept as bytes (PEP 383), which are UTF-8."""
    try:
        return " ".join(words).encode(errors="surrogateescape").decode()
    except UnicodeError:
        raise InvalidRequestError(NOT_UTF8) from None


def _read(file: str) -> str:
    with opened(file) as (stream, _):
        data = stream.read()
    try:
        return text_in(data, "utf-8-sig").strip()
    except UnicodeError:
        raise InvalidRequestError(NOT_UTF8) from None


@attrs.frozen(kw_only=True)
class _Job:
    """What to do with a text."""

    output: str | None
    play: bool
    request: RequestOptions
    client: ClientOptions
    report: ReportOptions

    def wanted(self, text: str) -> SpeechRequest:
        """A text with these options."""
        return build_request({"input": text, **self.request.fields()})

    async def listen(self) -> None:
        """Speak standard input, in one request if it is short and all of it is here."""
        self.wanted("-")  # Invalid options are refused before anything is read.
        async with arriving(standard_input()) as text:
            whole = await text.at_once()
            await self.speak(text if whole is None else self.wanted(whole.strip()))

    async def speak(self, text: SpeechRequest | Arriving) -> None:
        """Play it, write it to a pipe, or save it."""
        if self.play:
            await find_device(needed=self.output is None)
            await self._play(text)
        elif self.output == STANDARD_OUTPUT:
            await self._pipe(text)
        else:
            path = "speech" if self.output is None else self.output
            self._report(await self._save(text, path))

    @contextlib.asynccontextmanager
    async def _opened(self, text: SpeechRequest | Arriving) -> AsyncIterator[SpeechStream]:
        if isinstance(text, SpeechRequest):
            async with connect(self.client) as tts, tts.stream(text) as stream:
                yield stream
        else:
            heard = self.play or self.output == STANDARD_OUTPUT
            async with (
                connect(self.client, PaceOptions(max_concurrency=LIVE_CONCURRENCY)) as tts,
                tts.narrate(
                    text,
                    like=self.wanted("-"),
                    patience=LISTENERS_PATIENCE if heard else math.inf,
                    whole_segments=not heard,
                ) as narration,
            ):
                yield narration

    async def _save(self, text: SpeechRequest | Arriving, path: str) -> SavedSpeech:
        if isinstance(text, SpeechRequest):
            async with connect(self.client) as tts:
                return await tts.save(text, path)
        async with self._opened(text) as narration:
            return await narration.save(path)

    def _report(self, saved: SavedSpeech) -> None:
        if self.report.as_json:
            emit(saved_record(saved))
        elif not self.report.quiet:
            note_saved(saved)

    async def _pipe(self, text: SpeechRequest | Arriving) -> None:
        async with self._opened(text) as stream:
            await write_on(stream)
        if not self.report.quiet:
            note_piped(stream)

    async def _play(self, text: SpeechRequest | Arriving) -> None:
        """Play it, and keep it if asked, even if it cannot be heard."""
        async with self._opened(text) as stream:
            outcome = await aloud(stream, _keep(self.output))
        if self.report.as_json:
            _emit_outcome(outcome, stream)
        elif not self.report.quiet:
            if outcome.saved:
                note_saved(outcome.saved)
            if outcome.played:
                note(f"played: {playback_text(outcome.played)}")
        for error in outcome.errors:
            raise error


def _keep(output: str | None) -> Keep | None:
    if output == STANDARD_OUTPUT:
        return write_on
    return None if output is None else lambda stream: stream.save(output)


def _emit_outcome(outcome: Outcome, stream: SpeechStream) -> None:
    if outcome.saved or outcome.played:
        record = saved_record(outcome.saved) if outcome.saved else info_record(stream.info)
        played = {"played": playback_record(outcome.played)} if outcome.played else {}
        emit({**record, **played})
