"""``step-tts say``: one text → one file, stdout, or the loudspeaker."""

from __future__ import annotations

import contextlib
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from step_tts._batch._fields import build_request
from step_tts._errors import InvalidRequestError
from step_tts.cli._aloud import aloud, find_device
from step_tts.cli._connect import connect
from step_tts.cli._format import (
    info_record,
    info_text,
    playback_record,
    playback_text,
    saved_record,
)
from step_tts.cli._options import (
    ClientOptions,
    ReportOptions,
    RequestOptions,
    client_options,
    report_options,
    request_options,
)
from step_tts.cli._pipes import is_terminal, left_behind, standard_input, standard_output
from step_tts.cli._run import run
from step_tts.cli._terminal import emit, note, reported

if TYPE_CHECKING:
    from step_tts._models import SavedSpeech, SpeechRequest
    from step_tts._stream import SpeechStream
    from step_tts.cli._aloud import Keep, Outcome

__all__ = ["say"]


@click.command()
@click.argument("text", nargs=-1)
@click.option(
    "-f",
    "--file",
    type=click.File("rb"),
    help="Speak the text in this file; - is standard input.",
)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="Where to save; the audio itself decides the suffix. - is standard output, "
    "written while the audio arrives.  [default: speech, or nowhere with --play]",
)
@click.option(
    "--play",
    is_flag=True,
    help="Play the audio while it arrives, and save it too where -o is given.",
)
@request_options
@client_options
@report_options
def say(
    *,
    text: tuple[str, ...],
    file: BinaryIO | None,
    output: str | None,
    play: bool,
    request: RequestOptions,
    client: ClientOptions,
    report: ReportOptions,
) -> None:
    """Speak TEXT into a file, or aloud. TEXT may be - for standard input.

    The file appears only when its audio is whole and verified.

    \b
      step-tts say "Hello, world" -o hello
      step-tts say --sandbox "你好，世界"
      step-tts say "Hello, world" --play
      step-tts say -f story.txt -o - | mpv -
    """  # noqa: D301  click's mark for verbatim lines is the character itself
    with reported(debug=report.debug):
        wanted = build_request({"input": _text(text, file), **request.fields()})
        if output == "-":
            _refuse_terminal(as_json=report.as_json)
        if play:
            run(partial(_play, wanted, output, client, report))
        elif output == "-":
            run(partial(_stream, wanted, client, report))
        else:
            run(partial(_save, wanted, Path(output or "speech"), client, report))


def _text(words: tuple[str, ...], file: BinaryIO | None) -> str:
    if bool(words) == bool(file):
        raise click.UsageError("Give either a TEXT or -f FILE; - is standard input.")
    if file is None and words == ("-",):
        file = standard_input()
    if file is None:
        return " ".join(words)
    try:
        return file.read().decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise InvalidRequestError("The text is not UTF-8.") from None


def _refuse_terminal(*, as_json: bool) -> None:
    if as_json:
        raise click.UsageError("-o - and --json both want standard output.")
    if is_terminal(sys.stdout):
        raise click.UsageError(
            "Audio would garble the terminal: name a file with -o, or redirect it "
            "(step-tts say … -o - > speech.mp3)."
        )


async def _save(
    request: SpeechRequest, path: Path, client: ClientOptions, report: ReportOptions
) -> None:
    async with connect(client) as tts:
        saved = await tts.save(request, path)
    if report.as_json:
        emit(saved_record(saved))
    elif not report.quiet:
        _note_saved(saved)


def _note_saved(saved: SavedSpeech) -> None:
    note(f"{saved.path}: {info_text(saved.info)}")
    if saved.suffix_corrected:
        note(f"not {saved.asked}: the server sent {saved.info.format}")


async def _stream(request: SpeechRequest, client: ClientOptions, report: ReportOptions) -> None:
    async with connect(client) as tts, tts.stream(request) as stream:
        await _write(stream)
    if not report.quiet:
        note(f"standard output: {info_text(stream.info)}")


async def _write(stream: SpeechStream) -> None:
    write = standard_output()
    with contextlib.closing(stream):
        async for chunk in stream:
            await left_behind(write, chunk)


async def _play(
    request: SpeechRequest, output: str | None, client: ClientOptions, report: ReportOptions
) -> None:
    """Play, and keep it too if asked: what cannot be heard is kept all the same."""
    await find_device(needed=output is None)
    async with connect(client) as tts, tts.stream(request) as stream:
        outcome = await aloud(stream, _keep(output))
    if report.as_json:
        _emit_outcome(outcome, stream)
    elif not report.quiet:
        if outcome.saved:
            _note_saved(outcome.saved)
        if outcome.played:
            note(f"played: {playback_text(outcome.played)}")
    for error in outcome.errors:
        raise error


def _keep(output: str | None) -> Keep | None:
    if output == "-":
        return _write
    return None if output is None else lambda stream: stream.save(output)


def _emit_outcome(outcome: Outcome, stream: SpeechStream) -> None:
    if outcome.saved or outcome.played:
        record = saved_record(outcome.saved) if outcome.saved else info_record(stream.info)
        played = {"played": playback_record(outcome.played)} if outcome.played else {}
        emit({**record, **played})
