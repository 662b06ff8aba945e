"""A thing that blocks while it is built: built once, for all who ask for it.

Knows no engine. Who waits for it goes on at once with all others: a lock would let one go in each
turn of the loop, and of 256 calls the last one set out after two seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import anyio.to_thread

from step_tts._runtime import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Shared"]

T = TypeVar("T")


class Shared(Generic[T]):
    """Something that several callers use, built when the first of them asks.

    Attributes:
        built: The thing, once it is there.
    """

    def __init__(self, built: T | None = None) -> None:
        self.built = built
        self._building: Signal | None = None

    async def get(self, build: Callable[[], T]) -> T:
        """The thing; a failure to build it is told to one caller, and the next one tries."""
        while self.built is None:
            if self._building is not None:
                await self._building.wait()
            else:
                await self._build(build)
        return self.built

    async def _build(self, build: Callable[[], T]) -> None:
        self._building = over = Signal()
        try:
            self.built = await anyio.to_thread.run_sync(build)
        finally:
            self._building = None
            over.set()
