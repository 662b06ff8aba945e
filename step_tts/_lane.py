"""The lane of one batch's calls: what the batch and the gate tell each other of them.

A narration's calls have one too: who is in a lane waits in line for as long as it takes. A batch
begins a row when there is room for its call. The gate, where calls wait in line, says how much
there is, and when that has changed. This lane leads through no gate: there is always room. Knows
neither batches nor calls nor gates.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from step_tts._runtime import Signal

__all__ = ["Lane", "Recalled"]


class Recalled(Exception):  # noqa: N818  no error: what was asked for
    """A call was taken back before it was sent."""


class Lane:
    """Given to calls when they are made."""

    def __init__(self) -> None:
        self.in_line = 0
        """How many wait for a slot."""
        self.in_flight = 0
        """How many hold one."""
        self.changed: Callable[[], None] = lambda: None
        """To be called when there may be more room than before."""
        self.resting: set[Signal] = set()
        """Of those who wait for their next attempt."""
        self._recalled = False

    def room(self) -> int:
        """How many more calls are worth beginning now."""
        return sys.maxsize

    def recall(self) -> None:
        """Take back whoever was not sent, and whoever comes."""
        self._recalled = True
        for woken in self.resting:
            woken.set()

    def check(self) -> None:
        """Go no further once it is recalled.

        Raises:
            Recalled: It is.
        """
        if self._recalled:
            raise Recalled
