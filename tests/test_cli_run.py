"""The command line's event loop."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
import sys

import pytest
from cli_kit import path_of_the_package

from step_tts.cli import _run
from step_tts.cli._run import run


async def loop_of(*names: str) -> tuple[str, ...]:
    """Whose loop runs, after what was given."""
    return (*names, type(asyncio.get_running_loop()).__module__.partition(".")[0])


def test_commands_run_on_uvloop() -> None:
    """Where it is installed."""
    pytest.importorskip("uvloop")

    assert run(loop_of, "a") == ("a", "uvloop")


def test_without_uvloop_on_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setattr(_run, "find_spec", lambda _: None)

    assert run(loop_of) == ("asyncio",)


def test_every_free_place_of_a_standard_file_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no other."""
    places, closed = iter([0, 2, 5]), list[int]()
    monkeypatch.setattr("os.open", lambda *_: next(places))
    monkeypatch.setattr("os.close", closed.append)
    _run._fill_standard_places()
    assert closed == [5]


def test_a_command_may_be_started_without_standard_files() -> None:
    """As by a daemon: uvloop aborts a process in which its own files have taken their places."""
    pytest.importorskip("uvloop")
    program = "import anyio; from step_tts.cli._run import run; run(anyio.sleep, 0)"
    command = f"exec {shlex.join([sys.executable, '-c', program])} <&- >&- 2>&-"
    environment = {"PYTHONPATH": path_of_the_package()}

    assert subprocess.run(["sh", "-c", command], env=environment, check=False).returncode == 0
