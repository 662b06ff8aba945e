"""What a journal knows, for whoever may look but not write.

Blocking. A journal that nobody works on is read where nothing can be written too; nothing in it
or beside it is made or changed. ``_journal`` adds what a run does with it.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

from step_tts._batch._notes import Notes
from step_tts._batch._records import COLUMNS, NOTHING, Columns, Finding, Found, unpacked
from step_tts._batch._refusals import differing, refusal
from step_tts._batch._requests import Requests
from step_tts._batch._statements import execute_for
from step_tts._errors import SaveError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from step_tts._batch._records import Claim

__all__ = ["JOURNAL_NAME", "JournalReader", "read_journal"]

JOURNAL_NAME = ".step_tts.sqlite3"
# Raised with the tables, and with what ``_keys`` digests: no row would be found again.
SCHEMA = 6

_COLUMNS = ", ".join(COLUMNS)
_SELECT = f"SELECT {_COLUMNS} FROM rows"  # noqa: S608  our own column names
_WITH_KEY = f"SELECT {_COLUMNS}, key FROM rows"  # noqa: S608  the same
_OWN = f"{_WITH_KEY} WHERE key IN ({{}})"
_RANGE = f"{_WITH_KEY} WHERE key BETWEEN ? AND ? LIMIT ?"
_DONE = f"{_SELECT} WHERE place >= 0 AND place BETWEEN ? AND ? AND path IS NOT NULL LIMIT ?"
_OTHER = (
    "The journal of this batch was started by another version of step_tts (format {}, where this "
    "one uses {}): continue with that version, or move the journal away to start over"
)
_IN_A_LOG = (
    "The last changes of this batch are in a log that can only be read where it can be written: a "
    "run is in progress there, or was killed. Wait for it to end, or copy the directory elsewhere"
)
_REQUEST, _PATH, _SIZE, _PLACE = map(COLUMNS.index, ("request", "path", "size", "place"))


class JournalReader:
    """The journal of one directory.

    Raises:
        BatchInUseError: A run has it.
        BatchOptionsError: It was begun with other options.
        SaveError: It cannot be read, or is no journal.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / JOURNAL_NAME
        self._files = f"{directory}{os.sep}"
        self._notes: Notes
        self._requests: Requests
        self._db: sqlite3.Connection

    def open(self, options: Mapping[str, object] | None) -> bool:
        """Whether a batch has begun here; with these options, if any are given."""
        with self._translated():
            self._db = sqlite3.connect(self._address(), timeout=0.0, isolation_level=None, uri=True)
            try:
                self._db.execute("PRAGMA locking_mode = EXCLUSIVE").fetchone()
                return self._has_begun(options)
            except BaseException:
                self._db.close()
                raise

    def look_up(self, claims: Sequence[Claim]) -> list[Found]:
        """What is known of some rows."""
        with self._translated():
            return self._found(claims)

    def done(self, asked: Mapping[int, bytes]) -> dict[int, Columns]:
        """Which of some rows are done, by ``place``; they are asked for in that order, by digest.

        Rows that are named by their numbers need no name for that.
        """
        places = list(asked)
        with self._translated():
            rows = self._db.execute(_DONE, (places[0], places[-1], 2 * len(asked))).fetchall()
        return {
            row[_PLACE]: row
            for row in rows
            if asked.get(row[_PLACE]) == row[_REQUEST] and self._is_whole(row)
        }

    def rows(self) -> Iterator[Columns]:
        """All there are, by name."""
        with self._translated():
            yield from self._db.execute(f"{_SELECT} ORDER BY key")

    def totals(self) -> tuple[int, int, float]:
        """Rows that are done, rows that failed, and seconds of audio."""
        with self._translated():
            found = self._db.execute("SELECT count(path), count(*), total(seconds) FROM rows")
            done, rows, seconds = found.fetchone()
            return done, rows - done, seconds

    def close(self) -> None:
        """Let go of it."""
        with suppress(sqlite3.Error):
            self._db.close()

    def _address(self) -> str:
        """Where nothing can be written, SQLite can neither lock a journal nor read its log."""
        uri = self._path.absolute().as_uri()
        if os.access(self._directory, os.W_OK) and os.access(self._path, os.W_OK):
            return f"{uri}?mode=rw"
        log = self._path.with_name(f"{JOURNAL_NAME}-wal")
        if log.exists() and log.stat().st_size:
            raise SaveError(errno.EROFS, _IN_A_LOG, str(log))
        return f"{uri}?immutable=1"

    def _has_begun(self, options: Mapping[str, object] | None) -> bool:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            return False
        if version != SCHEMA:
            raise SaveError(0, _OTHER.format(version, SCHEMA), str(self._path))
        if options is not None:
            differing(self._begun_with(), options, self._directory)
        self._take_up()
        return True

    def _take_up(self) -> None:
        self._notes, self._requests = Notes(self._db), Requests(self._db)

    def _begun_with(self) -> dict[str, object]:
        (text,) = self._db.execute("SELECT value FROM facts WHERE name = 'options'").fetchone()
        return cast("dict[str, object]", json.loads(text))

    def _found(self, claims: Sequence[Claim]) -> list[Found]:
        """What there is of each row."""
        own = self._own([key for key, _ in claims])
        done = {
            (key, request): own[key]
            for key, request in claims
            if key in own and own[key][_REQUEST] == request and self._is_whole(own[key])
        }
        known = self._requests.known([claim[1] for claim in claims if claim not in done])
        if not (own or known or self._notes.left):
            return [NOTHING] * len(claims)
        return [
            done.get(claim) or self._unfinished(claim, own.get(claim[0]), claim[1] in known)
            for claim in claims
        ]

    def _own(self, keys: Sequence[str]) -> dict[str, Columns]:
        """The rows of these names.

        Names that ascend, as most do, are read in one walk, unless others lie between them.
        """
        most = len(keys) * 5 // 4 + 1
        if list(keys) == sorted(keys) and keys:
            found = self._db.execute(_RANGE, (keys[0], keys[-1], most)).fetchall()
            if len(found) < most:
                return {row[-1]: row[:-1] for row in found}
        return {row[-1]: row[:-1] for row in execute_for([(key,) for key in keys], self._db, _OWN)}

    def _unfinished(self, claim: Claim, own: Columns | None, known: bool) -> Finding:  # noqa: FBT001
        """What there is of a row that must still be obtained: mostly nothing."""
        begun = self._notes.begun(claim)
        if own is None and begun is None and not known:
            return NOTHING
        twins = self._requests.rows(claim[1]) if known else ()
        twin = next(filter(self._is_whole, twins), None)
        failed = own if own and own[_REQUEST] == claim[1] and not own[_PATH] else None
        return Finding(
            failed=unpacked([failed])[0].facts if failed else None,
            twin=unpacked([twin])[0] if twin else None,
            begun=begun,
            path=own[_PATH] if own else None,
        )

    def _is_whole(self, row: Columns) -> bool:
        """Whether a record's file stands where it was put, as long as it was.

        One whose name the encoding of the locale does not have cannot be looked at. It was put
        there in another locale, and nobody pays for it again.
        """
        size: int | None = row[_SIZE]
        try:
            return os.stat(f"{self._files}{row[_PATH]}").st_size == size  # noqa: PTH116  a Path costs more than the call
        except OSError:
            return False
        except UnicodeEncodeError:
            return True

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise refusal(error, self._directory, self._path) from error


def read_journal(
    directory: Path, options: Mapping[str, object] | None = None
) -> JournalReader | None:
    """The journal of a directory, to be looked into and closed; ``None`` where no batch has begun.

    Raises:
        BatchInUseError: A run has it.
        BatchOptionsError: It was begun with other options.
        SaveError: It cannot be read, or is no journal.
    """
    reader = JournalReader(directory)
    if not (directory / JOURNAL_NAME).is_file():
        return None
    if reader.open(options):
        return reader
    reader.close()
    return None
