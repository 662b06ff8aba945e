"""Ctrl-C and SIGTERM during a batch: the first asks it to end, the second ends it."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

import attrs

from step_tts.cli._terminal import note

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from anyio import CancelScope

__all__ = ["Interrupts", "interruptible"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@attrs.define
class Interrupts:
    """Waits for a signal while a batch runs."""

    grace: float
    """Seconds that what is in flight may take after the first one."""
    scope: CancelScope | None = None
    """What the second one cancels."""
    stop: Callable[[], None] | None = None
    """Asks the batch to end; there is none before it began."""
    came: bool = False

    async def listen(self) -> None:
        """Ask at the first signal; cancel at the second, or when the time is up.

        Asyncio on Windows has no signals to wait for: there Ctrl-C ends the loop by itself.
        """
        import anyio

        with (
            contextlib.suppress(NotImplementedError),
            anyio.open_signal_receiver(*_SIGNALS) as signals,
        ):
            await anext(signals)
            self.came = True
            if self.stop:
                note(
                    f"stopping: no more rows are begun, those in flight have {self.grace:g} s; "
                    "again to cancel them"
                )
                self.stop()
                with anyio.move_on_after(self.grace):
                    await anext(signals)
            assert self.scope is not None  # noqa: S101  set before the first await
            self.scope.cancel()


@contextlib.asynccontextmanager
async def interruptible(grace: float) -> AsyncIterator[Interrupts]:
    """Run a block that signals end in order; an error of the block leaves as itself."""
    from step_tts._beside import beside

    interrupts = Interrupts(grace)
    async with beside(interrupts.listen) as scope:
        interrupts.scope = scope
        yield interrupts
