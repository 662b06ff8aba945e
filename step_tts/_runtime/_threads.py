"""Blocking steps in a few threads, at the price of a queue.

An asyncio loop gets threads of our own, which take what came in one turn of the loop as a whole
and wake the loop once for it. anyio's hop, which every other loop gets, finds its backend,
limiter, scope and context anew for each step, and wakes the loop for each (measured:
docs/explanation/performance.md). Knows no files.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
import anyio.to_thread
import attrs

from step_tts._runtime._loop import asyncio_loop, home

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Threads"]

T = TypeVar("T")


class Threads:
    """Runs blocking steps, so many at once; they begin in the order they came."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._limited: tuple[object, anyio.CapacityLimiter] | None = None
        self._crew: _Crew | None = None

    async def run(self, step: Callable[[], T]) -> T:
        """Run a step; once handed over it ends, cancelled or not."""
        loop = asyncio_loop()
        if loop is None:
            return await anyio.to_thread.run_sync(step, limiter=self._limiter())
        crew = self._crew
        if crew is None or crew.loop is not loop:
            crew = self._begin(loop)
        taken = crew.add(step)
        try:
            await taken.waiter
        except BaseException:
            await taken.end()
            raise
        if taken.error:
            raise taken.error
        return taken.result

    def dismiss(self) -> None:
        """Let the threads end that there are, once they have done what they were given."""
        crew, self._crew = self._crew, None
        if crew:
            crew.hand_over()
            crew.dismiss()

    def _limiter(self) -> anyio.CapacityLimiter:
        """That of the loop that runs: tasks of two may not wait in one line."""
        here, limited = home(), self._limited
        if limited is None or limited[0] != here:
            limited = self._limited = here, anyio.CapacityLimiter(self._most)
        return limited[1]

    def _begin(self, loop: asyncio.AbstractEventLoop) -> _Crew:
        """Threads for a loop; those of another, which may run in a thread beside it, can end."""
        crew = _Crew(loop, self._most)
        crew.dismiss = weakref.finalize(self, crew.shares.put, None)
        before, self._crew = self._crew, crew
        if before:
            before.dismiss_soon()
        return crew


@attrs.define(eq=False)
class _Step(Generic[T]):
    """A step on its way through a thread."""

    run: Callable[[], T]
    waiter: asyncio.Future[None]
    result: T = attrs.field(init=False)
    error: BaseException | None = None
    over: bool = False

    def take(self) -> None:
        """Run it, in the thread."""
        try:
            self.result = self.run()
        except BaseException as error:  # noqa: BLE001  raised by whoever waits for it
            self.error = error

    async def end(self) -> None:
        """Wait for its end, however often cancelled: asyncio's own knows no shields.

        Or a file would be discarded under the hands of the thread that completes it.
        """
        cancelled: asyncio.CancelledError | None = None
        while not self.over:
            self.waiter = self.waiter.get_loop().create_future()
            try:
                with anyio.CancelScope(shield=True):
                    await self.waiter
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled:
            raise cancelled


class _Crew:
    """The threads of one event loop.

    What comes in one turn of the loop is handed over at its end, and what a thread was handed it
    reports as a whole: each time a thread is woken beside a busy loop they fight for the
    interpreter's lock.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self.loop = loop
        self.shares: SimpleQueue[list[_Step[Any]] | None] = SimpleQueue()
        self.dismiss: Callable[[], object]
        self._most = most
        self._threads = 0
        self._gathered: list[_Step[Any]] = []

    def add(self, run: Callable[[], T]) -> _Step[T]:
        """Take a step, to be handed over with its neighbours."""
        if not self._gathered:
            self.loop.call_soon(self.hand_over)
        step = _Step(run, self.loop.create_future())
        self._gathered.append(step)
        return step

    def dismiss_soon(self) -> None:
        """Dismiss it from another thread, behind what it is given in this turn of its loop."""
        if self.loop.is_running():
            with suppress(RuntimeError):  # It was closed since.
                self.loop.call_soon_threadsafe(self.loop.call_soon, self.dismiss)
                return
        self.dismiss()

    def hand_over(self) -> None:
        """Let the threads have what was gathered."""
        steps, self._gathered = self._gathered, []
        shares = min(self._most, len(steps))
        while self._threads < shares:
            self._threads += 1
            name = f"step_tts files {self._threads}"
            threading.Thread(target=self._work, name=name, daemon=True).start()
        for number in range(shares):
            self.shares.put(steps[number::shares])

    def _work(self) -> None:
        """What a thread does until it is handed ``None``, which it hands on to the next."""
        while self._take():
            pass
        self.shares.put(None)

    def _take(self) -> bool:
        share = self.shares.get()
        if share is None:
            return False
        for step in share:
            step.take()
        try:
            self.loop.call_soon_threadsafe(_tell, share)
        except RuntimeError:  # The loop is closed: nobody waits.
            return False
        return True


def _tell(share: list[_Step[Any]]) -> None:
    """Tell whoever waits, on the loop."""
    for step in share:
        step.over = True
        if not step.waiter.done():
            step.waiter.set_result(None)
