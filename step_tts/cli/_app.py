"""The group: which commands there are, and what applies to all of them."""

from __future__ import annotations

import click

from step_tts._version import __version__
from step_tts.cli._batch import batch
from step_tts.cli._narrate import narrate
from step_tts.cli._sandbox import sandbox
from step_tts.cli._say import say
from step_tts.cli._sniff import sniff
from step_tts.cli._status import status

__all__ = ["app"]


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=(
        "The key is read from STEP_TTS_API_KEY and the server's address from STEP_TTS_BASE_URL. "
        "Exit codes: 0 success, 1 something failed, 2 wrong usage or configuration, "
        "130 interrupted, 143 terminated."
    ),
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def app() -> None:
    """Speak text with Step-Audio-TTS-3B, or any other server with /v1/audio/speech.

    You get complete, verified audio, or an error that says why not.
    No key yet? Add --sandbox to try it without one.
    """


for command in (say, narrate, batch, status, sniff, sandbox):
    app.add_command(command)
