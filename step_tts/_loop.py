"""Which event loop runs, and what time it is there.

anyio finds its backend anew for every question, which costs thirty times what the answer does;
asyncio, where it is the one that runs, is asked directly.
"""

from __future__ import annotations

import asyncio

import anyio

__all__ = ["asyncio_loop", "now"]


def asyncio_loop() -> asyncio.AbstractEventLoop | None:
    """The running loop, where the task that asks is asyncio's.

    A loop alone proves nothing: trio can be a guest on one.
    """
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return None
    return task.get_loop() if task else None


def now() -> float:
    """The time of ``anyio.current_time``."""
    loop = asyncio_loop()
    return loop.time() if loop else anyio.current_time()
