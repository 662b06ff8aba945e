"""Ctrl-C, SIGTERM and SIGHUP: what is under way ends in order; a batch is first asked to stop."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, TypeVar

import attrs

from step_tts.cli._terminal import note

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from anyio import CancelScope

__all__ = ["Interrupts", "interruptible", "unless_interrupted"]

T = TypeVar("T")


@attrs.define
class Interrupts:
    """Waits for a signal while a command runs."""

    grace: float
    """Seconds that requests in flight get after the first signal."""
    scope: CancelScope | None = None
    """What the second signal cancels."""
    stop: Callable[[], None] | None = None
    """Asks the batch to stop; ``None`` until there is one."""
    came: signal.Signals | None = None
    """The first signal."""

    async def listen(self) -> None:
        """Ask at the first signal; cancel at the second, or when the time is up.

        Asyncio on Windows has no signals to wait for: there Ctrl-C ends the loop by itself.
        """
        import anyio

        with (
            contextlib.suppress(NotImplementedError),
            anyio.open_signal_receiver(*_heeded()) as signals,
        ):
            self.came = await anext(signals)
            if self.stop:
                self.stop()
                with contextlib.suppress(OSError):  # The terminal may have gone, hence SIGHUP.
                    note(
                        f"stopping: no more rows are started, those in flight have {self.grace:g} "
                        "s to finish; interrupt again to cancel them"
                    )
                with anyio.move_on_after(self.grace):
                    await anext(signals)
            assert self.scope is not None  # noqa: S101  set before the first await
            self.scope.cancel()


_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""The last comes when a terminal is closed, or a connection to one is lost; not on Windows."""


def _heeded() -> list[signal.Signals]:
    """The signals to heed: not Ctrl-C if a script started this in the background.

    And no SIGHUP under ``nohup``.
    """
    known = [each for each in signal.Signals if each.name in _NAMES]
    return [each for each in known if signal.getsignal(each) is not signal.SIG_IGN]


@contextlib.asynccontextmanager
async def interruptible(grace: float) -> AsyncIterator[Interrupts]:
    """Run a block that signals end in order; an exception from the block leaves it unchanged."""
    from step_tts._runtime import beside

    interrupts = Interrupts(grace)
    async with beside(interrupts.listen) as scope:
        interrupts.scope = scope
        yield interrupts


async def unless_interrupted(main: Callable[..., Awaitable[T]], *args: object) -> T:
    """Run ``main`` to its end, or to the first signal, which cancels it.

    Raises:
        KeyboardInterrupt: A signal came; the argument is its number.
    """
    async with interruptible(0) as interrupts:
        result = await main(*args)
    if interrupts.came:
        raise KeyboardInterrupt(interrupts.came)
    return result
