"""The event loop's clock, found once: to ask anyio for the time costs ten times the time itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["clock", "on_asyncio"]


def on_asyncio() -> bool:
    """Whether this is an asyncio task: a trio task may run beneath an asyncio loop, too."""
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


def clock() -> Callable[[], float]:
    """What ``anyio.current_time`` asks on this event loop."""
    return asyncio.get_running_loop().time if on_asyncio() else anyio.current_time
