"""The books of a call: attempts, times, and how often it may still try."""

from __future__ import annotations

import pytest

from step_tts._call._ledger import Ledger
from step_tts._errors import (
    APIConnectionError,
    EmptyAudioError,
    InternalServerError,
    RateLimitError,
    RetryAdvice,
)
from step_tts._policies import RetryPolicy

POLICY = RetryPolicy(max_retries=3, max_billed_retries=1, patience=10)


def test_every_attempt_has_its_line() -> None:
    """Times are told apart: queueing, waiting, working."""
    ledger = Ledger(100.0)
    ledger.sent(105.0, queued=5.0)
    ledger.status_code, ledger.request_id = 500, "as it came"
    first = ledger.ended(107.0, InternalServerError("It failed.", request_id="r-1"))
    pause = ledger.pause_after(InternalServerError("x"), POLICY, 107.0, 1.0)
    ledger.sent(108.0, queued=0.5)
    ledger.heard(108.25)
    ledger.ended(109.0, None)

    assert pause == 0.5
    assert (first.number, first.outcome, first.reason) == (1, "InternalServerError", "It failed.")
    assert (first.status_code, first.request_id, first.seconds) == (500, "r-1", 2.0)
    receipt = ledger.receipt(110.0, "abc")
    assert (receipt.queued, receipt.first_byte, receipt.total) == (5.5, 0.25, 10.0)
    assert receipt.sha256 == "abc"
    assert receipt.attempts[1].waited == 0.5
    assert receipt.request_id is None


def test_an_errors_own_request_id_counts_where_no_header_gave_one() -> None:
    """Relays put it into the message."""
    ledger = Ledger(0)
    ledger.sent(0, 0)

    assert ledger.ended(1, APIConnectionError("x", request_id="r-2")).request_id == "r-2"


def test_an_error_leaves_with_all_attempts() -> None:
    """What only the books know is added; what the error knows stays."""
    ledger = Ledger(0)
    ledger.sent(0, 0)
    ledger.status_code, ledger.request_id = 200, "r-1"
    error = EmptyAudioError("x", request_id="mine")
    ledger.ended(1, error)

    assert ledger.complete(error) is error
    assert (error.status_code, error.request_id, len(error.attempts)) == (200, "mine", 1)
    assert ledger.complete(EmptyAudioError("y")).request_id == "r-1"


def test_retries_are_counted_by_kind() -> None:
    """Passing faults, billed ones, and throttling each have their own bound."""
    ledger = Ledger(0)
    billed = APIConnectionError("x", advice=RetryAdvice.ONCE)

    assert ledger.pause_after(billed, POLICY, 0, 0.5) is not None
    assert ledger.pause_after(billed, POLICY, 0, 0.5) is None
    ledger = Ledger(0)
    pauses = [ledger.pause_after(InternalServerError("x"), POLICY, 0, 0.5) for _ in range(4)]
    assert pauses[:3] == pytest.approx([0.25, 0.5, 1.0])
    assert pauses[3] is None


def test_throttling_is_bounded_by_patience_from_its_first_time() -> None:
    """Not by a number of tries."""
    ledger = Ledger(0)
    throttled = RateLimitError("x")

    granted = [ledger.pause_after(throttled, POLICY, 50.0 + n, 0.1) for n in range(9)]
    assert None not in granted
    assert ledger.pause_after(throttled, POLICY, 61.0, 0.1) is None
    assert ledger.pause_after(InternalServerError("x"), POLICY, 61.0, 0.1) is not None
