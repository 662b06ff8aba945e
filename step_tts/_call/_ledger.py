"""What has happened to one call so far: attempts, times, and how often it may still try.

Keeps the record for ``_call``; decides nothing and waits for nothing. Times are handed in, in
seconds of one monotonic clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from step_tts._attempt import Attempt
from step_tts._errors import APIError, RetryAdvice
from step_tts._models import Receipt
from step_tts._wire import next_delay

if TYPE_CHECKING:
    from step_tts._policies import RetryPolicy

__all__ = ["Ledger"]


@attrs.define
class Ledger:
    """The record of one call."""

    started_at: float
    attempts: list[Attempt] = attrs.field(factory=list)
    """Those that have ended."""
    status_code: int | None = None
    """The latest attempt's; so are the next two and the time it was sent."""
    request_id: str | None = None
    first_byte: float = 0.0
    _sent_at: float = 0.0
    queued: float = 0.0
    """Over all attempts."""
    _waited: float = 0.0
    """The pause before the next attempt, or the one under way."""
    _retries: int = 0
    _billed_retries: int = 0
    """How many of those followed a failure that was probably billed."""
    _throttled: int = 0
    """How many attempts the server put off; they are not among the retries."""
    _throttled_since: float | None = None

    def sent(self, now: float, queued: float) -> None:
        """An attempt begins."""
        self._sent_at, self.queued = now, self.queued + queued
        self.status_code = self.request_id = None

    def heard(self, now: float) -> None:
        """Note the attempt's first piece of checked audio."""
        self.first_byte = now - self._sent_at

    def seconds(self, now: float) -> float:
        """How long the attempt under way has taken."""
        return now - self._sent_at

    def ended(self, now: float, error: APIError | None) -> Attempt:
        """An attempt has ended: record it."""
        attempt = Attempt(
            number=len(self.attempts) + 1,
            outcome=type(error).__name__ if error else "ok",
            reason=error.message if error else None,
            status_code=self.status_code,
            request_id=(error.request_id if error else None) or self.request_id,
            waited=self._waited,
            seconds=self.seconds(now),
        )
        self.attempts.append(attempt)
        return attempt

    def pause_after(
        self, error: APIError, policy: RetryPolicy, now: float, random: float
    ) -> float | None:
        """Seconds until the next attempt, or ``None`` to give up; counts what it grants."""
        throttled = error.advice is RetryAdvice.THROTTLED
        if throttled and self._throttled_since is None:
            self._throttled_since = now
        pause = next_delay(
            policy,
            error,
            retries=self._retries,
            billed_retries=self._billed_retries,
            throttled=self._throttled,
            throttled_for=now - (now if self._throttled_since is None else self._throttled_since),
            random=random,
        )
        self._throttled += throttled
        self._retries += not throttled
        self._billed_retries += error.advice is RetryAdvice.ONCE
        self._waited = pause or 0.0
        return pause

    def complete(self, error: APIError) -> APIError:
        """Add what only the record knows to an error on its way out."""
        error.attempts = tuple(self.attempts)
        error.request_id = error.request_id or self.request_id
        error.status_code = error.status_code or self.status_code
        return error

    def receipt(self, now: float, sha256: str | None = None) -> Receipt:
        """How the audio was obtained, as of now."""
        return Receipt(
            request_id=self.request_id,
            attempts=tuple(self.attempts),
            queued=self.queued,
            first_byte=self.first_byte,
            total=now - self.started_at,
            sha256=sha256,
        )
