"""Pipes that may block for ever without delaying the end of the program.

What waits for a pipe waits in a thread, and Ctrl-C must leave that thread behind. So it is a
daemon, which the worker threads of anyio are not: Python waits for those at exit. And it uses file
objects of its own: a thread blocked inside ``sys.stdin`` or ``sys.stdout`` holds a lock that Python
needs at exit, and crashes without ("could not acquire lock for <stdin>").
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, BinaryIO, TextIO, TypeVar

import click

from step_tts._runtime import Signal, asyncio_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["is_terminal", "left_behind", "opened", "standard_input", "standard_output"]

T = TypeVar("T")


async def left_behind(call: Callable[..., T], *args: object) -> T:
    """Call in a thread that nothing waits for if this is cancelled or the process ends."""
    returned, outcome = Signal(), Future[T]()

    def work() -> None:
        try:
            outcome.set_result(call(*args))
        except BaseException as error:  # noqa: BLE001  raised where the result is awaited
            outcome.set_exception(error)

    hand = _idle.pop() if _idle else _Hand()
    hand.calls.put((work, _on_this_loop(returned.set)))
    await returned.wait()
    return outcome.result()


class _Hand:
    """A thread that takes one call after another: starting one costs more than most calls."""

    def __init__(self) -> None:
        self.calls: SimpleQueue[tuple[Callable[[], None], Callable[[], object]]] = SimpleQueue()
        Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            self._take()

    def _take(self) -> None:
        work, tell = self.calls.get()
        work()
        with contextlib.suppress(RuntimeError):  # the event loop has ended
            tell()
        _idle.append(self)


_idle: list[_Hand] = []


def _on_this_loop(call: Callable[[], None]) -> Callable[[], object]:
    """What another thread calls to run something on this event loop."""
    if loop := asyncio_loop():
        return partial(loop.call_soon_threadsafe, call)
    from anyio import from_thread, lowlevel

    return partial(from_thread.run_sync, call, token=lowlevel.current_token())


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person may be looking at it; a stream closed by the shell is ``None``."""
    return stream is not None and stream.isatty()


@contextlib.contextmanager
def opened(path: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """Open a file, or standard input for ``-``, with its size in bytes if it has one.

    What may block (a pipe, a terminal) is never closed: a thread may be waiting for it.
    """
    stream = standard_input() if path == "-" else Path(path).open("rb")  # noqa: SIM115  see above
    size = None if path == "-" else _size_of(stream)
    try:
        yield stream, size
    finally:
        if size is not None:
            stream.close()


def _size_of(stream: BinaryIO) -> int | None:
    status = os.fstat(stream.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def standard_input() -> BinaryIO:
    """Standard input, to be read in a thread."""
    stream = _binary(sys.stdin, "input")
    try:
        return open(stream.fileno(), "rb", closefd=False)
    except io.UnsupportedOperation:  # replaced by an object in memory
        return stream


def standard_output() -> Callable[[bytes], None]:
    """A function that writes to standard output and blocks until everything is taken."""
    stream = _binary(sys.stdout, "output")
    try:
        return partial(_write_all, stream.fileno())
    except io.UnsupportedOperation:  # replaced by an object in memory
        return partial(_write_to, stream)


def _binary(stream: TextIO | None, name: str) -> BinaryIO:
    if stream is None:
        raise click.UsageError(f"Standard {name} is closed.")
    return stream.buffer


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError as error:
        error.filename = "standard output"  # so that a full disk is not blamed on the audio file
        raise


def _write_to(stream: BinaryIO, data: bytes) -> None:
    stream.write(data)
