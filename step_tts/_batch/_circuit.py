"""When to stop a batch: if every further row would fail the same way.

Pure. A wrong key fails ten thousand rows; three are enough to know. Once a row has been spoken, the
key and the model are evidently good, and it takes ten failures in a row to say otherwise. A server
that is away is waited for, but if it has not spoken one row and failed ten, it is the wrong
address, or down for good. For a full disk one row is enough, since each further one would be paid
for and lost; so it is for a closed client.
"""

from __future__ import annotations

import errno

from step_tts._errors import (
    APIConnectionError,
    AuthenticationError,
    BatchStoppedError,
    InternalServerError,
    ModelUnavailableError,
    NotAudioError,
    NotFoundError,
    PermissionDeniedError,
    ProxyBlockedError,
    QuotaExceededError,
    RedirectError,
    SaveError,
    StepTTSError,
    UsageError,
)

__all__ = ["FATAL", "REMEDIES", "Circuit", "is_rows_own"]

FATAL = (
    AuthenticationError,
    ModelUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    ProxyBlockedError,
    QuotaExceededError,
    RedirectError,
    SaveError,
)
NOBODY_THERE = (APIConnectionError, InternalServerError, NotAudioError)
"""What a wrong address or a dead server brings; later, one that has spoken may come back."""
REMEDIES = {
    errno.ENOSPC: "Free some space, then start the same batch again",
    errno.EDQUOT: "Free some of your quota, then start the same batch again",
    errno.EROFS: "Make the directory writable, or use another",
    errno.EACCES: "Make the directory writable, or use another",
    errno.EIO: "Check the disk, then start the same batch again",
    errno.EMFILE: "Raise the limit on open files (ulimit -n), then start the same batch again",
}
"""What to try if no more files can be written, by errno."""
_FATAL_NAMES = frozenset(error.__name__ for error in FATAL)
FIRST, LATER = 3, 10


def is_rows_own(error: str | None) -> bool:
    """Whether a failure, by the name of its class, was the row's own fault.

    A wrong key or an empty account is not, so such a row is always retried.
    """
    return error not in _FATAL_NAMES


class Circuit:
    """Counts failures of one class in a row."""

    def __init__(self) -> None:
        self._spoken = False
        self._kind: type[StepTTSError] | None = None
        self._in_a_row = 0

    def note(self, error: StepTTSError | None) -> BatchStoppedError | None:
        """Count the outcome of a row that was sent; return an error if it is time to stop."""
        if error is None:
            self._spoken, self._kind, self._in_a_row = True, None, 0
            return None
        if isinstance(error, SaveError) and error.errno in REMEDIES:
            return _stopped(
                f"Stopped because no more audio could be saved: {error}. {REMEDIES[error.errno]}; "
                "finished rows are kept.",
                error,
            )
        if isinstance(error, UsageError):
            return _stopped(
                f"Stopped because every other row would fail the same way: {error}", error
            )
        enough = self._enough(error)
        if enough is None:
            self._kind, self._in_a_row = None, 0
            return None
        self._in_a_row = self._in_a_row + 1 if type(error) is self._kind else 1
        self._kind = type(error)
        if self._in_a_row < enough:
            return None
        return _stopped(
            f"Stopped after {self._in_a_row} consecutive rows failed the same way: {error}",
            error,
        )

    def _enough(self, error: StepTTSError) -> int | None:
        """How many in a row stop the batch, if any do."""
        if isinstance(error, FATAL):
            return LATER if self._spoken else FIRST
        return LATER if isinstance(error, NOBODY_THERE) and not self._spoken else None


def _stopped(words: str, error: StepTTSError) -> BatchStoppedError:
    stopped = BatchStoppedError(words)
    stopped.__cause__ = error
    return stopped
