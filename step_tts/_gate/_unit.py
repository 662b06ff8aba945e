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
OTHER = 1.5  # times the usual length: a mean over the last fifty texts strays by a tenth at most


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

    def follow(self, mean: float) -> float:
        """Take another length as the usual one where the texts have become longer or shorter.

        It does not follow every mean, or it would stray with it, and the rate as well. If it stayed
        for good, chapters after titles would be taken for many calls each, and a wrong guess would
        slow them for good.

        Returns:
            How many calls of the new length take as much as one of the old.
        """
        if not self.usual or self.usual / OTHER < mean < self.usual * OTHER:
            return 1.0
        before, self.usual = self.usual, mean
        return before / mean if mean else 1.0
