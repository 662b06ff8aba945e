"""The event loop that runs: its time, its waits, tasks beside a block, steps in threads.

Knows asyncio and anyio, and nothing of speech.
"""

from step_tts._runtime._beside import beside, task_group
from step_tts._runtime._home import Home, Stay
from step_tts._runtime._loop import (
    CLOSE_GRACE_SECONDS,
    Signal,
    asyncio_loop,
    clock,
    close_source,
    grace_period,
    home,
    now,
)
from step_tts._runtime._threads import Threads

__all__ = [
    "CLOSE_GRACE_SECONDS",
    "Home",
    "Signal",
    "Stay",
    "Threads",
    "asyncio_loop",
    "beside",
    "clock",
    "close_source",
    "grace_period",
    "home",
    "now",
    "task_group",
]
