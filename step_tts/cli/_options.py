"""The options that commands share, gathered into values for the client.

Knows click and the arguments of ``AsyncClient``. Must not build a client: ``_connect`` does.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, get_args

import attrs
import click

from step_tts._models import DEFAULT_MODEL, PromptPlacement
from step_tts._policies import Concurrency, Rate, RetryPolicy, Timeouts
from step_tts.cli._pipes import standard_output

__all__ = [
    "ClientOptions",
    "FiniteRange",
    "PaceOptions",
    "ReportOptions",
    "RequestOptions",
    "Terms",
    "client_options",
    "report_options",
    "request_options",
    "terms_options",
]


class FiniteRange(click.FloatRange):
    """A range of numbers without infinity and NaN."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Text → number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


_Command: TypeAlias = Callable[..., Any]
_Decorator: TypeAlias = Callable[[_Command], _Command]


@attrs.frozen(kw_only=True)
class ClientOptions:
    """Which server to reach, and how."""

    api_key: str | None = attrs.field(default=None, repr=False)
    base_url: str | None = None
    model: str = DEFAULT_MODEL
    timeout: float | None = None
    max_retries: int | None = None
    proxy: str | None = attrs.field(default=None, repr=False)
    prompt_placement: PromptPlacement = "nested"
    sandbox: bool = False

    def __attrs_post_init__(self) -> None:
        if self.sandbox and (self.api_key or self.base_url or self.proxy):
            raise click.UsageError(
                "--sandbox brings its own server and key: "
                "leave out --api-key, --base-url and --proxy."
            )


@attrs.frozen(kw_only=True)
class RequestOptions:
    """How to speak, by the names of ``SpeechRequest``."""

    voice: str | None = None
    speed: float | None = None
    response_format: str | None = None
    prompt_text: str | None = attrs.field(default=None, repr=False)
    prompt_audio_url: str | None = attrs.field(default=None, repr=False)
    extra: dict[str, object] = attrs.field(factory=dict, repr=False)
    extra_body: dict[str, object] = attrs.field(factory=dict, repr=False)

    def fields(self) -> dict[str, object]:
        """The fields that are set, by name."""
        named = attrs.asdict(self, recurse=False)
        return {name: value for name, value in named.items() if value not in (None, {})}


@attrs.frozen(kw_only=True)
class PaceOptions:
    """How many at once and how fast, at most."""

    max_concurrency: int
    rpm: float | None = None
    cpm: float | None = None

    def rate(self) -> Rate:
        """The two rates as the client takes them."""
        return Rate(requests_per_minute=self.rpm, characters_per_minute=self.cpm)


@attrs.frozen(kw_only=True)
class ReportOptions:
    """How much to report."""

    quiet: bool = False
    debug: bool = False
    as_json: bool = False


@attrs.frozen(kw_only=True)
class Terms:
    """The options of a long job, except those about its text."""

    pace: PaceOptions
    request: RequestOptions
    client: ClientOptions
    report: ReportOptions
    no_progress: bool


def _pairs(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, object]:
    """``KEY=JSON`` options → a mapping."""
    return dict(map(_pair, given))


def _pair(given: str) -> tuple[str, object]:
    key, _, text = given.partition("=")
    if not key or not text:
        raise click.BadParameter("write KEY=JSON, such as volume=1.5")
    try:
        return key, json.loads(text)
    except (ValueError, RecursionError):
        raise click.BadParameter(
            f"the value of {key} is not JSON; write a string as '{key}=\"...\"'"
        ) from None


def _gathered(kind: type, name: str, options: Sequence[_Decorator]) -> _Decorator:
    """Make a decorator that adds options and hands them over as one value."""

    def decorate(command: _Command) -> _Command:
        @functools.wraps(command)
        def run(**given: Any) -> Any:
            own = {field.name: given.pop(field.name) for field in attrs.fields(kind)}
            return command(**given, **{name: kind(**own)})

        decorated: _Command = run
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


request_options = _gathered(
    RequestOptions,
    "request",
    (
        click.option("-v", "--voice", help="Voice to speak with, if the server has several."),
        click.option("-x", "--speed", type=float, help="Speed of speech; 1 is normal."),
        click.option(
            "--format",
            "response_format",
            help="Format to request, such as mp3 or wav. The server may send another.",
        ),
        click.option("--prompt-text", help="Exact words of the reference recording, or zh or en."),
        click.option(
            "--prompt-audio-url", metavar="URL", help="WAV recording of the voice to imitate."
        ),
        click.option(
            "--extra",
            metavar="KEY=JSON",
            multiple=True,
            callback=_pairs,
            help="Extra key for the request, such as volume=1.5. Repeatable.",
        ),
        click.option(
            "--extra-body",
            metavar="KEY=JSON",
            multiple=True,
            callback=_pairs,
            help="Extra key for the request's extra_body object. Repeatable.",
        ),
    ),
)

client_options = _gathered(
    ClientOptions,
    "client",
    (
        click.option(
            "--sandbox",
            is_flag=True,
            help="Use the built-in test server with a robot voice; needs no key.",
        ),
        click.option(
            "--api-key",
            metavar="KEY",
            help="API key. Visible in the process list: prefer STEP_TTS_API_KEY.",
        ),
        click.option(
            "--base-url",
            metavar="URL",
            help="Server URL, with or without /v1.  [env: STEP_TTS_BASE_URL]",
        ),
        click.option(
            "-m",
            "--model",
            default=DEFAULT_MODEL,
            show_default=True,
            help="Model to speak with.",
        ),
        click.option(
            "--timeout",
            type=FiniteRange(min=0, min_open=True),
            metavar="SECONDS",
            help=f"Time limit for one text, including retries.  [default: {Timeouts().total:g}]",
        ),
        click.option(
            "--max-retries",
            type=click.IntRange(min=0),
            help="Retries after transient failures; 0 turns them off.  "
            f"[default: {RetryPolicy().max_retries}]",
        ),
        click.option("--proxy", metavar="URL", help="Proxy to use."),
        click.option(
            "--prompt-placement",
            type=click.Choice(get_args(PromptPlacement)),
            default="nested",
            show_default=True,
            help="Where the server reads the two prompt fields.",
        ),
    ),
)

_pace_options = _gathered(
    PaceOptions,
    "pace",
    (
        click.option(
            "-c",
            "--max-concurrency",
            "--concurrency",
            "max_concurrency",
            type=click.IntRange(min=1),
            default=Concurrency().maximum,
            show_default=True,
            metavar="N",
            help="Maximum texts in flight; the server's own limit is found automatically.",
        ),
        click.option(
            "--rpm",
            type=FiniteRange(min=0, min_open=True),
            metavar="N",
            help="Maximum requests per minute, if you know your account's limit.",
        ),
        click.option(
            "--cpm",
            type=FiniteRange(min=0, min_open=True),
            metavar="N",
            help="Maximum characters per minute.",
        ),
    ),
)


def _open_output(_: click.Context, __: click.Parameter, as_json: bool) -> bool:  # noqa: FBT001  click passes by position
    """Refuse an output that is closed before anything is paid for."""
    if as_json:
        standard_output()
    return as_json


report_options = _gathered(
    ReportOptions,
    "report",
    (
        click.option(
            "--json",
            "as_json",
            is_flag=True,
            callback=_open_output,
            help="Write JSON lines to stdout.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="Print only errors."),
        click.option("--debug", is_flag=True, help="Show the log, and tracebacks of errors."),
    ),
)

terms_options = _gathered(
    Terms,
    "terms",
    (
        click.option("--no-progress", is_flag=True, help="Show no live display."),
        _pace_options,
        request_options,
        client_options,
        report_options,
    ),
)
