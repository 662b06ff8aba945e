"""Which event loop runs, what time it is there, how to wait there, and how long to clean up.

anyio finds its backend anew for every question, which costs thirty times what the answer does;
asyncio, where it is the one that runs, is asked directly.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, cast

import anyio
from anyio.lowlevel import current_token

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "CLOSE_GRACE_SECONDS",
    "Signal",
    "asyncio_loop",
    "clock",
    "close_source",
    "grace_period",
    "home",
    "now",
    "runs",
]

CLOSE_GRACE_SECONDS = 2.0


def asyncio_loop() -> asyncio.AbstractEventLoop | None:
    """The running loop, where the task that asks is asyncio's.

    A loop alone proves nothing where trio is imported: it can be a guest on one.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return loop if "trio" not in sys.modules or asyncio.current_task(loop) else None


def home() -> object:
    """The event loop that runs, as something that compares unlike to any other, ended ones too."""
    return asyncio_loop() or current_token()


def runs(loop: object) -> bool:
    """Whether an event loop that was ``home`` still runs."""
    if isinstance(loop, asyncio.AbstractEventLoop):
        return loop.is_running()
    try:  # A run of trio can be asked nothing but this.
        cast("Any", loop).native_token.run_sync_soon(_nothing, idempotent=True)
    except RuntimeError:
        return False
    return True


def _nothing() -> None:
    pass


def clock() -> Callable[[], float]:
    """What ``anyio.current_time`` asks on this event loop, for whoever asks more than once."""
    loop = asyncio_loop()
    return loop.time if loop else anyio.current_time


def now() -> float:
    """The time of ``anyio.current_time``."""
    return clock()()


def grace_period() -> anyio.CancelScope:
    """A shield for what must be closed though its owner is cancelled, and cannot take for ever."""
    return anyio.move_on_after(CLOSE_GRACE_SECONDS, shield=True)


async def close_source(source: object) -> None:
    """Close an async generator that was not read to its end, by the task that read it."""
    if isinstance(source, AsyncGenerator):
        with grace_period():
            await source.aclose()


class Signal:
    """An event that costs nothing until somebody waits for it, and little then; set once."""

    __slots__ = ("_event", "_futures", "_set")

    def __init__(self) -> None:
        self._set = False
        self._futures: list[asyncio.Future[None]] = []
        self._event: anyio.Event | None = None

    def set(self) -> None:
        """Wake whoever waits, and let nobody wait any more."""
        self._set = True
        for future in self._futures:
            _finish(future)
        if self._event:
            self._event.set()

    async def wait(self, until: float = math.inf) -> None:
        """Wait until it is set, or until then; no checkpoint where it is set already."""
        if self._set:
            return
        if loop := asyncio_loop():
            future = loop.create_future()
            self._futures.append(future)
            # A timer costs a third of what a scope does.
            timer = None if until == math.inf else loop.call_at(until, _finish, future)
            try:
                await future
            finally:
                if timer:
                    timer.cancel()
            return
        self._event = self._event or anyio.Event()
        with anyio.CancelScope(deadline=until):
            await self._event.wait()


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
