from __future__ import annotations

import io
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier, get_ident

import anyio
import click
import pytest
from cli_kit import sandbox_in_env

from step_tts.cli import _pipes
from step_tts.cli._app import app


class InMemory(io.TextIOWrapper):
    """A standard stream that somebody replaced."""

    def __init__(self, data: bytes = b"") -> None:
        self.memory = io.BytesIO(data)
        super().__init__(self.memory, encoding="utf-8")


def test_a_file_is_opened_with_its_size_and_closed(tmp_path: Path) -> None:
    """The size is what the progress bar measures against."""
    path = tmp_path / "lines.txt"
    path.write_bytes(b"one\ntwo\n")
    with _pipes.opened(str(path)) as (stream, size):
        assert (stream.readline(), size) == (b"one\n", 8)
    assert stream.closed


def test_a_pipe_has_no_size_and_is_left_open(tmp_path: Path) -> None:
    """Closing it would wait for a thread that waits in it."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    keep = os.open(path, os.O_RDWR)
    with _pipes.opened(str(path)) as (stream, size):
        os.write(keep, b"one\n")
        assert (stream.readline(), size) == (b"one\n", None)
    assert not stream.closed
    stream.close()
    os.close(keep)


def test_standard_input_is_another_object_on_the_same_descriptor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its lock is not the one Python takes at exit."""
    read, write = os.pipe()
    with ExitStack() as stack:
        replaced = stack.enter_context(os.fdopen(read))
        monkeypatch.setattr(sys, "stdin", replaced)
        os.write(write, b"one\n")
        os.close(write)
        stream = stack.enter_context(_pipes.standard_input())
        assert stream is not replaced.buffer
        assert stream.read() == b"one\n"


def test_standard_input_in_memory_serves_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test runners replace it."""
    monkeypatch.setattr(sys, "stdin", InMemory(b"one\n"))
    with _pipes.opened("-") as (stream, size):
        assert (stream.read(), size) == (b"one\n", None)


def test_standard_output_takes_all_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the pipe takes it in pieces."""
    read, write = os.pipe()
    taken: list[bytes] = []

    def narrow(descriptor: int, data: bytes) -> int:
        taken.append(bytes(data[:3]))
        return len(taken[-1])

    with os.fdopen(read), os.fdopen(write, "w") as replaced:
        monkeypatch.setattr(sys, "stdout", replaced)
        monkeypatch.setattr(os, "write", narrow)
        _pipes.standard_output()(b"12345678")
    assert taken == [b"123", b"456", b"78"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it.")
def test_standard_output_that_is_full_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where audio is saved too, it could be that disk that is full."""
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(OSError, match=r"No space .*: 'standard output'"):
            _pipes.standard_output()(b"1234")


def test_standard_output_in_memory_serves_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test runners replace it."""
    replaced = InMemory()
    monkeypatch.setattr(sys, "stdout", replaced)
    _pipes.standard_output()(b"1234")
    assert replaced.memory.getvalue() == b"1234"


def test_a_stream_the_shell_closed_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """``<&-`` and ``>&-`` leave nothing to read or write."""
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(click.UsageError, match="input is closed"):
        _pipes.standard_input()
    with pytest.raises(click.UsageError, match="output is closed"):
        _pipes.standard_output()
    assert not _pipes.is_terminal(None)


@pytest.mark.parametrize(
    "arguments",
    [
        ("say", "Hello", "-o", "-"),
        ("say", "Hello", "-o", "out", "--json"),
        ("narrate", "rows.txt", "-o", "-"),
        ("batch", "rows.txt", "--to", "out", "--json"),
    ],
)
def test_nothing_is_sent_for_an_output_that_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """It would be paid for, and lost."""
    monkeypatch.chdir(tmp_path)
    Path("rows.txt").write_text("One.\n")
    with sandbox_in_env(monkeypatch) as server:
        monkeypatch.setattr(sys, "stdout", None)
        with pytest.raises(click.UsageError, match="output is closed"):
            app.main(arguments, standalone_mode=False)
        assert not server.requests


def test_a_text_from_an_input_that_is_closed_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However it is named."""
    monkeypatch.setattr(sys, "stdin", None)
    for arguments in (["say", "-"], ["say", "-f", "-"]):
        with pytest.raises(click.UsageError, match="input is closed"):
            app.main([*arguments, "--sandbox"], standalone_mode=False)


async def test_what_is_left_behind_takes_few_threads() -> None:
    """One call after the other is no reason for another thread; those at once have their own."""
    threads = {await _pipes.left_behind(get_ident) for _ in range(30)}
    assert len(threads) < 30
    both = Barrier(2)
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(_pipes.left_behind, both.wait, 30)


async def test_a_call_that_fails_fails_where_it_is_awaited() -> None:
    """With its own error."""
    with pytest.raises(LookupError, match="gone"):
        await _pipes.left_behind({}.__getitem__, "gone")
