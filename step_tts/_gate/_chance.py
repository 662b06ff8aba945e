"""Refusals without a reason: whether one more of them is to be excused.

Pure. A server that refuses a few at random looks as if it gave ever less: whatever the pace, there
is soon a refusal. It gives itself away by one at a pace well below what it takes. From then on
refusals are excused, so long as they are few; the first that is not ends it.
"""

from __future__ import annotations

import attrs

__all__ = ["Chance"]

SHARE = 1 / 40  # of what is let in; where it is a rate after all, no more than this is refused
FEWEST = 3  # let in since the last refusal; a window that is used up lets in none
MOST = 8.0  # saved up; with three, 2 % at random run out of them again and again


@attrs.define
class Chance:
    """How many may yet be excused."""

    _left: float = 0.0
    _admitted: int = 0
    _seen: bool = False

    def excuses(self, admitted: int, *, lone: bool, slow: bool) -> bool:
        """Whether a refusal counts for nothing.

        Args:
            admitted: How many had ever been let in before.
            lone: Whether nothing but the pace can be its reason.
            slow: Whether the server is known to take a higher pace: then neither can that.
        """
        since, self._admitted = admitted - self._admitted, admitted
        self._left = min(MOST, self._left + SHARE * max(0, since))
        self._seen = lone and since >= FEWEST and self._left >= 1 and (self._seen or slow)
        self._left -= self._seen
        return self._seen
