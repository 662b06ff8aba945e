from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from step_tts._errors import APIError, RetryAdvice
from step_tts._policies import RetryPolicy
from step_tts._wire import next_delay

NEVER, ONCE = RetryAdvice.NEVER, RetryAdvice.ONCE
TRANSIENT, THROTTLED = RetryAdvice.TRANSIENT, RetryAdvice.THROTTLED

POLICY = RetryPolicy(
    max_retries=3,
    max_billed_retries=1,
    base=0.5,
    throttle_base=1.0,
    max_delay=20.0,
    max_retry_after=120.0,
    patience=300.0,
)
ALMOST_ONE = math.nextafter(1.0, 0.0)


def delay(
    advice: RetryAdvice,
    *,
    policy: RetryPolicy = POLICY,
    retry_after: float | None = None,
    retries: int = 0,
    billed: int = 0,
    throttled: int = 0,
    throttled_for: float = 0.0,
    random: float = 0.5,
) -> float | None:
    error = APIError("It failed.", advice=advice, retry_after=retry_after)
    return next_delay(
        policy,
        error,
        retries=retries,
        billed_retries=billed,
        throttled=throttled,
        throttled_for=throttled_for,
        random=random,
    )


@pytest.mark.parametrize(
    ("retries", "seconds"), [(0, 0.25), (1, 0.5), (2, 1.0), (3, None), (99, None)]
)
def test_passing_faults_back_off_from_the_short_base(retries: int, seconds: float | None) -> None:
    """Half of 0.5, 1 and 2 seconds, then the end."""
    assert delay(TRANSIENT, retries=retries) == seconds


@pytest.mark.parametrize(
    ("throttled", "seconds"), [(0, 0.5), (1, 1.0), (4, 8.0), (5, 10.0), (2000, 10.0)]
)
def test_throttling_backs_off_from_the_long_base_to_the_cap(throttled: int, seconds: float) -> None:
    """Half of 1, 2, 16 and then of the cap, for as long as patience lasts."""
    assert delay(THROTTLED, throttled=throttled, retries=99) == seconds


@pytest.mark.parametrize(("random", "seconds"), [(0.0, 0.0), (0.25, 0.125), (ALMOST_ONE, 0.5)])
def test_jitter_is_full(random: float, seconds: float) -> None:
    """The random number is the share of the back-off that is waited."""
    assert delay(TRANSIENT, random=random) == pytest.approx(seconds)


@pytest.mark.parametrize("retry_after", [None, 0.0, 1.0])
def test_never_means_never(retry_after: float | None) -> None:
    """No header of the server makes a hopeless call worth its price."""
    assert delay(NEVER, retry_after=retry_after) is None


@pytest.mark.parametrize(
    ("billed", "retries", "expected"), [(0, 0, 0.25), (1, 1, None), (0, 3, None)]
)
def test_billed_failures_have_a_bound_of_their_own(
    billed: int, retries: int, expected: float | None
) -> None:
    """One retry that may be paid twice, and only within all retries."""
    assert delay(ONCE, billed=billed, retries=retries) == expected


def test_billed_retries_can_be_turned_off_alone() -> None:
    """A caller may refuse to pay twice and still ride out passing faults."""
    thrifty = RetryPolicy(max_billed_retries=0)
    assert delay(ONCE, policy=thrifty) is None
    assert delay(TRANSIENT, policy=thrifty) is not None


@pytest.mark.parametrize("advice", RetryAdvice)
def test_no_retries_means_none_of_any_kind(advice: RetryAdvice) -> None:
    """Zero turns throttled tries off as well."""
    assert delay(advice, policy=RetryPolicy(max_retries=0)) is None


@pytest.mark.parametrize("advice", [ONCE, TRANSIENT, THROTTLED])
@pytest.mark.parametrize(
    ("retry_after", "random", "expected"),
    [
        (10.0, 0.0, 10.0),
        (10.0, 0.5, 10.5),
        (0.0, 0.0, 0.0),
        (120.0, 0.0, 120.0),
        (120.1, 0.0, None),
        (1e9, 0.0, None),
    ],
)
def test_the_servers_own_wait_is_kept_up_to_a_limit(
    advice: RetryAdvice, retry_after: float, random: float, expected: float | None
) -> None:
    """Never less than asked, up to a tenth more, and a longer wait than allowed ends the call."""
    assert delay(advice, retry_after=retry_after, random=random) == expected


def test_backoff_wins_over_a_shorter_wait_of_the_server() -> None:
    """Retry-After: 0 is a lower bound, not an order to hammer."""
    assert delay(THROTTLED, retry_after=0.0, throttled=3) == 4.0


@pytest.mark.parametrize(
    ("throttled_for", "expected"), [(0.0, 10.0), (290.0, 10.0), (290.1, None), (300.0, None)]
)
def test_patience_bounds_the_time_spent_throttled(
    throttled_for: float, expected: float | None
) -> None:
    """The wait to come counts: a wait that cannot pay off is not begun."""
    actual = delay(THROTTLED, retry_after=10.0, throttled_for=throttled_for, random=0.0)
    assert actual == expected


def test_patience_does_not_bound_other_retries() -> None:
    """A call that was throttled long may still retry a passing fault."""
    assert delay(TRANSIENT, throttled_for=1e6) is not None


policies = st.builds(
    RetryPolicy,
    max_retries=st.integers(0, 10),
    max_billed_retries=st.integers(0, 5),
    base=st.floats(1e-6, 1e3),
    throttle_base=st.floats(1e-6, 1e3),
    max_delay=st.floats(1e-3, 1e4),
    max_retry_after=st.floats(1e-3, 1e4),
    patience=st.floats(1e-3, 1e6),
)


@given(
    policy=policies,
    advice=st.sampled_from(RetryAdvice),
    retry_after=st.none() | st.floats(0, 1e6),
    retries=st.integers(0, 5000),
    billed=st.integers(0, 10),
    throttled=st.integers(0, 5000),
    throttled_for=st.floats(0, 1e6),
    random=st.floats(0, ALMOST_ONE),
)
def test_any_delay_is_within_its_bounds(
    *,
    policy: RetryPolicy,
    advice: RetryAdvice,
    retry_after: float | None,
    retries: int,
    billed: int,
    throttled: int,
    throttled_for: float,
    random: float,
) -> None:
    """A finite wait, at least what was asked, at most the caps, and only while rules allow."""
    seconds = delay(
        advice,
        policy=policy,
        retry_after=retry_after,
        retries=retries,
        billed=billed,
        throttled=throttled,
        throttled_for=throttled_for,
        random=random,
    )
    if seconds is None:
        return
    assert advice is not NEVER
    assert policy.max_retries > 0
    assert advice is THROTTLED or retries < policy.max_retries
    assert (retry_after or 0.0) <= seconds
    assert seconds <= max(policy.max_delay, 1.1 * (retry_after or 0.0))
    assert advice is not THROTTLED or throttled_for + seconds <= policy.patience
