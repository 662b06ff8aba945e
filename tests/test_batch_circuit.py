"""When a batch is hopeless."""

from __future__ import annotations

import errno
import os

import pytest

from step_tts._batch._circuit import FATAL, NOBODY_THERE, Circuit
from step_tts._errors import (
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    NotFoundError,
    QuotaExceededError,
    SaveError,
    StepTTSError,
)


def rows_until_stopped(*errors: StepTTSError | None) -> int | None:
    """How many rows it took."""
    circuit = Circuit()
    for number, error in enumerate(errors, 1):
        if stopped := circuit.note(error):
            assert stopped.__cause__ is error
            return number
    return None


@pytest.mark.parametrize("kind", FATAL)
def test_three_alike_at_the_start_are_enough(kind: type[StepTTSError]) -> None:
    """Whatever the class, if every row would get it."""
    assert rows_until_stopped(*[kind("no")] * 9) == 3


def test_after_a_success_it_takes_ten_in_a_row() -> None:
    """And any other outcome begins the count anew."""
    no = QuotaExceededError("empty")
    assert rows_until_stopped(None, *[no] * 20) == 11
    assert rows_until_stopped(None, *[no] * 9, None, *[no] * 9, BadRequestError("x")) is None


@pytest.mark.parametrize("kind", NOBODY_THERE)
def test_ten_alike_before_any_row_is_spoken_are_a_wrong_address(kind: type[StepTTSError]) -> None:
    """Once a row has been spoken, the server was there and may come back."""
    assert rows_until_stopped(*[kind("away")] * 99) == 10
    assert rows_until_stopped(*[kind("away")] * 9, None, *[kind("away")] * 99) is None


def test_other_errors_are_the_rows_own() -> None:
    """And two kinds of fatal ones are not one."""
    assert rows_until_stopped(*[BadRequestError("no")] * 99) is None
    assert rows_until_stopped(*[AuthenticationError("a"), NotFoundError("b")] * 9) is None


@pytest.mark.parametrize(
    ("reason", "remedy"), [(errno.ENOSPC, "Free some space"), (errno.EMFILE, "ulimit -n")]
)
def test_a_disk_or_a_process_that_takes_no_more_is_known_from_one_row(
    reason: int, remedy: str
) -> None:
    """Each further row would be paid for and lost."""
    stopped = Circuit().note(SaveError(reason, os.strerror(reason)))
    assert remedy in str(stopped)


def test_a_mistake_of_the_calling_code_is_known_from_one_row() -> None:
    """No other row can do better on a client that is closed."""
    assert rows_until_stopped(None, ClientClosedError("closed"), None) == 2
