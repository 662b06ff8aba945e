"""How many at once: additive increase, multiplicative decrease, and a remembered ceiling.

Pure. Knows levels and successes; that a level was refused is told to it once per epoch. Why
these rules and not others: docs/explanation/gate.md.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from step_tts._policies import Concurrency

__all__ = ["Limit"]

FIRST_HOLD = 2.0  # round trips below the ceiling until it is tried again, doubled with each refusal
LONGEST_HOLD = 8.0  # longer ones refuse less and follow a limit that moves worse
BETWEEN = 48.0  # calls or more between two looks above a ceiling: three at once make few in 8 trips
CUT = 0.9  # above ten at once, where it is not known what works; else one less


@attrs.define
class Limit:
    """The adaptive limit."""

    _bounds: Concurrency
    value: float = attrs.field(init=False)
    """How many at once; the whole part counts."""
    ceiling: float | None = attrs.field(default=None, init=False)
    """The level last refused, until it was passed."""
    told: float = attrs.field(default=math.inf, init=False)
    """The level the server itself named."""
    doubles: bool = attrs.field(default=True, init=False)
    """Whether it grows as at the start."""
    _hold: float = attrs.field(default=1.0, init=False)
    _boost: float = attrs.field(default=1.0, init=False)
    _climbed: float = attrs.field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self.value = float(self._bounds.fixed or self._bounds.initial)

    @property
    def adapts(self) -> bool:
        """Whether the limit moves at all."""
        return self._bounds.fixed is None

    @property
    def slots(self) -> int:
        """How many may be in flight."""
        return math.floor(self.value)

    def grow(self) -> None:
        """Note a success while the limit was in full use."""
        if self.adapts:
            self.value = min(self.value + self._step(), float(self._bounds.maximum), self.told)

    def is_ceiling(self, level: int) -> bool:
        """Whether it was refused at this level before: the server is as it was."""
        return self.ceiling is not None and abs(level - self.ceiling) <= 1

    def cut(self, level: int, works: int) -> None:
        """Note that the level was refused, and the highest that is known to work."""
        if not self.adapts:
            return
        at = min(self.value, float(level))
        self._remember(at)
        kept = max(at * CUT if at > 10 else at - 1, min(works, at - 1))
        self.value = min(max(kept, float(self._bounds.minimum)), self.value)
        self.doubles, self._boost, self._climbed = False, 1.0, 0.0

    def hold(self, level: int) -> None:
        """Go no higher than the level, which may have been refused for something else."""
        if self.adapts:
            self.value = min(self.value, float(max(level, self._bounds.minimum)))

    def search(self) -> None:
        """Forget the ceiling: what was refused there may have been a rate."""
        self.ceiling, self.doubles = None, True

    def know(self, ceiling: int) -> None:
        """Take the server's word for how many it admits at once."""
        if self.adapts:
            self.told = max(float(ceiling), float(self._bounds.minimum))
            self.value = min(self.value, self.told)

    def _step(self) -> float:
        if self.doubles:
            return 1.0
        if self.ceiling is None:
            return self._climb()
        if self.value < self.ceiling - 1:
            return 1 / self.value
        if self.value < self.ceiling:
            return 1 / (self.value * self._hold)
        if self.value < self.ceiling + 1:
            return 1 / self.value
        self.ceiling = None
        return 0.0

    def _climb(self) -> float:
        """Ever faster while nothing is refused: far below a limit, caution costs hours."""
        self._climbed += 1
        if self._climbed >= self.value:
            self._climbed, self._boost = 0.0, self._boost * 2
        return min(1.0, self._boost / self.value)

    def _remember(self, at: float) -> None:
        if self.ceiling is not None and abs(at - self.ceiling) <= max(1.0, 0.1 * self.ceiling):
            self._hold = min(max(LONGEST_HOLD, BETWEEN / at), 2 * self._hold)
        elif self.ceiling is None or at < self.ceiling:
            self._hold = FIRST_HOLD
        self.ceiling = at
