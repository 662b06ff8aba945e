from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from cli_kit import spoken, started, step_tts, wait_for
from playback import Recorder

from step_tts import NoAudioDeviceError, inspect
from step_tts._play import Output, Shape
from step_tts.cli import _arriving, _piped
from step_tts.sandbox import _espeak

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from step_tts.sandbox import Sandbox


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, and time to read standard input, however slow the machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_arriving, "AT_ONCE_SECONDS", 60.0)
    return tmp_path


def test_a_text_becomes_a_file_whose_suffix_the_bytes_chose(server: Sandbox, here: Path) -> None:
    """Words for people go to stderr; stdout stays empty."""
    result = step_tts("say", "Hello", "-o", "out/hello")
    assert (result.exit_code, result.stdout) == (0, "")
    info = inspect(here / "out/hello.wav")
    assert result.stderr.startswith(f"out/hello.wav: wav, {info.duration:.2f} s, 22050 Hz, mono, ")
    assert spoken(server) == ["Hello"]


def test_without_a_path_the_file_is_called_speech(server: Sandbox, here: Path) -> None:
    """In the current directory."""
    assert step_tts("say", "Hello", "-q").output == ""
    assert inspect(here / "speech.wav").duration
    assert [path.name for path in here.iterdir()] == ["speech.wav"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "text"),
    [
        (["Hello,", "world"], None, "Hello, world"),
        (["--", "-o"], None, "-o"),
        (["-"], "\ufeff你好\n".encode(), "你好"),
        (["\udce4\udcbd\udca0\udce5\udca5\udcbd"], None, "你好"),  # In the locale C.
        (["-f", "-"], b"Hello\r\n", "Hello"),
        (["-f", "story.txt"], None, "Once.\n\nTwice."),
    ],
)
def test_the_text_may_come_from_anywhere(
    server: Sandbox, here: Path, arguments: list[str], stdin: bytes | None, text: str
) -> None:
    """From words, standard input or a file; what surrounds it is not spoken."""
    (here / "story.txt").write_bytes(b"\xef\xbb\xbfOnce.\n\nTwice.\n")
    result = step_tts("say", *arguments, stdin=stdin)
    assert result.exit_code == 0, result.output
    assert spoken(server) == [text]


@pytest.mark.parametrize(
    ("arguments", "stdin", "reason"),
    [
        ([], None, "Give either a TEXT or -f FILE"),
        (["Hello", "-f", "-"], b"x", "Give either a TEXT or -f FILE"),
        (["a\udcff"], None, "The text is not UTF-8: save it as UTF-8"),
        (["-"], b"\xff\xfe", "The text is not UTF-8: save it as UTF-8"),
        (["-f", "-"], b"\xff\xfe", "The text is not UTF-8: save it as UTF-8"),
        (["-f", "-"], b"H\0i\0", "The text is not UTF-8: save it as UTF-8"),
        (["-"], b"", "empty or blank"),
        ([" "], None, "empty or blank"),
        (["-f", "missing.txt"], None, "missing.txt"),
        (["Hello", "-x", "-1"], None, "speed must be"),
        (["Hello", "--prompt-audio-url", "file:///v.wav"], None, "prompt_audio_url"),
        (["Hello", "-o", "-", "--json"], None, "both write to standard output"),
    ],
)
def test_what_cannot_be_spoken_is_refused_before_anything_is_sent(
    server: Sandbox, arguments: list[str], stdin: bytes | None, reason: str
) -> None:
    """Exit code 2: usage."""
    result = step_tts("say", *arguments, stdin=stdin)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert server.requests == []


def test_options_become_the_fields_of_the_request(server: Sandbox) -> None:
    """Each key where the service documents it."""
    result = step_tts(
        *("say", "Hello", "-v", "alloy", "-x", "1.5", "--format", "wav", "--extra", "volume=2"),
        *("--prompt-text", "zh", "--prompt-audio-url", "https://h.test/v.wav"),
        *("--extra-body", "similarity_weight=0.5", "-m", "Step-Audio-TTS-3B"),
    )
    assert result.exit_code == 0, result.output
    assert server.requests[0].json == {
        "model": "Step-Audio-TTS-3B",
        "input": "Hello",
        "voice": "alloy",
        "speed": 1.5,
        "response_format": "wav",
        "volume": 2,
        "extra_body": {
            "prompt_text": "zh",
            "prompt_audio_url": "https://h.test/v.wav",
            "similarity_weight": 0.5,
        },
    }


def test_the_placement_of_the_prompt_reaches_the_client(server: Sandbox) -> None:
    """Servers of the family read it elsewhere."""
    step_tts("say", "Hello", "--prompt-text", "zh", "--prompt-placement", "top_level")
    assert server.requests[0].json["prompt_text"] == "zh"
    assert "extra_body" not in server.requests[0].json


def test_json_is_one_line_for_scripts(server: Sandbox, here: Path) -> None:
    """Nothing is said on stderr then."""
    result = step_tts("say", "Hello", "--json")
    record = json.loads(result.stdout)
    assert result.stderr == ""
    assert record["path"] == "speech.wav"
    assert record["duration"] == inspect(here / record["path"]).duration
    assert (record["format"], record["attempts"]) == ("wav", 1)


def test_a_failure_is_one_line_for_scripts_too(server: Sandbox, here: Path) -> None:
    """With the exit code it always had."""
    server.faults = ["http-401"]
    result = step_tts("say", "Hello", "--json")
    record = json.loads(result.stdout)
    assert (result.exit_code, record["error"], record["status_code"]) == (
        1,
        "AuthenticationError",
        401,
    )
    assert result.stderr == f"error: {record['message']}\n"
    assert list(here.iterdir()) == []


def test_a_corrected_suffix_is_told(server: Sandbox, here: Path) -> None:
    """The file is not where it was asked for."""
    result = step_tts("say", "Hello", "-o", "hello.mp3")
    assert result.stderr.endswith("not hello.mp3: the server sent wav\n")
    assert (here / "hello.wav").exists()


def test_a_dash_streams_to_standard_output(server: Sandbox, here: Path) -> None:
    """The audio and nothing but the audio."""
    result = step_tts("say", "Hello", "-o", "-")
    assert result.exit_code == 0
    assert result.stdout_bytes.startswith(b"RIFF")
    assert result.stderr.startswith("standard output: wav, ")
    (here / "piped.wav").write_bytes(result.stdout_bytes)
    assert inspect(here / "piped.wav").duration
    assert step_tts("say", "Hello", "-o", "-", "-q").stderr == ""


def test_audio_is_never_sent_to_a_terminal(
    server: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would garble it; the message says what to do."""
    monkeypatch.setattr(_piped, "is_terminal", lambda _: True)
    result = step_tts("say", "Hello", "-o", "-")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "garble the terminal" in result.stderr
    assert server.requests == []


@pytest.mark.parametrize("path", ["", "none/", "none/."])
@pytest.mark.parametrize("source", ["Hello", "-"])
def test_a_path_that_can_only_be_a_directorys_is_no_files(
    server: Sandbox, here: Path, path: str, source: str
) -> None:
    """As of a variable in a script that was not set; nothing is saved beside it."""
    result = step_tts("say", source, "-o", path, stdin=b"Hello")
    assert result.exit_code == 1
    assert "Is a directory: name a file in it" in result.stderr
    assert (server.requests, list(here.iterdir())) == ([], [])


def test_a_failure_is_one_line_and_no_file(server: Sandbox, here: Path) -> None:
    """Exit code 1; what the server said, and the request id for its staff."""
    server.faults = "http-500"
    result = step_tts("say", "Hello", "--max-retries", "0")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    assert "status 500" in result.stderr
    assert result.stderr.count("\n") == 1
    assert list(here.iterdir()) == []
    assert len(server.requests) == 1


def test_a_stream_that_breaks_is_a_failure(server: Sandbox) -> None:
    """What was heard cannot be unheard, but it is not passed off as whole."""
    server.faults = "cut@4000"
    result = step_tts("say", "Hello, this is long enough to be cut.", "-o", "-")
    assert result.exit_code == 1
    assert result.stdout_bytes.startswith(b"RIFF")
    assert result.stderr.startswith("error: ")


def test_the_timeout_also_bounds_the_wait_for_the_first_byte(server: Sandbox) -> None:
    """Most servers send nothing until all is spoken."""
    server.faults = "stall"
    result = step_tts("say", "Hello", "--timeout", "0.05", "--max-retries", "0")
    assert result.exit_code == 1
    assert "0.05" in result.stderr


def test_a_proxy_is_gone_through(server: Sandbox) -> None:
    """Here to a port where nobody listens."""
    result = step_tts("say", "Hello", "--proxy", "http://127.0.0.1:9", "--max-retries", "0")
    assert result.exit_code == 1
    assert server.requests == []


def test_without_a_key_nothing_is_spoken_by_a_fake_voice(here: Path) -> None:
    """The message names the variable and the sandbox; exit code 2: configuration."""
    result = step_tts("say", "Hello")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert "STEP_TTS_API_KEY" in result.stderr
    assert "--sandbox" in result.stderr
    assert list(here.iterdir()) == []


def test_the_sandbox_needs_no_key_and_no_network(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a base URL nor a proxy of the environment comes between."""
    monkeypatch.setenv("STEP_TTS_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    result = step_tts("say", "Hello", "--sandbox")
    assert result.exit_code == 0, result.output
    assert inspect(here / "speech.wav").duration


@pytest.mark.parametrize("quiet", [False, True])
def test_a_sandbox_that_beeps_says_why(
    here: Path, monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    """Once, with what to install, and on stderr alone."""
    _espeak._engine.cache_clear()
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    result = step_tts("say", "Hello", "--sandbox", "--json", *(["-q"] if quiet else []))
    assert json.loads(result.stdout)["duration"]
    said = result.stderr.splitlines()
    assert [line.startswith("note: The sandbox beeps instead of speaking: ") for line in said] == (
        [] if quiet else [True]
    )
    assert quiet or "pip install 'step_tts[sandbox]'" in said[0]
    assert len(list(here.iterdir())) == 1


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> list[Recorder]:
    """Every device that was opened: one to see that there is one, one to play on."""
    opened: list[Recorder] = []

    def open_device(_: Output, shape: Shape) -> Recorder:
        opened.append(Recorder())
        return opened[-1].open(shape)

    monkeypatch.setattr(Output, "open", open_device)
    return opened


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """No device."""

    def refuse(_: Output, __: Shape) -> Recorder:
        raise NoAudioDeviceError("There is no audio device to play on.")

    monkeypatch.setattr(Output, "open", refuse)


def test_a_text_is_played(server: Sandbox, here: Path, devices: list[Recorder]) -> None:
    """And nothing is saved that nobody asked for."""
    result = step_tts("say", "Hello", "--play")
    assert result.exit_code == 0, result.output
    assert (result.stdout, result.stderr[:8]) == ("", "played: ")
    assert list(here.iterdir()) == []
    assert devices[-1].heard
    assert all(device.closed.is_set() for device in devices)
    assert step_tts("say", "Hello", "--play", "-q").output == ""


def test_a_text_is_played_and_saved(server: Sandbox, here: Path, devices: list[Recorder]) -> None:
    """One request; both are told."""
    result = step_tts("say", "Hello", "--play", "-o", "hello.mp3")
    assert result.exit_code == 0, result.output
    kinds = [line.partition(": ")[0] for line in result.stderr.splitlines()]
    assert kinds == ["hello.wav", "not hello.mp3", "played"]
    assert inspect(here / "hello.wav").duration
    assert spoken(server) == ["Hello"]


@pytest.mark.usefixtures("server", "devices")
def test_what_was_played_is_told_to_scripts() -> None:
    """In the same line as what was saved."""
    alone = json.loads(step_tts("say", "Hello", "--play", "--json").stdout)
    saved = json.loads(step_tts("say", "Hello", "--play", "--json", "-o", "x").stdout)
    assert alone["played"]["seconds"] == pytest.approx(alone["duration"])
    assert saved["played"]["seconds"] == alone["played"]["seconds"]
    assert (saved["path"], "path" in alone) == ("x.wav", False)


@pytest.mark.usefixtures("server")
def test_a_text_is_played_and_piped(devices: list[Recorder]) -> None:
    """The audio and nothing but the audio."""
    result = step_tts("say", "Hello", "--play", "-o", "-")
    assert result.exit_code == 0, result.output
    assert result.stdout_bytes.startswith(b"RIFF")
    assert result.stderr.startswith("played: ")
    assert devices[-1].heard


@pytest.mark.usefixtures("deaf")
def test_without_a_device_nothing_is_sent(server: Sandbox, here: Path) -> None:
    """One line and exit code 1: what cannot be heard is not paid for."""
    result = step_tts("say", "Hello", "--play")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: There is no audio device to play on.\n"
    assert server.requests == []
    assert list(here.iterdir()) == []


@pytest.mark.usefixtures("server", "deaf")
@pytest.mark.parametrize("as_json", [False, True])
def test_without_a_device_the_file_is_saved(here: Path, as_json: bool) -> None:
    """It was asked for; the exit code says that not all went well."""
    result = step_tts("say", "Hello", "--play", "-o", "x", *["--json"][: int(as_json)])
    assert result.exit_code == 1
    assert result.stderr.endswith("error: There is no audio device to play on.\n")
    assert inspect(here / "x.wav").duration
    if as_json:
        kept, failed = map(json.loads, result.stdout.splitlines())
        assert "played" not in kept
        assert failed["error"] == "NoAudioDeviceError"


def test_a_full_disk_does_not_end_the_sound(
    server: Sandbox, here: Path, devices: list[Recorder]
) -> None:
    """The failure is told when all has been heard."""
    (here / "file").write_bytes(b"")
    result = step_tts("say", "Hello", "--play", "-o", "file/x")
    assert result.exit_code == 1
    assert [line.partition(": ")[0] for line in result.stderr.splitlines()] == ["played", "error"]


@pytest.mark.usefixtures("devices")
def test_a_break_while_playing_and_saving_is_one_line(server: Sandbox, here: Path) -> None:
    """Both readers met it; no file is left."""
    server.faults = "cut@4000"
    result = step_tts("say", "Hello, long enough to be cut.", "--play", "-o", "x", "--json")
    assert result.exit_code == 1
    assert result.stderr == f"error: {json.loads(result.stdout)['message']}\n"
    assert list(here.iterdir()) == []


LONG = "".join(f"This is sentence {number} of a long answer. " for number in range(20))


def test_a_long_text_from_a_pipe_is_narrated(server: Sandbox, here: Path) -> None:
    """In several requests, with the same options, and one file."""
    result = step_tts("say", "-", "-o", "long", "-v", "alloy", stdin=LONG.encode())
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("long.wav: wav, ")
    assert inspect(here / "long.wav").duration
    assert " ".join(sorted(spoken(server), key=LONG.index)) == LONG.strip()
    assert {seen.json["voice"] for seen in server.requests} == {"alloy"}
    assert len(server.requests) > 1


def test_a_break_in_a_narrated_file_is_repeated(server: Sandbox, here: Path) -> None:
    """Nobody has heard it."""
    server.faults = [None, "cut@4000"]
    assert step_tts("say", "-", "-q", stdin=LONG.encode()).output == ""
    assert inspect(here / "speech.wav").duration


def test_a_long_text_from_a_pipe_is_played_and_saved(
    server: Sandbox, here: Path, devices: list[Recorder]
) -> None:
    """The same sound."""
    result = step_tts("say", "-", "--play", "-o", "x", "--json", stdin=LONG.encode())
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert record["played"]["seconds"] == pytest.approx(record["duration"])
    assert inspect(here / "x.wav").duration == record["duration"]
    assert devices[-1].heard


def test_options_are_refused_before_standard_input_is_read(server: Sandbox) -> None:
    """Who types should not type in vain."""
    process = started("say", "-", "-x", "-1")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"speed must be" in err


def write(process: subprocess.Popen[bytes], text: str) -> None:
    """Type something."""
    assert process.stdin
    process.stdin.write(text.encode())
    process.stdin.flush()


def test_a_text_is_spoken_while_it_is_being_written(server: Sandbox, here: Path) -> None:
    """The first sentence is here before the second is thought of."""
    process = started("say", "-", "-o", "-")
    write(process, "你好，世界。The rest is st")
    wait_for(server, 1)
    assert spoken(server)[0] == "你好，世界。"
    write(process, "ill to come.")
    audio, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    (here / "x.wav").write_bytes(audio)
    assert inspect(here / "x.wav").duration
    assert "".join(spoken(server)).replace(" ", "") == "你好，世界。Therestisstilltocome."


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_open_pipe_holds_nobody_back(server: Sandbox, here: Path, number: int) -> None:
    """Who is asked to end leaves at once, and no file."""
    process = started("say", "-", "-o", "x")
    write(process, "Hello there. This is")
    wait_for(server, 1)
    process.send_signal(number)
    process.wait(timeout=60)
    assert process.stdin
    assert process.stderr
    assert (process.returncode, process.stderr.read()) == (128 + number, b"interrupted\n")
    process.communicate()
    assert list(here.iterdir()) == []
