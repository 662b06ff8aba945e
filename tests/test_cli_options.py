from __future__ import annotations

from typing import Any

import attrs
import click
import pytest
from click.testing import CliRunner

import step_tts
from step_tts._models import SpeechRequest
from step_tts._policies import Rate
from step_tts.cli._connect import connect
from step_tts.cli._options import (
    ClientOptions,
    PaceOptions,
    ReportOptions,
    RequestOptions,
    client_options,
    report_options,
    request_options,
)

Given = tuple[RequestOptions, ClientOptions, ReportOptions]


def gathered(*arguments: str) -> Given:
    """The values a command with all shared options receives."""
    seen: list[Given] = []

    @click.command()
    @request_options
    @client_options
    @report_options
    def command(request: RequestOptions, client: ClientOptions, report: ReportOptions) -> None:
        seen.append((request, client, report))

    result = CliRunner().invoke(command, arguments)
    if result.exit_code:
        raise click.UsageError(result.output)
    return seen[0]


def test_nothing_given_is_nothing_set() -> None:
    """The client's own defaults stay in force."""
    request, client, report = gathered()
    assert request.fields() == {}
    assert client == ClientOptions()
    assert report == ReportOptions()


def test_options_of_the_request_have_the_names_of_its_fields() -> None:
    """So a row of a batch and an option can stand for each other."""
    request, reached, _ = gathered(
        *("-v", "alloy", "-m", "m", "-x", "1.5", "--format", "wav", "--prompt-text", "zh"),
        *("--prompt-audio-url", "https://example.test/v.wav", "--extra", "volume=2"),
        *("--extra", 'instruction="so = so"', "--extra-body", "voice_url=null"),
    )
    fields = request.fields()
    assert fields == {
        "voice": "alloy",
        "speed": 1.5,
        "response_format": "wav",
        "prompt_text": "zh",
        "prompt_audio_url": "https://example.test/v.wav",
        "extra": {"volume": 2, "instruction": "so = so"},
        "extra_body": {"voice_url": None},
    }
    assert reached.model == "m"  # Which a directory holds a batch to.
    named = {field.name for field in attrs.fields(SpeechRequest)}
    assert fields.keys() == named - {"input", "model"}


def test_a_speed_of_zero_is_passed_on_to_be_refused() -> None:
    """Zero is set, although it is false."""
    assert gathered("-x", "0")[0].fields() == {"speed": 0.0}


def test_options_of_the_client() -> None:
    """Each has the name the client's argument has."""
    _, client, report = gathered(
        *("--api-key", "k", "--base-url", "http://h", "--timeout", "9", "--max-retries", "0"),
        *("--proxy", "http://p", "--prompt-placement", "both", "--json", "-q", "--debug"),
    )
    assert client == ClientOptions(
        api_key="k",
        base_url="http://h",
        timeout=9.0,
        max_retries=0,
        proxy="http://p",
        prompt_placement="both",
    )
    assert report == ReportOptions(as_json=True, quiet=True, debug=True)
    assert gathered("--sandbox")[1].sandbox


def test_no_repr_shows_what_is_private() -> None:
    """Keys, proxies with passwords and prompt links stay out of tracebacks."""
    request, client, _ = gathered(
        *("--api-key", "secret", "--proxy", "http://u:secret@p", "--prompt-text", "secret"),
        *("--prompt-audio-url", "https://h/secret", "--extra", 'a="secret"'),
        *("--extra-body", 'a="secret"'),
    )
    assert "secret" not in repr(request) + repr(client)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--extra", "volume"], "write KEY=JSON"),
        (["--extra", "=1"], "write KEY=JSON"),
        (["--extra", "volume="], "write KEY=JSON"),
        (["--extra", "tone=soft"], "is not JSON"),
        (["--extra-body", "a=" + "[" * 100_000], "is not JSON"),
        (["--timeout", "0"], "x>0"),
        (["--max-retries", "-1"], "x>=0"),
        (["--prompt-placement", "here"], "'here' is not one of"),
        (["--sandbox", "--api-key", "k"], "--sandbox brings its own"),
        (["--sandbox", "--base-url", "http://h"], "--sandbox brings its own"),
        (["--sandbox", "--proxy", "http://h"], "--sandbox brings its own"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(arguments: list[str], reason: str) -> None:
    """Before anything is opened or sent."""
    with pytest.raises(click.UsageError) as caught:
        gathered(*arguments)
    assert reason in " ".join(caught.value.message.split())


async def test_limits_and_rates_reach_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them one call at a time is enough."""
    given: list[dict[str, Any]] = []

    class Client(step_tts.AsyncClient):
        def __init__(self, **options: Any) -> None:
            given.append(options)
            super().__init__(**options)

    monkeypatch.setattr(step_tts, "AsyncClient", Client)
    pace = PaceOptions(max_concurrency=3, rpm=60.0, cpm=600.0)
    async with connect(ClientOptions(api_key="k"), pace), connect(ClientOptions(api_key="k")):
        paced, plain = given
    assert (paced["concurrency"], plain["concurrency"]) == (3, 1)
    assert paced["rate"] == Rate(requests_per_minute=60.0, characters_per_minute=600.0)
    assert plain["rate"] is None
