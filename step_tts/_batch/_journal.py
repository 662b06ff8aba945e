"""The journal: one SQLite file in the directory that knows what became of every row.

Blocking, and used by one thread at a time. The file is held under SQLite's exclusive lock, which
is the lock of the run, spares the shared-memory file, and keeps clear of the WAL-reset bug that
takes two connections (SQLite 3.7.0 to 3.51.2). A kill at any moment leaves what was committed.

Rows are kept by name, so that a file has one owner, and found by request as well, so that no
request is paid for twice. Names mostly ascend, which keeps the tree in order and its writes few.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
import time
from contextlib import contextmanager, suppress
from itertools import chain
from typing import TYPE_CHECKING, Protocol, cast

from step_tts._batch._files import identity
from step_tts._batch._notes import TABLE, Notes
from step_tts._batch._records import NOTHING, Claim, Columns, Finding, Found, Record
from step_tts._batch._refusals import differing, is_in_use, refusal
from step_tts._errors import ConfigurationError, SaveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["JOURNAL_NAME", "Journal", "JournalFile"]

JOURNAL_NAME = ".step_tts.sqlite3"
# Raised with the tables, and with what ``_keys`` digests: no row would be found again.
SCHEMA = 3
# A status command, or a run that is just ending, holds the lock for moments.
LOCK_PATIENCE_SECONDS = 2.0
RETRY_SECONDS = (0.002, 0.02)

_KEY, _REQUEST, _STATE, _PATH, _SIZE = map(
    Record._fields.index, ("key", "request", "state", "path", "size")
)
_TABLES = f"""
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rows ({", ".join(Record._fields)}, UNIQUE (key));
CREATE INDEX by_request ON rows (request) WHERE state = 'done';
{TABLE};
PRAGMA user_version = {SCHEMA};
"""
# Statements for many rows: each row of "{}" becomes as many marks as there are rows. SQLite is
# stepped once for all of them, without the interpreter's lock, which the event loop wants.
_SELECT = f"SELECT {', '.join(Record._fields)} FROM rows"  # noqa: S608  our own column names
_OWN = f"{_SELECT} WHERE key IN ({{}})"
_RANGE = f"{_SELECT} WHERE key BETWEEN ? AND ? LIMIT ?"
_KNOWN = """
SELECT column1 FROM (VALUES {})
WHERE EXISTS (SELECT 1 FROM rows WHERE request = column1 AND state = 'done')
"""
_TWINS = f"{_SELECT} WHERE request = ? AND state = 'done' LIMIT 8"
_PUT = "INSERT OR REPLACE INTO rows VALUES {}"
_OTHER = (
    "The journal of the batch was begun by another version of step_tts ({}, where this one keeps "
    "{}): go on with that one, or move it away to begin anew"
)
# Of clock_gettime(2), from <linux/time.h>: Python has no name for it.
_REALTIME_COARSE = 5
# Of a power of two, so that there are few statements to compile, and such that 24 columns each
# stay below 999 variables, the limit of SQLite before 3.32.
_AT_ONCE = 32


class Journal(Protocol):
    """What a run needs of a journal; blocking."""

    def claim(self, claims: Sequence[Claim]) -> list[Found]:
        """Look up rows, and note those about to begin."""
        ...

    def record(self, records: Sequence[Record]) -> None:
        """Commit rows that have ended."""
        ...

    def close(self) -> None:
        """Let go of the lock."""
        ...


class JournalFile:
    """The journal of one directory, locked for one run; without options, one to be read.

    Raises:
        ConfigurationError: It is to be read, and there is nothing in it yet.
        BatchInUseError: Another run has it.
        BatchOptionsError: It was begun with other options.
        SaveError: It cannot be opened or written, or is no journal.
    """

    def __init__(
        self,
        directory: Path,
        options: Mapping[str, object] | None,
        *,
        durable: bool = True,
        patience: float = LOCK_PATIENCE_SECONDS,
    ) -> None:
        self._directory = directory
        self._path = directory / JOURNAL_NAME
        self._files = f"{directory}{os.sep}"
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
            found, setting_out = self._found(claims)
            self._notes.add(_coarse_time(), setting_out)
        return found

    def look_up(self, claims: Sequence[Claim]) -> list[Found]:
        """What is known of some rows; nothing is noted."""
        with self._translated():
            return self._found(claims)[0]

    def record(self, records: Sequence[Record]) -> None:
        """Commit rows that have ended.

        Raises:
            SaveError: The disk is full, the directory is gone, or the like.
        """
        with self._group(self._sync):
            self._put(records)

    def columns(self, names: Iterable[str]) -> Iterator[Columns]:
        """Some fields of every row's record, by name of the row."""
        with self._translated():
            yield from self._db.execute(f"SELECT {', '.join(names)} FROM rows ORDER BY key")  # noqa: S608  our own column names

    def totals(self) -> dict[str, tuple[int, float]]:
        """For each state: rows, and seconds of audio."""
        with self._translated():
            found = self._db.execute(
                "SELECT state, count(*), total(seconds) FROM rows GROUP BY state"
            )
            return {state: (rows, seconds) for state, rows, seconds in found}

    def close(self) -> None:
        """Fold the log into the file and let go of the lock."""
        with suppress(sqlite3.Error):
            self._db.close()

    def _has_opened(self, options: Mapping[str, object] | None, *, last: bool) -> bool:
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

    def _open(self, options: Mapping[str, object] | None) -> None:
        # The lock mode comes first: WAL would make its shared-memory file otherwise. The last is
        # for macOS, where SQLite else flushes no further than into the drive's memory.
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "fullfsync = ON"):
            self._db.execute(f"PRAGMA {pragma}").fetchone()
        with self._transaction("IMMEDIATE"):
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._create(options)
            elif version != SCHEMA:
                raise SaveError(0, _OTHER.format(version, SCHEMA), str(self._path))
            elif options is not None:
                differing(self._begun_with(), options, self._directory)
            self._notes = Notes(self._db)
        self._identity = self._seen()

    def _create(self, options: Mapping[str, object] | None) -> None:
        if options is None:
            raise ConfigurationError(f"{self._directory} holds no batch: none has begun there yet.")
        for statement in _TABLES.strip().split(";\n"):
            self._db.execute(statement)
        self._db.execute("INSERT INTO facts VALUES ('options', ?)", (json.dumps(options),))

    def _begun_with(self) -> dict[str, object]:
        (text,) = self._db.execute("SELECT value FROM facts WHERE name = 'options'").fetchone()
        return cast("dict[str, object]", json.loads(text))

    def _put(self, records: Sequence[Record]) -> None:
        self._many(_PUT, records)
        self._notes.land(record.key for record in records)

    def _found(self, claims: Sequence[Claim]) -> tuple[list[Found], list[tuple[Claim, str | None]]]:
        """What there is of each row; and those that set out now, with what stands in their place.

        Who set out before keeps the note of that.
        """
        own = self._own([key for key, _ in claims])
        found: list[Found] = []
        others: list[tuple[int, Claim, Columns | None]] = []
        for claim in claims:
            row = own.get(claim[0])
            if row and (row[_REQUEST], row[_STATE]) == (claim[1], "done") and self._is_whole(row):
                found.append(row)
            else:
                others.append((len(found), claim, row))
                found.append(NOTHING)
        if not others:
            return found, []
        known = {request for (request,) in self._many(_KNOWN, [(c[1],) for _, c, _ in others])}
        for place, claim, row in others:
            found[place] = self._unfinished(claim, row, claim[1] in known)
        setting_out = [
            (claim, identity(self._directory / row[_PATH]) if row and row[_PATH] else None)
            for _, claim, row in others
            if not self._notes.begun(claim)
        ]
        return found, setting_out

    def _own(self, keys: Sequence[str]) -> dict[str, Columns]:
        """The rows of these names.

        Names that ascend, as most do, are read in one walk, unless others lie between them.
        """
        most = len(keys) * 5 // 4 + 1
        if list(keys) == sorted(keys) and keys:
            found = self._db.execute(_RANGE, (keys[0], keys[-1], most)).fetchall()
            if len(found) < most:
                return {row[_KEY]: row for row in found}
        return {row[_KEY]: row for row in self._many(_OWN, [(key,) for key in keys])}

    def _unfinished(self, claim: Claim, own: Columns | None, known: bool) -> Finding:  # noqa: FBT001
        """What there is of a row that must still be obtained: mostly nothing."""
        begun = self._notes.begun(claim)
        if own is None and begun is None and not known:
            return NOTHING
        twins = self._db.execute(_TWINS, (claim[1],)) if known else ()
        twin = next(filter(self._is_whole, twins), None)
        failed = own if own and own[_REQUEST] == claim[1] and own[_STATE] == "failed" else None
        return Finding(
            failed=Record(*failed) if failed else None,
            twin=Record(*twin) if twin else None,
            begun=begun,
        )

    def _many(self, statement: str, rows: Sequence[Columns]) -> list[Columns]:
        """Execute a statement for many rows, in as few steps as may be."""
        found: list[Columns] = []
        start = 0
        while start < len(rows):
            count = min(_AT_ONCE, 1 << ((len(rows) - start).bit_length() - 1))
            block = rows[start : start + count]
            marks = ", ".join("?" * len(block[0]))
            row = f"({marks})" if "VALUES" in statement else marks
            values = list(chain.from_iterable(block))
            found += self._db.execute(statement.format(", ".join([row] * count)), values)
            start += count
        return found

    def _is_whole(self, row: Columns) -> bool:
        """Whether a record's file stands where it was put, as long as it was."""
        try:
            size = os.stat(f"{self._files}{row[_PATH]}").st_size  # noqa: PTH116  a Path costs more than the call
        except OSError:
            return False
        return bool(size == row[_SIZE])

    def _seen(self) -> tuple[int, int] | None:
        with suppress(OSError):
            status = self._path.stat()
            return status.st_dev, status.st_ino
        return None

    def _check_still_there(self) -> None:
        """SQLite would go on writing into a file that nobody can find any more."""
        if self._seen() != self._identity:
            raise SaveError(
                0,
                "The directory of the batch was removed while it ran, with what was finished. "
                "Start the batch again to make it anew",
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

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise refusal(error, self._directory, self._path) from error


def _coarse_time() -> float:
    """The clock that file systems stamp files by: a file begun later is never stamped earlier.

    Linux stamps by the clock of its last tick, some milliseconds back.
    """
    return time.clock_gettime(_REALTIME_COARSE) if sys.platform == "linux" else time.time()
