"""Policies: which choices make sense, and the short forms of them."""

from __future__ import annotations

import math
from typing import Any

import attrs
import pytest

from step_tts._errors import ConfigurationError
from step_tts._policies import (
    Concurrency,
    Rate,
    RetryPolicy,
    Timeouts,
    at_least,
    chosen_concurrency,
    chosen_rate,
    chosen_retry,
    chosen_timeouts,
    in_range,
)


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(Timeouts)])
@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, "30"])
def test_deadlines_must_be_positive_and_finite(field: str, value: float) -> None:
    """``None`` turns one off; zero would turn the client off."""
    with pytest.raises(ValueError, match=f"^{field} must be a positive number of seconds"):
        Timeouts(**{field: value})
    assert getattr(Timeouts(**{field: None}), field) is None


SECONDS = ["base", "throttle_base", "max_delay", "max_retry_after", "patience"]


@pytest.mark.parametrize("field", SECONDS)
@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, "30"])
def test_waits_must_be_positive_and_finite(field: str, value: float) -> None:
    """A policy that cannot be obeyed is refused where it is written."""
    options: dict[str, Any] = {field: value}
    with pytest.raises(ValueError, match=f"^{field} must be a positive number of seconds"):
        RetryPolicy(**options)


@pytest.mark.parametrize("field", ["minimum", "maximum", "initial"])
def test_a_bound_of_concurrency_cannot_be_left_out(field: str) -> None:
    """``None`` says that nothing is fixed; it is no bound."""
    options: dict[str, Any] = {field: None}
    with pytest.raises(ConfigurationError, match=f"{field} must be a whole number, 1 or more"):
        Concurrency(**options)


@pytest.mark.parametrize("field", ["max_retries", "max_billed_retries"])
def test_counts_must_not_be_negative(field: str) -> None:
    """Zero is off; less is a mistake."""
    with pytest.raises(ValueError, match=f"^{field} must be a whole number, 0 or more, not -1"):
        RetryPolicy(**{field: -1})
    assert getattr(RetryPolicy(**{field: 0}), field) == 0


def test_one_bound_of_concurrency_moves_the_start() -> None:
    """Whoever names one need not name the others."""
    assert Concurrency().initial == 4
    assert Concurrency(maximum=2) == Concurrency(initial=2, minimum=1, maximum=2)
    assert Concurrency(minimum=6).initial == 6


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(Concurrency)])
@pytest.mark.parametrize("value", [0, 2.5, "8"])
def test_bounds_of_concurrency_are_whole_numbers(field: str, value: Any) -> None:
    """Those too by which a start is chosen that is not said."""
    with pytest.raises(
        ConfigurationError, match=f"^concurrency: {field} must be a whole number, 1 or more"
    ):
        Concurrency(**{field: value})


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(Rate)])
@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, "30"])
def test_rates_must_be_positive_and_finite(field: str, value: Any) -> None:
    """What the environment holds is text until somebody converts it."""
    with pytest.raises(ConfigurationError, match=f"^rate: {field} must be a positive number"):
        Rate(**{field: value})


@pytest.mark.parametrize("number", [0, 2.5, "8"])
def test_the_most_at_once_is_a_whole_number(number: Any) -> None:
    """Refused where the client is made, not where its first call waits."""
    with pytest.raises(ConfigurationError, match=r"^concurrency.* must be .*, not " + repr(number)):
        chosen_concurrency(number)


def test_a_bare_number_is_neither_a_rate_nor_a_policy_of_retries() -> None:
    """It would not say of what; the error names the class that does."""
    number: Any = 5
    with pytest.raises(ConfigurationError, match=r"^rate must be a step_tts.Rate, not 5"):
        chosen_rate(number)
    with pytest.raises(ConfigurationError, match=r"^retry must be a step_tts.RetryPolicy, not 5"):
        chosen_retry(number, None)
    assert (chosen_rate(None), chosen_retry(None, 3)) == (Rate(), RetryPolicy(max_retries=3))


def test_a_bare_number_of_seconds_is_the_whole_calls() -> None:
    """Most servers are silent until all is spoken: a longer call waits longer for a byte."""
    assert chosen_timeouts(None) == Timeouts()
    assert chosen_timeouts(60) == Timeouts(total=60)
    assert chosen_timeouts(300) == Timeouts(total=300, first_byte=300)


@pytest.mark.parametrize("number", [-0.1, 11, math.nan, "1"])
def test_a_number_out_of_its_range_is_refused_with_the_range(number: Any) -> None:
    """Both ends belong to it."""
    with pytest.raises(ConfigurationError, match=r"^pause must be from 0 to 10, not "):
        in_range("pause", number, most=10)
    assert in_range("pause", 0, most=10) == 0
    assert in_range("pause", 10, most=10) == 10


def test_a_range_without_an_end_names_its_least() -> None:
    """Infinity is no news."""
    with pytest.raises(ConfigurationError, match=r"^patience must be 0 or more, not -1"):
        in_range("patience", -1)
    assert in_range("patience", math.inf) == math.inf


@pytest.mark.parametrize("number", [0, 1.5, "8"])
def test_a_number_of_things_is_whole(number: Any) -> None:
    """Half a segment is no mistake of ours."""
    with pytest.raises(ConfigurationError, match=r"^ahead must be a whole number, 1 or more, not "):
        at_least("ahead", number, 1)
    assert at_least("ahead", 1, 1) == 1
