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
    """How many characters take as much of the rate as one call."""

    usual: float | None = None
    """Of a text of the usual length; ``None`` where every call takes the same."""
    _odds: float = 0.0
    """Of characters, as a logarithm. Never below even: a limit may be another from now on."""

    def refused(self, characters: int, mean: float, square: float) -> None:
        """Note that a text was refused, beside the mean length of all and that of its square."""
        if not characters or not square:
            return
        odds = self._odds + math.log(characters * characters / square)
        self._odds = min(SURE, max(0.0, odds))
        if odds < UNSURE:
            self.usual = None
        elif odds >= SURE and self.usual is None:
            self.usual = mean
