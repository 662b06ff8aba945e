"""Why a journal cannot be used, and what to do about it.

Pure, except that it knows the types of SQLite's errors, which do not leave this module.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from typing import TYPE_CHECKING

from step_tts._batch._circuit import REMEDIES
from step_tts._errors import BatchInUseError, BatchOptionsError, SaveError, StepTTSError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["differing", "is_in_use", "refusal"]

_ERRNO = {
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_READONLY: errno.EROFS,
}


def is_in_use(error: sqlite3.Error) -> bool:
    """Whether another run has the lock."""
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def refusal(error: sqlite3.Error, directory: Path, journal: Path) -> StepTTSError:
    """SQLite's error as one of ours."""
    code = _code(error)
    if is_in_use(error):
        return BatchInUseError(
            f"Another run is using {directory}: wait for it to end, or use another directory."
        )
    if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return SaveError(
            0, "The journal of the batch is damaged: move it away to start over", str(journal)
        )
    number = _ERRNO.get(code, 0)
    reason = os.strerror(number) if number else str(error)
    remedy = REMEDIES.get(number, "Start the same batch again")
    return SaveError(
        number,
        f"The journal of the batch cannot be written: {reason}. {remedy}; finished rows are kept",
        str(journal),
    )


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def differing(begun: Mapping[str, object], asked: Mapping[str, object], directory: Path) -> None:
    """Compare the options of a directory's batch with those of now.

    Raises:
        BatchOptionsError: They differ; the message names all that do.
    """
    names = sorted(begun.keys() | asked.keys())
    pairs = {name: (begun.get(name), asked.get(name)) for name in names}
    differences = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if differences:
        told = ", ".join(f"{name} was {a!r}, now {b!r}" for name, (a, b) in differences.items())
        refused = BatchOptionsError(
            f"{directory} holds a batch with other options: {told}. Use the same options to "
            "resume it, another directory to start over, or resume=False to do without a journal."
        )
        refused.differences = differences
        raise refused
