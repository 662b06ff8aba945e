from __future__ import annotations

import ast
import contextlib
import json
import os
import pty
import runpy
import signal
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from cli_kit import path_of_the_package, sandbox_in_env, started, step_tts
from scripted import audio_in

from step_tts import cli
from step_tts._version import __version__
from step_tts.cli._app import app

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its words."""
    yield "", app
    yield from app.commands.items()


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_and_option_has_help(name: str, command: click.Command) -> None:
    """``-h`` shows it, exits 0, and no line is too long for a terminal."""
    result = step_tts(*name.split(), "-h")
    assert result.exit_code == 0
    assert command.help
    assert command.help.splitlines()[0].endswith(".")
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert all(option.help for option in options)
    assert all(option.opts[0] in result.stdout for option in options)
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert result.stdout == step_tts(*name.split(), "--help").stdout


def test_a_name_the_terminal_cannot_show_ends_no_command(tmp_path: Path) -> None:
    """Where the locale is that of cron."""
    (tmp_path / "é.wav").write_bytes(b"no audio")
    command = [sys.executable, "-m", "step_tts", "sniff", "é.wav"]
    environment = {"PYTHONPATH": path_of_the_package(), "PYTHONIOENCODING": "ascii"}
    found = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=False)
    assert found.returncode == 1
    assert b"\\xe9.wav" in found.stdout


def test_help_names_the_variables_and_the_exit_codes() -> None:
    """And the way to try without a key."""
    text = " ".join(step_tts("--help").stdout.split())
    for word in ("STEP_TTS_API_KEY", "STEP_TTS_BASE_URL", "--sandbox", "130 interrupted", "143"):
        assert word in text


def test_help_waits_for_nothing_that_only_commands_need() -> None:
    """Neither the progress bar's library nor the sandbox is imported for it."""
    code = (
        "import sys; from step_tts.cli._app import app; app(['-h'], standalone_mode=False); "
        "sys.exit(bool({'rich', 'step_tts.sandbox'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path_of_the_package()},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0


def test_python_m_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It calls itself by the same name."""
    monkeypatch.setattr(sys, "argv", ["step_tts", "--version"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("step_tts", run_name="__main__")
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"step-tts {__version__}\n"


def test_nothing_is_imported_before_ctrl_c_is_minded() -> None:
    """Whose traceback would show what; the interpreter's own start is not ours to guard."""
    program = "import sys; had = {*sys.modules}; import step_tts.cli; print({*sys.modules} - had)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    imported = ast.literal_eval(ran.stdout.decode()) - {"__future__"}
    assert imported == {"step_tts", "step_tts._version", "step_tts.cli"}


@pytest.mark.parametrize(
    ("absent", "named"),
    [({"click"}, "click"), ({"rich"}, "rich"), ({"click", "rich"}, "click and rich")],
)
def test_without_its_packages_it_names_the_install_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    absent: set[str],
    named: str,
) -> None:
    """One line on stderr and exit code 2."""
    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name in absent else found(name))
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    message = f"error: step-tts needs {named}: pip install 'step_tts[cli]'\n"
    assert capsys.readouterr() == ("", message)


def test_an_interruption_outside_of_a_command_has_its_code_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For instance while the arguments are read."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(app), "__call__", interrupted)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 130


def test_an_interruption_before_any_command_has_its_code_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Most of the time of a short command goes into imports."""

    class Interrupting:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == app_module:
                raise KeyboardInterrupt

    app_module = "step_tts.cli._app"
    monkeypatch.delitem(sys.modules, app_module)
    monkeypatch.setattr(sys, "meta_path", [Interrupting, *sys.meta_path])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 130


def test_standard_output_may_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a shell does with ``>&-``; Python then has none."""
    said: list[object] = []
    monkeypatch.setattr(type(app), "__call__", lambda *_, **__: said.append(sys.stdout))
    monkeypatch.setattr(sys, "stdout", None)
    cli.main()
    assert said == [None]


def test_ctrl_c_ends_a_batch_that_waits_for_its_input(tmp_path: Path) -> None:
    """At once, although nobody closes the pipe; what was finished stays."""
    out = tmp_path / "out"
    arguments = ("batch", "-", "--input-format", "txt", "--to", out, "--sandbox", "--json")
    with started(*arguments) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"One\n")
        process.stdin.flush()
        path = json.loads(process.stdout.readline())["path"]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        _, error = process.communicate()
    first, _, summary, note = error.decode().splitlines()
    assert first.startswith("stopping: no more rows are started")
    again = f"step-tts batch - --input-format txt --to {out} --sandbox --json"
    assert note == f"interrupted; to continue, send the same input to: {again}"
    assert summary.startswith("1 spoken, 0 failed; ")
    assert audio_in(out) == [Path(path)]


def test_ctrl_c_ends_a_stream_that_nobody_reads() -> None:
    """A full pipe holds up a thread, not the end."""
    with started("say", "Hello, and so on. " * 100, "-o", "-", "--sandbox") as process:
        assert process.stdout
        process.stdout.read(4)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        _, error = process.communicate()
    assert error == b"interrupted\n"


@pytest.mark.parametrize("command", [("say", "-f"), ("narrate",)], ids=" ".join)
def test_a_reader_that_has_enough_ends_it_quietly(command: tuple[str, ...], tmp_path: Path) -> None:
    """As ``head`` does; exit code 1, since not all was delivered, and nothing to go on with."""
    text = tmp_path / "in.md"
    text.write_text("Hello, and so on. " * 100, "utf-8")
    with started(*command, text, "-o", "-", "--sandbox") as process:
        assert process.stdout
        process.stdout.read(4)
        process.stdout.close()
        assert process.wait(20) == 1
        assert process.stderr
        assert process.stderr.read() == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_how_the_sandbox_ends(number: int) -> None:
    """All went well then, as after the SIGTERM of a supervisor."""
    with started("sandbox", "--voice", "tone") as process:
        assert process.stdout
        assert process.stdout.readline().startswith(b"export STEP_TTS_BASE_URL=http://127.0.0.1:")
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(20) == 0


def on_a_terminal(*arguments: str | Path) -> tuple[int, str]:
    """Run a command as in a terminal window; its code, and all that was shown."""
    ours, theirs = pty.openpty()
    with started(*arguments, streams=theirs) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # how Linux says that the other end is closed
            while data := os.read(ours, 65536):
                shown += data
    os.close(ours)
    return process.returncode, shown.decode()


def test_a_terminal_shows_the_bar_and_then_the_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With rate, failures and time left; ``--no-progress`` shows the summary alone."""
    (tmp_path / "rows.jsonl").write_text('{"input": "One"}\n{}\n')
    with sandbox_in_env(monkeypatch):
        command = ("batch", tmp_path / "rows.jsonl", "--to", tmp_path / "out")
        code, shown = on_a_terminal(*command)
        plain_code, plain = on_a_terminal(*command, "--no-progress", "--no-resume")
    assert code == plain_code == 1
    for part in ("━", "%", "1 spoken, 1 failed · ", "/s", "left"):
        assert part in shown
    assert "━" not in plain
    assert "\x1b" not in plain
    assert "1 spoken, 1 failed; " in shown.splitlines()[-1]
    assert "1 spoken, 1 failed; " in plain.splitlines()[-1]


def test_a_terminal_is_not_fed_audio() -> None:
    """The message says what to do instead."""
    code, shown = on_a_terminal("say", "Hello", "-o", "-", "--sandbox")
    assert code == 2
    assert "garble the terminal" in shown
