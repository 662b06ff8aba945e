"""Whether what was given is a number that makes sense.

Whatever was given: types are not checked when a program runs, and what an environment holds is
text. Says yes or no; the error, with its words, is for whoever asks.
"""

from __future__ import annotations

import math

__all__ = ["is_at_least", "is_count", "is_positive"]


def is_positive(value: object) -> bool:
    """Whether this is a finite number above 0."""
    return isinstance(value, (int, float)) and 0 < value < math.inf


def is_at_least(value: object, least: float) -> bool:
    """Whether this is a finite number, and not below the least."""
    return isinstance(value, (int, float)) and least <= value < math.inf


def is_count(value: object, least: int = 0) -> bool:
    """Whether this is a whole number, and not below the least."""
    return isinstance(value, int) and value >= least
