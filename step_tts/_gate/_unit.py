"""What a server counts: requests, or the characters of their texts.

Pure. A bucket of characters that is nearly empty refuses long texts and still takes short ones;
one of requests does not look at the length. So each refusal is weighed by the square of the text's
length: beside the mean square of all texts, that is how much likelier it makes characters. Where
requests are counted it is one on average, whatever the texts, and a product of it seldom grows.
"""

from __future__ import annotations

import math

import attrs

__all__ = ["Unit"]

# To one, as a logarithm: one refusal in a thousand deceives, and then some seven more undo it. Of
# texts from 10 to 150 characters a dozen or two are needed.
SURE = math.log(1000)
UNSURE = SURE / 2


@attrs.define
class Unit:
    """What a call takes of the rate, in calls of the usual length."""

    _odds: float = 0.0
    """Of characters, as a logarithm. Never below even: a limit may be another from now on."""
    _usual: float | None = None
    """Characters that take as much as one call; ``None`` where every call takes the same."""

    def cost(self, characters: int) -> float:
        """Of a call with a text of so many characters."""
        return characters / self._usual if self._usual else 1.0

    def refused(self, characters: int, mean: float, square: float) -> None:
        """Note that a text was refused, beside the mean length of all and that of its square."""
        if not characters or not square:
            return
        odds = self._odds + math.log(characters * characters / square)
        self._odds = min(SURE, max(0.0, odds))
        if odds < UNSURE:
            self._usual = None
        elif odds >= SURE and self._usual is None:
            self._usual = mean
