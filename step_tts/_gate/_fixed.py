"""A fixed number of slots, first come, first served.

A slot is held for one attempt and never while a call backs off, so a throttled call does not
keep others waiting. Knows nothing of HTTP or speech: whoever passes decides what an attempt is.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from step_tts._errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Gate"]


class Gate:
    """Admits at most ``slots`` attempts at once."""

    def __init__(self, slots: int) -> None:
        if slots < 1:
            raise ConfigurationError(f"concurrency must be 1 or more: {slots!r}")
        self.slots = slots
        self._limiter = anyio.CapacityLimiter(slots)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[float]:
        """Hold a slot; gives the seconds spent waiting for it."""
        asked_at, ticket = anyio.current_time(), object()
        await self._limiter.acquire_on_behalf_of(ticket)
        try:
            yield anyio.current_time() - asked_at
        finally:
            self._limiter.release_on_behalf_of(ticket)
