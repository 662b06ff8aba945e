"""Whether it is vain to wait in line, because the server takes nothing.

A line that moves takes as long as it takes: what goes before are calls of our own. A pause of
everybody, and a row of failures with nothing good between, are a standstill, and whoever waits has
only so much patience with one. A server that refuses more while it is at what it let in moves, if
slowly. Pure: times are handed in. Knows neither HTTP nor what a call is.
"""

from __future__ import annotations

import math

import attrs

__all__ = ["Standstill", "TurnedAway"]

FEWEST_FAILURES = 4  # in a row; as many faults are an overload to the controller


@attrs.define
class TurnedAway(Exception):  # noqa: N818  whoever asked makes an error of it
    """A call was not let go, and will not be for longer than it has patience."""

    failures: int
    """How many attempts failed in a row."""
    asked: bool
    """Whether the server asked for a wait."""
    seconds: float
    """Until the pause ends; 0 without one."""


@attrs.define
class Standstill:
    """How long nothing good has come of what was sent."""

    failures: int = 0
    refused: bool = False
    """Whether the last one was a refusal."""
    _asked: bool = False
    _good_at: float = -math.inf

    def ok(self, now: float) -> None:
        """Whole audio came."""
        self.failures, self._good_at = 0, now
        self.refused = self._asked = False

    def failed(self, retry_after: float | None = None, *, refused: bool = False) -> None:
        """An attempt was refused, or failed for a reason that may hold for the next."""
        self.failures += 1
        self.refused, self._asked = refused, retry_after is not None

    def moves(self, now: float, paused_until: float) -> None:
        """The server is at something; a pause that it did not ask for is no standstill."""
        self._good_at = now if self._asked else max(now, paused_until)

    def lasts_until(self, now: float, paused_until: float) -> float:
        """How long it lasts for certain; minus infinity without one."""
        stands = paused_until > now or self.failures >= FEWEST_FAILURES
        return max(paused_until, now) if stands else -math.inf

    def borne_until(self, since: float, patience: float) -> float:
        """How long whoever waits since then bears one; later with each good answer."""
        return max(since, self._good_at) + patience

    def refusal(self, now: float, paused_until: float) -> TurnedAway:
        """What to tell whoever is not to wait any more."""
        asked = self._asked or not self.failures
        return TurnedAway(self.failures, asked, max(0.0, paused_until - now))
