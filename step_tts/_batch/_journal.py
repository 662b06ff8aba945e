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
import sqlite3
import time
from contextlib import contextmanager, suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol, cast

import attrs

from step_tts._batch._records import Claim, Finding, Record
from step_tts._batch._refusals import differing, refusal
from step_tts._errors import SaveError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["JOURNAL_NAME", "Journal", "JournalFile"]

JOURNAL_NAME = ".step_tts.sqlite3"
SCHEMA = 1
# A status command, or a run that is just ending, holds the lock for moments.
LOCK_PATIENCE_SECONDS = 2.0

_COLUMNS = tuple(field.name for field in attrs.fields(Record))
_SIZE = _COLUMNS.index("size")
_values = attrgetter(*_COLUMNS)
_TABLES = f"""
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE flights (key TEXT PRIMARY KEY, request BLOB, began_at REAL) WITHOUT ROWID;
CREATE TABLE rows ({", ".join(_COLUMNS)}, PRIMARY KEY (key)) WITHOUT ROWID;
CREATE INDEX by_request ON rows (request) WHERE state = 'done';
PRAGMA user_version = {SCHEMA};
"""
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM rows"  # noqa: S608  our own column names
_OWN = f"{_SELECT} WHERE key = ? AND request = ?"
_TWINS = f"{_SELECT} WHERE request = ? AND state = 'done' LIMIT 8"
_FLIGHT = "SELECT began_at FROM flights WHERE key = ? AND request = ?"
_PUT = f"INSERT OR REPLACE INTO rows VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608  as above


class Journal(Protocol):
    """What a run needs of a journal; blocking."""

    def apply(self, records: Sequence[Record], claims: Sequence[Claim]) -> list[Finding]:
        """Commit finished rows, then look up and note those about to begin."""
        ...

    def close(self) -> None:
        """Let go of the lock."""
        ...


class JournalFile:
    """The journal of one directory, locked for one run.

    Raises:
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
        self._sync = "FULL" if durable else "NORMAL"
        with self._translated():
            self._db = sqlite3.connect(
                self._path,
                timeout=patience,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                self._open(options)
            except BaseException:
                self._db.close()
                raise

    def apply(self, records: Sequence[Record], claims: Sequence[Claim]) -> list[Finding]:
        """Commit finished rows, then look up and note those about to begin.

        The note needs no flush of its own: the file it could claim is flushed after it, and a
        lost note costs one clip that was in flight.

        Raises:
            SaveError: The disk is full, the directory is gone, or the like.
        """
        with self._translated():
            self._check_still_there()
            self._db.execute(f"PRAGMA synchronous = {self._sync if records else 'NORMAL'}")
            with self._transaction():
                self._put(records)
                findings = [self._find(claim) for claim in claims]
                self._note(claims, findings)
        return findings

    def look_up(self, claims: Sequence[Claim]) -> list[Finding]:
        """What is known of some rows; nothing is noted."""
        with self._translated():
            return [self._find(claim) for claim in claims]

    def records(self) -> Iterator[Record]:
        """Every row, by name."""
        with self._translated():
            for row in self._db.execute(f"{_SELECT} ORDER BY key"):
                yield Record(*row)

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

    def _open(self, options: Mapping[str, object] | None) -> None:
        # The lock mode comes first: WAL would make its shared-memory file otherwise.
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL"):
            self._db.execute(f"PRAGMA {pragma}").fetchone()
        with self._transaction("IMMEDIATE"):
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._create(options or {})
            elif version != SCHEMA:
                raise SaveError(
                    0, f"This journal is of another version of step_tts ({version})", self._path
                )
            elif options is not None:
                differing(self._begun_with(), options, self._directory)
        self._identity = self._seen()

    def _create(self, options: Mapping[str, object]) -> None:
        for statement in _TABLES.strip().split(";\n"):
            self._db.execute(statement)
        self._db.execute("INSERT INTO facts VALUES ('options', ?)", (json.dumps(options),))

    def _begun_with(self) -> dict[str, object]:
        (text,) = self._db.execute("SELECT value FROM facts WHERE name = 'options'").fetchone()
        return cast("dict[str, object]", json.loads(text))

    def _put(self, records: Sequence[Record]) -> None:
        self._db.executemany(_PUT, map(self._row, records))
        self._db.executemany("DELETE FROM flights WHERE key = ?", ((r.key,) for r in records))

    def _find(self, claim: Claim) -> Finding:
        row = self._db.execute(_OWN, (claim.key, claim.request)).fetchone()
        own = Record(*row) if row else None
        if own and own.state == "done" and self._whole(own):
            return Finding(own=own)
        twins = [Record(*row) for row in self._db.execute(_TWINS, (claim.request,))]
        twin = next(filter(self._whole, twins), None)
        failed = own if own and own.state == "failed" else None
        return Finding(own=failed, twin=twin, begun=self._begun(claim))

    def _begun(self, claim: Claim) -> float | None:
        for (began_at,) in self._db.execute(_FLIGHT, (claim.key, claim.request)):
            return cast("float", began_at)
        return None

    def _row(self, record: Record) -> list[object]:
        row = list(_values(record))
        row[_SIZE] = self._size(record) if record.path else None
        return row

    def _whole(self, record: Record) -> bool:
        """Whether a record's file stands where it was put, as long as it was."""
        return record.size is not None and self._size(record) == record.size

    def _size(self, record: Record) -> int | None:
        try:
            return os.stat(f"{self._directory}/{record.path}").st_size  # noqa: PTH116  a Path costs more than the call
        except OSError:
            return None

    def _note(self, claims: Sequence[Claim], findings: Sequence[Finding]) -> None:
        """Remember who sets out now; who set out before keeps the time of that."""
        self._db.executemany(
            "INSERT OR REPLACE INTO flights VALUES (?, ?, ?)",
            (
                (claim.key, claim.request, _coarse_time())
                for claim, found in zip(claims, findings, strict=True)
                if found.begun is None and not (found.own and found.own.state == "done")
            ),
        )

    def _seen(self) -> tuple[int, int] | None:
        with suppress(OSError):
            status = self._path.stat()
            return status.st_dev, status.st_ino
        return None

    def _check_still_there(self) -> None:
        """SQLite would go on writing into a file that nobody can find any more."""
        if self._seen() != self._identity:
            raise SaveError(
                0, "The directory of the batch was removed while it ran", str(self._directory)
            )

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
    """The clock that file systems stamp files by: a file begun later is never stamped earlier."""
    clock = getattr(time, "CLOCK_REALTIME_COARSE", None) or getattr(time, "CLOCK_REALTIME", None)
    return time.time() if clock is None else time.clock_gettime(clock)
