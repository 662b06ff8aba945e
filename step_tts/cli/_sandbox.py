"""``step-tts sandbox``: the built-in test server, until Ctrl-C."""

from __future__ import annotations

import contextlib
import shlex
from typing import TYPE_CHECKING

import click

from step_tts.cli._interrupts import unless_interrupted
from step_tts.cli._options import FiniteRange
from step_tts.cli._run import run
from step_tts.cli._terminal import note, reported

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from typing import Literal

    from step_tts.sandbox import Faults, Sandbox

__all__ = ["sandbox"]


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port to listen on.  [default: a free one]",
)
@click.option(
    "--api-key",
    default="sandbox-key",
    show_default=True,
    metavar="KEY",
    help="The API key it accepts.",
)
@click.option(
    "--voice",
    type=click.Choice(["auto", "espeak", "tone"]),
    default="auto",
    show_default=True,
    help="The voice; auto is espeak if installed, otherwise a tone.",
)
@click.option(
    "--format",
    "response_format",
    type=click.Choice(["wav", "mp3", "pcm"]),
    default="wav",
    show_default=True,
    help="Format for requests that do not name one.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[=SHARE]",
    help="A fault for every request, or for a share of them, such as cut=0.1. Several without "
    "a share are applied to one request after the other, then no more.",
)
@click.option(
    "--capacity", type=click.IntRange(min=1), help="Concurrent requests; more are answered 429."
)
@click.option(
    "--rate", type=click.IntRange(min=1), help="Requests per minute; more are answered 429."
)
@click.option(
    "--latency",
    type=FiniteRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Delay before the first byte.",
)
@click.option("--seed", type=int, default=0, help="Seed for everything random.")
@click.option("--list-faults", is_flag=True, help="List the available faults and exit.")
@click.option("--debug", is_flag=True, help="Show the log, and tracebacks of errors.")
def sandbox(
    *,
    host: str,
    port: int,
    api_key: str,
    voice: Literal["auto", "espeak", "tone"],
    response_format: str,
    faults: tuple[str, ...],
    capacity: int | None,
    rate: int | None,
    latency: float,
    seed: int,
    list_faults: bool,
    debug: bool,
) -> None:
    """Run a test server with the service's interface and a robot voice, until Ctrl-C.

    It prints the two variables that point step-tts, or any program using this package, at it:

    \b
      $ step-tts sandbox --fault http-503
      export STEP_TTS_BASE_URL=http://127.0.0.1:40403/v1
      export STEP_TTS_API_KEY=sandbox-key
    """  # noqa: D301  click's mark for verbatim lines is the character itself
    from step_tts.sandbox import Rate, serve

    with reported(debug=debug):
        if list_faults:
            _list_faults()
            return
        server = serve(
            host=host,
            port=port,
            api_key=api_key,
            voice=voice,
            response_format=response_format,
            faults=_faults(faults),
            capacity=capacity,
            rate=Rate(rate) if rate else None,
            latency=latency,
            seed=seed,
        )
        # Ctrl-C and SIGTERM are how this command is meant to end.
        with contextlib.suppress(KeyboardInterrupt):
            run(unless_interrupted, _serve, server)


async def _serve(server: AbstractAsyncContextManager[Sandbox]) -> None:
    from anyio import sleep_forever

    async with server as running:
        click.echo(f"export STEP_TTS_BASE_URL={shlex.quote(running.base_url)}")
        click.echo(f"export STEP_TTS_API_KEY={shlex.quote(str(running.api_key))}")
        note("Press Ctrl-C to stop it.")
        await sleep_forever()


def _faults(given: tuple[str, ...]) -> Faults:
    from step_tts.sandbox import Faults

    named = [name.partition("=") for name in given]
    plain = [name for name, equals, _ in named if not equals]
    try:
        return Faults(
            always=plain[0] if len(plain) == 1 else None,
            schedule=plain if len(plain) > 1 else (),
            probability={name: float(share) for name, equals, share in named if equals},
        )
    except ValueError as error:
        raise click.BadParameter(f"{error}; see --list-faults", param_hint="--fault") from None


def _list_faults() -> None:
    from step_tts.sandbox import FAULTS

    width = max(map(len, FAULTS))
    for spec in FAULTS.values():
        outcome = "good audio" if spec.good else " or ".join(spec.errors)
        click.echo(f"{spec.name:{width}}  {spec.summary} ({outcome})")
