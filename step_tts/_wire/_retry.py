"""Whether to try again, and after how many seconds.

One pure function; the policy is a value, the random number is handed in. The rules and their
reasons are in docs/explanation/retries.md: full jitter spreads callers that failed together;
throttling starts from a longer base than a temporary failure; no wait is shorter than the server's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from step_tts._errors import RetryAdvice

if TYPE_CHECKING:
    from step_tts._errors import APIError
    from step_tts._policies import RetryPolicy

__all__ = ["next_delay"]

_SPREAD = 0.1  # of Retry-After is added at most, so that callers given the same value spread out
_DOUBLINGS = 64  # far beyond any cap; 2.0**1024 would overflow


def next_delay(
    policy: RetryPolicy,
    error: APIError,
    *,
    retries: int,
    billed_retries: int,
    throttled: int,
    throttled_for: float,
    random: float,
) -> float | None:
    """Return the seconds to wait before the next try, or ``None`` to give up.

    Args:
        policy: The rules.
        error: Why the last try failed.
        retries: Retries this call has made, not counting throttled ones.
        billed_retries: Of those, the ones after ``RetryAdvice.ONCE``.
        throttled: Times this call was throttled before this error.
        throttled_for: Seconds this call has spent being throttled.
        random: At least 0, less than 1.
    """
    waits = error.advice is RetryAdvice.THROTTLED
    if not _may_retry(policy, error, retries=retries, billed_retries=billed_retries):
        return None
    backoff = _backoff(policy, throttled if waits else retries, waits=waits) * random
    asked = error.retry_after or 0.0
    delay = max(backoff, asked * (1 + _SPREAD * random))
    return None if waits and throttled_for + delay > policy.patience else delay


def _may_retry(policy: RetryPolicy, error: APIError, *, retries: int, billed_retries: int) -> bool:
    if policy.max_retries == 0 or (error.retry_after or 0.0) > policy.max_retry_after:
        return False
    return {
        RetryAdvice.NEVER: False,
        RetryAdvice.ONCE: (
            retries < policy.max_retries and billed_retries < policy.max_billed_retries
        ),
        RetryAdvice.TRANSIENT: retries < policy.max_retries,
        RetryAdvice.THROTTLED: True,
    }[error.advice]


def _backoff(policy: RetryPolicy, tries: int, *, waits: bool) -> float:
    base = policy.throttle_base if waits else policy.base
    return min(base * 2.0 ** min(tries, _DOUBLINGS), policy.max_delay)
