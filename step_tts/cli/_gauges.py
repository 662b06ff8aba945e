"""Events → figures: what is in flight, what the gate allows, how long answers take.

Constant in size however long the batch. The clock is handed in; nothing here draws or prints.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from typing import TYPE_CHECKING

import attrs

from step_tts._observe import AttemptEnded, AttemptStarted, LimitChanged, Paused
from step_tts.cli._format import seconds_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from step_tts._observe import Event

__all__ = ["Gauges", "Percentiles"]

SHORTEST_SECONDS = 0.001
GROWTH = 1.02
"""Each bucket of times is 2 % wider than the one before, so a percentile is accurate to 1 %; from a
millisecond to an hour there are 763 buckets."""


@attrs.define
class Percentiles:
    """How long many things took, counted in buckets."""

    total: int = 0
    _counts: Counter[int] = attrs.field(factory=Counter)

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.total += 1
        self._counts[
            round(math.log(max(seconds, SHORTEST_SECONDS) / SHORTEST_SECONDS, GROWTH))
        ] += 1

    def at(self, share: float) -> float:
        """What this share of them took at most; 0 if there are none."""
        rank = math.ceil(share * self.total)
        for place in sorted(self._counts):
            rank -= self._counts[place]
            if rank <= 0:
                return SHORTEST_SECONDS * GROWTH**place
        return 0.0


@attrs.define
class Gauges:
    """A listener that keeps the figures of a run."""

    _clock: Callable[[], float] = time.monotonic
    in_flight: int = 0
    most: int = 0
    """The most that were in flight at once."""
    limit: int = 0
    retries: int = 0
    pauses: int = 0
    paused: float = 0.0
    """Seconds of pauses, including one that has begun."""
    answers: Percentiles = attrs.field(factory=Percentiles)
    """How long attempts that brought audio took."""
    _paused_until: float = 0.0

    @property
    def pause(self) -> float:
        """Seconds until the pause ends; 0 without one."""
        return max(0.0, self._paused_until - self._clock())

    def heed(self, event: Event) -> None:
        """Take in what happened."""
        match event:
            case AttemptStarted(number=number):
                self.in_flight += 1
                self.most = max(self.most, self.in_flight)
                self.retries += number > 1
            case AttemptEnded(outcome=outcome, seconds=seconds):
                self.in_flight -= 1
                if outcome == "ok":
                    self.answers.add(seconds)
            case LimitChanged(limit=limit):
                self.limit = limit
            case Paused(seconds=seconds):
                self._pause(seconds)
            case _:
                pass

    def _pause(self, seconds: float) -> None:
        """A pause that prolongs another is not counted again."""
        now = self._clock()
        self.pauses += now >= self._paused_until
        self.paused += now + seconds - max(now, self._paused_until)
        self._paused_until = now + seconds

    def sentence(self) -> str | None:
        """Say how fast the server answered, if it did."""
        if not self.answers.total:
            return None
        times = (f"{seconds_text(self.answers.at(n / 100))} (p{n})" for n in (50, 90, 99))
        facts = [f"answers took {', '.join(times)}", f"{self.most} at once at most"]
        if self.retries:
            facts.append(f"{self.retries} {'retry' if self.retries == 1 else 'retries'}")
        if self.pauses:
            each = "1 pause" if self.pauses == 1 else f"{self.pauses} pauses"
            facts.append(f"{each}, {seconds_text(self.paused)} in all")
        return "; ".join(facts)
