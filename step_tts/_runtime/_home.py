"""Where something that many calls share is at home: on one event loop at a time.

Whoever uses it is a guest meanwhile. Loops run in threads, so guests are counted under a lock;
while there is one, nobody gets in from another loop that runs, and what they share needs no lock.
"""

from __future__ import annotations

import asyncio
import threading

import attrs

from step_tts._runtime._loop import home, runs

__all__ = ["Home", "Stay"]


@attrs.define(eq=False)
class Stay:
    """A time at home on one event loop."""

    loop: object = None
    guests: int = 0
    """More than none once it is over: what they had is lost with their loop."""

    @property
    def on_asyncio(self) -> bool:
        """Whether its clock is that of every loop of asyncio."""
        return isinstance(self.loop, asyncio.AbstractEventLoop)


class Home:
    """Lets in the guests of one loop."""

    def __init__(self) -> None:
        self._stay = Stay()
        # What the garbage collector ends leaves in the middle of anything, an ``enter`` too.
        self._lock = threading.RLock()

    def enter(self) -> Stay | None:
        """Be a guest; ``None`` while another loop that runs has some."""
        here = home()
        with self._lock:
            if here != self._stay.loop:
                if self._stay.guests and runs(self._stay.loop):
                    return None
                self._stay = Stay(here)
            self._stay.guests += 1
            return self._stay

    def leave(self, stay: Stay) -> None:
        """Be a guest no longer."""
        with self._lock:
            stay.guests -= 1
