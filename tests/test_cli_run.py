"""The command line's event loop."""

from __future__ import annotations

import asyncio

import pytest

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
