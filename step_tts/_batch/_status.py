"""How far the batch in a directory is, running or not.

A running batch has its journal locked, so it writes its figures into a file beside it, at most once
a second. If the batch is not running, however it ended, the journal is read. Blocks.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import attrs

from step_tts._batch._journal_reader import read_journal
from step_tts._errors import BatchInUseError, ConfigurationError
from step_tts._files import replace_text

if TYPE_CHECKING:
    from pathlib import Path

    from step_tts._batch._journal_reader import JournalReader

__all__ = ["STATUS_NAME", "BatchStatus", "GateState", "StatusFile", "read_status"]

STATUS_NAME = ".step_tts.status.json"
INTERVAL_SECONDS = 1.0


@attrs.frozen(kw_only=True)
class BatchStatus:
    """The figures of a batch: of this run while it runs, of the directory otherwise."""

    running: bool
    done: int = 0
    """Rows with complete files."""
    failed: int = 0
    seconds: float = 0.0
    """Of audio."""
    pid: int | None = None
    """The process that runs it."""
    started_at: float | None = None
    """Seconds since 1970."""
    updated_at: float | None = None
    """Seconds since 1970."""
    in_flight: int | None = None
    """Attempts under way when these figures were written."""
    limit: int | None = None
    """How many there could be."""
    paused_until: float | None = None
    """When the pause ends that a server asked for, in seconds since 1970."""


class GateState(Protocol):
    """What a status file shows of a client's gate."""

    @property
    def in_flight(self) -> int:
        """How many hold a slot."""
        ...

    @property
    def limit(self) -> int:
        """How many may."""
        ...

    @property
    def paused_for(self) -> float:
        """Seconds until the shared pause ends; 0 without one."""
        ...


class StatusFile:
    """The figures of a running batch, written from time to time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._known = BatchStatus(running=True, pid=os.getpid(), started_at=time.time())
        self._done = self._failed = 0
        self._seconds = self._due = 0.0

    def look(self, gate: GateState) -> None:
        """Note the state of the gate."""
        pause = gate.paused_for
        self._known = attrs.evolve(
            self._known,
            in_flight=gate.in_flight,
            limit=gate.limit,
            paused_until=time.time() + pause if pause else None,
        )

    def count(self, *, done: int = 0, failed: int = 0, seconds: float = 0.0) -> None:
        """Add the outcome of some rows, and write the figures if that is due."""
        self._done += done
        self._failed += failed
        self._seconds += seconds
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + INTERVAL_SECONDS
            self._write()

    def remove(self) -> None:
        """The batch is no longer running."""
        with suppress(OSError):
            (self.directory / STATUS_NAME).unlink()

    def _write(self) -> None:
        now = attrs.evolve(
            self._known,
            done=self._done,
            failed=self._failed,
            seconds=self._seconds,
            updated_at=time.time(),
        )
        with suppress(OSError):  # Figures that cannot be written are no reason to stop.
            replace_text(self.directory / STATUS_NAME, [json.dumps(attrs.asdict(now))])


def read_status(directory: Path) -> BatchStatus:
    """How far the batch in a directory is.

    Raises:
        ConfigurationError: There is none.
        SaveError: Its journal cannot be read.
    """
    try:
        journal = read_journal(directory)
    except BatchInUseError:
        return _running(directory)
    if journal is None:
        raise ConfigurationError(f"{directory} holds no batch: none has been started there.")
    return _at_rest(journal)


def _at_rest(journal: JournalReader) -> BatchStatus:
    try:
        done, failed, seconds = journal.totals()
    finally:
        journal.close()
    return BatchStatus(running=False, done=done, failed=failed, seconds=seconds)


def _running(directory: Path) -> BatchStatus:
    try:
        return BatchStatus(**json.loads((directory / STATUS_NAME).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return BatchStatus(running=True)  # It has only just begun, or is from another version.
