"""``step-tts say``: one text → one file, or stdout."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from step_tts._batch._fields import build_request
from step_tts._errors import InvalidRequestError
from step_tts.cli._connect import connect
from step_tts.cli._format import info_text, saved_record
from step_tts.cli._options import (
    ClientOptions,
    ReportOptions,
    RequestOptions,
    client_options,
    report_options,
    request_options,
)
from step_tts.cli._pipes import is_terminal, left_behind, standard_input, standard_output
from step_tts.cli._terminal import emit, note, reported

if TYPE_CHECKING:
    from step_tts._models import SpeechRequest

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
    default="speech",
    show_default=True,
    metavar="PATH",
    help="Where to save; the audio itself decides the suffix. - is standard output, "
    "written while the audio arrives.",
)
@request_options
@client_options
@report_options
def say(
    *,
    text: tuple[str, ...],
    file: BinaryIO | None,
    output: str,
    request: RequestOptions,
    client: ClientOptions,
    report: ReportOptions,
) -> None:
    """Speak TEXT into a file. TEXT may be - for standard input.

    The file appears only when its audio is whole and verified.

    \b
      step-tts say "Hello, world" -o hello
      step-tts say --sandbox "你好，世界"
      step-tts say -f story.txt -o - | mpv -
    """  # noqa: D301  click's mark for verbatim lines is the character itself
    import anyio

    with reported(debug=report.debug):
        wanted = build_request({"input": _text(text, file), **request.fields()})
        if output == "-":
            _refuse_terminal(as_json=report.as_json)
            anyio.run(partial(_stream, wanted, client, report))
        else:
            anyio.run(partial(_save, wanted, Path(output), client, report))


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
        note(f"{saved.path}: {info_text(saved.info)}")
        if saved.suffix_corrected:
            note(f"not {saved.asked}: the server sent {saved.info.format}")


async def _stream(request: SpeechRequest, client: ClientOptions, report: ReportOptions) -> None:
    write = standard_output()
    async with connect(client) as tts, tts.stream(request) as stream:
        async for chunk in stream:
            await left_behind(write, chunk)
    if not report.quiet:
        note(f"standard output: {info_text(stream.info)}")
