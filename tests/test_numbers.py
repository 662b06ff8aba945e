"""What is no number is no error here: it is no."""

from __future__ import annotations

import math

import pytest

from step_tts._numbers import is_at_least, is_count, is_positive

NO_NUMBERS = ["1", None, b"1", math.nan]


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_number(value: object) -> None:
    assert not is_positive(value)
    assert not is_at_least(value, 0)
    assert not is_count(value)


@pytest.mark.parametrize(
    ("value", "positive", "at_least_one", "count"),
    [
        (-1, False, False, False),
        (0, False, False, True),
        (0.5, True, False, False),
        (1, True, True, True),
        (1.5, True, True, False),
        (10**400, True, True, True),
        (math.inf, False, False, False),
    ],
)
def test_which_numbers_make_sense(
    value: float, positive: bool, at_least_one: bool, count: bool
) -> None:
    """The least itself does; infinity does not."""
    assert is_positive(value) is positive
    assert is_at_least(value, 1) is at_least_one
    assert is_count(value) is count
