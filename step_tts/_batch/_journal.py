"""The journal: one SQLite file in the directory that knows what became of every row.

Blocking, and used by one thread at a time. The file is held under SQLite's exclusive lock, which
is the lock of the run, spares the shared-memory file, and keeps clear of the WAL-reset bug that
takes two connections (SQLite 3.7.0 to 3.51.2). A kill at any moment leaves what was committed.

Rows are kept by name, folded, so that a file has one owner, and found by number as well, so that
what is done is found before it is named. Both mostly ascend, which keeps their trees in order and
the writes few. They are found by request too, so that none is paid for twice (see ``_requests``).
"""

from __future__ import annotations

import errno
import json
import random
import sqlite3
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from step_tts._batch import _notes, _requests
from step_tts._batch._journal_reader import JOURNAL_NAME, SCHEMA, JournalReader
from step_tts._batch._leftovers import identity
from step_tts._batch._records import COLUMNS, Finding, packed
from step_tts._batch._refusals import is_in_use
from step_tts._batch._statements import execute_for
from step_tts._errors import SaveError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from step_tts._batch._records import Claim, Columns, Found, Record

__all__ = ["JOURNAL_NAME", "Journal", "JournalFile"]

# A status command, or a run that is just ending, holds the lock for moments.
LOCK_PATIENCE_SECONDS = 2.0
RETRY_SECONDS = (0.002, 0.02)

_TABLES = f"""
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rows (key, {", ".join(COLUMNS)}, UNIQUE (key));
CREATE INDEX by_place ON rows (place) WHERE place >= 0;
{_notes.TABLE};
{_requests.TABLE};
PRAGMA user_version = {SCHEMA};
"""
_PUT = "INSERT OR REPLACE INTO rows VALUES {}"
_WAS_RUNNING = "SELECT 1 FROM facts WHERE name = 'running'"
_RUN = "INSERT OR REPLACE INTO facts VALUES ('running', '')"
_END = "DELETE FROM facts WHERE name = 'running'"
# Of clock_gettime(2), from <linux/time.h>: Python has no name for it.
_REALTIME_COARSE = 5


class Journal(Protocol):
    """What a run needs of a journal; blocking."""

    def done(self, asked: Mapping[int, bytes]) -> dict[int, Columns]:
        """Look up rows by number and digest."""
        ...

    def claim(self, claims: Sequence[Claim]) -> list[Found]:
        """Look up rows, and note those about to begin."""
        ...

    def record(self, records: Sequence[Record]) -> None:
        """Commit rows that have ended."""
        ...

    def close(self) -> None:
        """Let go of the lock."""
        ...


class JournalFile(JournalReader):
    """The journal of one directory, locked for one run, and made by the first.

    Raises:
        BatchInUseError: Another run has it.
        BatchOptionsError: It was begun with other options.
        SaveError: It cannot be opened or written, or is no journal.
    """

    def __init__(
        self,
        directory: Path,
        options: Mapping[str, object],
        *,
        durable: bool = True,
        patience: float = LOCK_PATIENCE_SECONDS,
    ) -> None:
        super().__init__(directory)
        self.ended_before = False
        """Whether a run was here before this one, and closed the journal."""
        self._sync = "FULL" if durable else "NORMAL"
        deadline = time.monotonic() + patience
        with self._translated():
            while not self._has_opened(options, last=time.monotonic() >= deadline):
                time.sleep(random.uniform(*RETRY_SECONDS))  # noqa: S311

    def claim(self, claims: Sequence[Claim]) -> list[Found]:
        """Look up rows, and note those about to begin.

        The note needs no flush of its own: the file it could claim is flushed after it, and a
        lost note costs one clip that was in flight.

        Raises:
            SaveError: The disk is full, the directory is gone, or the like.
        """
        with self._group("NORMAL"):
            found = self._found(claims)
            self._note(claims, found)
        return found

    def record(self, records: Sequence[Record]) -> None:
        """Commit rows that have ended.

        Raises:
            SaveError: The disk is full, the directory is gone, or the like.
        """
        if not records:
            return
        with self._group(self._sync):
            self._put(records)

    def close(self) -> None:
        """Note that the run has ended, and let go of it."""
        with suppress(sqlite3.Error):
            self._db.execute(_END)
        super().close()

    def _has_opened(self, options: Mapping[str, object], *, last: bool) -> bool:
        """Whether the lock was free.

        Of two that open at once each may hold what the other needs. SQLite then refuses at once,
        whatever its timeout; so here whoever waits lets go of everything meanwhile.
        """
        self._db = sqlite3.connect(
            self._path, timeout=0.0, isolation_level=None, check_same_thread=False
        )
        try:
            self._open(options)
        except BaseException as error:
            self._db.close()
            if last or not (isinstance(error, sqlite3.Error) and is_in_use(error)):
                raise
            return False
        return True

    def _open(self, options: Mapping[str, object]) -> None:
        # The lock mode comes first: WAL would make its shared-memory file otherwise. The last is
        # for macOS, where SQLite else flushes no further than into the drive's memory.
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "fullfsync = ON"):
            self._db.execute(f"PRAGMA {pragma}").fetchone()
        with self._transaction("IMMEDIATE"):
            if self._has_begun(options):
                self.ended_before = not self._db.execute(_WAS_RUNNING).fetchone()
            else:
                self._create(options)
            self._db.execute(_RUN)
            self._notes.tidy()
        self._identity = self._seen()

    def _create(self, options: Mapping[str, object]) -> None:
        for statement in _TABLES.strip().split(";\n"):
            self._db.execute(statement)
        self._db.execute("INSERT INTO facts VALUES ('options', ?)", (json.dumps(options),))
        self._take_up()

    def _put(self, records: Sequence[Record]) -> None:
        rows = packed(records)
        execute_for(rows, self._db, _PUT)
        keys = [key for key, *_ in rows]
        self._notes.land(keys)
        kept = zip(records, keys, strict=True)
        self._requests.add(len(keys), {each.request: key for each, key in kept if each.path})

    def _note(self, claims: Sequence[Claim], found: Sequence[Found]) -> None:
        """Note the rows that set out now. Who set out before keeps the note of that."""
        setting_out = [
            (claim, finding.path)
            for claim, finding in zip(claims, found, strict=True)
            if isinstance(finding, Finding) and finding.begun is None
        ]
        stood = {key: identity(self._directory / path) for (key, _), path in setting_out if path}
        self._notes.add(_coarse_time(), [claim for claim, _ in setting_out], stood)

    def _seen(self) -> tuple[int, int] | None:
        with suppress(OSError):
            status = self._path.stat()
            return status.st_dev, status.st_ino
        return None

    def _check_still_there(self) -> None:
        """SQLite would go on writing into a file that nobody can find any more."""
        if self._seen() != self._identity:
            raise SaveError(
                errno.ENOENT,
                "The directory of the batch, or the journal in it, was removed while it ran. "
                "Start the batch again to create a new one",
                str(self._directory),
            )

    @contextmanager
    def _group(self, sync: str) -> Iterator[None]:
        """All of it or none, flushed to the disk if that is asked for."""
        with self._translated():
            self._check_still_there()
            self._db.execute(f"PRAGMA synchronous = {sync}")
            with self._transaction():
                yield

    @contextmanager
    def _transaction(self, kind: str = "") -> Iterator[None]:
        self._db.execute(f"BEGIN {kind}")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _coarse_time() -> float:
    """The clock that file systems stamp files by: a file begun later is never stamped earlier.

    Linux stamps by the clock of its last tick, some milliseconds back.
    """
    return time.clock_gettime(_REALTIME_COARSE) if sys.platform == "linux" else time.time()
