"""What a server counts: requests, or the characters of their texts.

Pure. A bucket of characters that is nearly empty refuses long texts and still takes short ones; a
bucket of requests does not look at their length. So each refusal is weighed by the square of its
text's length, divided by the mean square of all texts: that is how much more likely it makes
characters. Where requests are counted, the weight is one on average, whatever the texts, and the
product of many seldom grows.
"""

from __future__ import annotations

import math

import attrs

__all__ = ["Unit"]

# A thousand to one, as a logarithm: one refusal in a thousand misleads, and some seven more undo
# that. With texts from 10 to 150 characters, one or two dozen refusals are needed.
SURE = math.log(1000)
UNSURE = SURE / 2


@attrs.define
class Unit:
    """How many characters take as much of the rate as one call."""

    usual: float | None = None
    """Of a text of the usual length; ``None`` where every call takes the same."""
    _odds: float = 0.0
    """Of characters, as a logarithm. Never below even, since the limit may change at any time."""

    def refused(self, characters: int, mean: float, square: float) -> None:
        """Note that a text was refused; ``mean`` and ``square`` are means over all texts."""
        if not characters or not square:
            return
        odds = self._odds + math.log(characters * characters / square)
        self._odds = min(SURE, max(0.0, odds))
        if odds < UNSURE:
            self.usual = None
        elif odds >= SURE and self.usual is None:
            self.usual = mean
