"""Whether a value is a number, and in range.

It may be anything: types are not checked at run time, and values from the environment are text.
Says only yes or no; the caller raises the error.
"""

from __future__ import annotations

import math

__all__ = ["is_at_least", "is_count", "is_positive"]


def is_positive(value: object) -> bool:
    """Whether this is a finite number above 0."""
    return isinstance(value, (int, float)) and 0 < value < math.inf


def is_at_least(value: object, least: float) -> bool:
    """Whether this is a finite number, not below ``least``."""
    return isinstance(value, (int, float)) and least <= value < math.inf


def is_count(value: object, least: int = 0) -> bool:
    """Whether this is a whole number, not below ``least``."""
    return isinstance(value, int) and value >= least
