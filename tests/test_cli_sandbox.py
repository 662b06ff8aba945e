from __future__ import annotations

import anyio
import click
import pytest
from cli_kit import step_tts

from step_tts.cli import _sandbox
from step_tts.sandbox import FAULTS, Faults, fault_named


@pytest.fixture
def until_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server runs until it has said where it is."""

    async def ended() -> None:
        await anyio.lowlevel.checkpoint()

    monkeypatch.setattr(anyio, "sleep_forever", ended)


@pytest.mark.usefixtures("until_printed")
def test_it_prints_the_two_variables_a_shell_can_take() -> None:
    """On stdout, so that it can be taken from a script; what to do is on stderr."""
    result = step_tts("sandbox", "--voice", "tone", "--api-key", "it's")
    assert result.exit_code == 0, result.output
    url, key = result.stdout.splitlines()
    assert url.startswith("export STEP_TTS_BASE_URL=http://127.0.0.1:")
    assert url.endswith("/v1")
    assert key == """export STEP_TTS_API_KEY='it'"'"'s'"""
    assert result.stderr == "Press Ctrl-C to stop it.\n"


@pytest.mark.usefixtures("until_printed")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--host", "192.0.2.1"], "loopback"),
        (["--port", "65536"], "0<=x<=65535"),
        (["--fault", "no-such"], "--list-faults"),
        (["--fault", "cut=often"], "--fault"),
        (["--fault", "cut=0.7", "--fault", "http-503=0.7"], "at most 1"),
        (["--voice", "alto"], "'alto' is not one of"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(arguments: list[str], reason: str) -> None:
    """Exit code 2: usage."""
    result = step_tts("sandbox", *arguments)
    assert result.exit_code == 2
    assert reason in " ".join(result.stderr.split())


@pytest.mark.usefixtures("until_printed")
def test_limits_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each under the name ``serve`` has for it."""
    from step_tts import sandbox

    seen: dict[str, object] = {}
    serve = sandbox.serve

    def watched(**options: object) -> object:
        seen.update(options)
        return serve(voice="tone")

    monkeypatch.setattr(sandbox, "serve", watched)
    step_tts(
        *("sandbox", "--capacity", "2", "--rate", "30", "--latency", "0.5", "--seed", "7"),
        *("--format", "mp3", "--port", "0", "--fault", "cut", "--voice", "tone"),
    )
    assert seen == {
        "host": "127.0.0.1",
        "port": 0,
        "api_key": "sandbox-key",
        "voice": "tone",
        "response_format": "mp3",
        "faults": Faults(always="cut"),
        "capacity": 2,
        "rate": sandbox.Rate(30),
        "latency": 0.5,
        "seed": 7,
    }


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ((), Faults()),
        (("cut",), Faults(always="cut")),
        (("cut@9", "http-503"), Faults(schedule=["cut@9", "http-503"])),
        (("cut=0.25", "http-503=0.5"), Faults(probability={"cut": 0.25, "http-503": 0.5})),
        (("reset", "cut=0.25"), Faults(always="reset", probability={"cut": 0.25})),
    ],
)
def test_faults_are_for_always_for_a_share_or_in_turn(
    given: tuple[str, ...], faults: Faults
) -> None:
    """By how they are written."""
    assert _sandbox._faults(given) == faults


def test_a_wrong_fault_is_the_options_fault() -> None:
    """The message names the option."""
    with pytest.raises(click.BadParameter) as caught:
        _sandbox._faults(("no-such",))
    assert caught.value.param_hint == "--fault"


def test_every_fault_is_listed() -> None:
    """With what a careful client makes of it."""
    result = step_tts("sandbox", "--list-faults")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(FAULTS)
    for line in lines:
        fault_named(line.split()[0])
    assert "(TruncatedAudioError)" in lines[0]
    assert any(line.endswith("(good audio)") for line in lines)
