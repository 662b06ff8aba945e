"""Which requests are finished, so that none is paid for twice.

Digests come in no order: each group of rows touches an index of a million of them all over, and
the index costs more than the rows (measured: docs/explanation/journal.md). So the latest are held
in memory and sorted into their table many at a time; when a journal is opened, those that are not
in it yet are read from the rows. Blocking; runs inside the transactions of the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from step_tts._batch._records import COLUMNS
from step_tts._batch._statements import execute_for

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from step_tts._batch._records import Columns

__all__ = ["TABLE", "Requests"]

# The number is a row's ``rowid``. A row that is replaced gets a new one and leaves the old here.
TABLE = """
CREATE TABLE requests (request, number, PRIMARY KEY (request, number)) WITHOUT ROWID
"""
# Rows, which take 1.5 MB at most. Twice as many write a third less, a row among a million.
AT_ONCE = 8192
_SORTED_TO = "SELECT value FROM facts WHERE name = 'sorted'"
_LAST = "SELECT coalesce(max(rowid), 0) FROM rows"
_LATEST = "SELECT request, key FROM rows WHERE rowid > ? AND path IS NOT NULL"
_SORT = """
INSERT INTO requests
SELECT request, rowid FROM rows WHERE rowid > ? AND path IS NOT NULL ORDER BY request
"""
_NOTE = "INSERT OR REPLACE INTO facts VALUES ('sorted', ?)"
_KNOWN = """
SELECT column1 FROM (VALUES {})
WHERE EXISTS (SELECT 1 FROM requests WHERE request = column1)
"""
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM rows WHERE path IS NOT NULL AND request = :request"  # noqa: S608  our own column names
_IN_TABLE = "SELECT number FROM requests WHERE request = :request"
_ROWS = f"{_SELECT} AND (key = :key OR rowid IN ({_IN_TABLE})) LIMIT 8"
_UNSORTED_ROWS = f"{_SELECT} AND rowid > :sorted_to LIMIT 8"


class Requests:
    """The finished requests of one journal."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        found = db.execute(_SORTED_TO).fetchone()
        self._sorted_to = int(found[0]) if found else 0
        """The last row that may be in the table."""
        self._unsorted = self._last() - self._sorted_to
        """How many rows came after it, at most."""
        self._latest: dict[bytes, str] = dict(db.execute(_LATEST, (self._sorted_to,)))
        """Their requests, and the key of one row of each."""

    def known(self, requests: Sequence[bytes]) -> set[bytes]:
        """Those of these requests that some row has finished, as far as is known."""
        known = self._latest.keys() & requests
        if self._sorted_to:
            marks = [(bytearray(request),) for request in requests]
            known.update(request for (request,) in execute_for(marks, self._db, _KNOWN))
        return known

    def rows(self, request: bytes) -> Iterator[Columns]:
        """Some rows that have finished a request; more than one, since a file may be gone."""
        key = self._latest.get(request)
        yield from self._db.execute(_ROWS, {"request": request, "key": key})
        if key is not None:
            sought = {"request": request, "sorted_to": self._sorted_to}
            yield from self._db.execute(_UNSORTED_ROWS, sought)

    def add(self, rows: int, finished: Mapping[bytes, str]) -> None:
        """Note how many rows were put in, and by key which requests they finished."""
        self._latest.update(finished)
        self._unsorted += rows
        if self._unsorted >= AT_ONCE:
            self._sort()

    def _sort(self) -> None:
        last = self._last()
        self._db.execute(_SORT, (self._sorted_to,))
        self._db.execute(_NOTE, (last,))
        self._sorted_to, self._unsorted = last, 0
        self._latest.clear()

    def _last(self) -> int:
        (last,) = self._db.execute(_LAST).fetchone()
        return int(last)
