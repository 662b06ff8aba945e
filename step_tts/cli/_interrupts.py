"""Ctrl-C and SIGTERM: whatever is under way ends in order, and a batch is asked to end first."""

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
    """Seconds that what is in flight may take after the first one."""
    scope: CancelScope | None = None
    """What the second one cancels."""
    stop: Callable[[], None] | None = None
    """Asks the batch to end; there is none before it began."""
    came: signal.Signals | None = None
    """The first one."""

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
                note(
                    f"stopping: no more rows are started, those in flight have {self.grace:g} s to "
                    "finish; interrupt again to cancel them"
                )
                self.stop()
                with anyio.move_on_after(self.grace):
                    await anext(signals)
            assert self.scope is not None  # noqa: S101  set before the first await
            self.scope.cancel()


def _heeded() -> list[signal.Signals]:
    """Ctrl-C is not meant for what a script started in the background."""
    both = (signal.SIGINT, signal.SIGTERM)
    return [each for each in both if signal.getsignal(each) is not signal.SIG_IGN]


@contextlib.asynccontextmanager
async def interruptible(grace: float) -> AsyncIterator[Interrupts]:
    """Run a block that signals end in order; an error of the block leaves as itself."""
    from step_tts._runtime import beside

    interrupts = Interrupts(grace)
    async with beside(interrupts.listen) as scope:
        interrupts.scope = scope
        yield interrupts


async def unless_interrupted(main: Callable[..., Awaitable[T]], *args: object) -> T:
    """Run ``main`` to its end, or to the first signal, which cancels it.

    Raises:
        KeyboardInterrupt: A signal came; its argument is which.
    """
    async with interruptible(0) as interrupts:
        result = await main(*args)
    if interrupts.came:
        raise KeyboardInterrupt(interrupts.came)
    return result
