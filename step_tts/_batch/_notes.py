"""Which rows have set out and not yet told how that ended.

A kill leaves whole files that no row owns up to: the notes say whose they may be. Rows that set
out together share one note, which goes when the last of them has landed. Blocking; runs inside
the transactions of the journal, whose table of rows tells what has landed since.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from step_tts._batch._records import Begun

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from step_tts._batch._records import Claim

__all__ = ["TABLE", "Notes"]

TABLE = """
CREATE TABLE notes (number INTEGER PRIMARY KEY, at REAL, since INTEGER, claims TEXT)
"""
# Of the rows that have landed, those after ``since`` landed after the note: a row that is
# replaced gets a new number above all others.
_NOTE = "INSERT INTO notes (at, since, claims) SELECT ?, coalesce(max(rowid), 0), ? FROM rows"
_LANDED = "SELECT 1 FROM rows WHERE key = ? AND rowid > ?"


class Notes:
    """The notes of one journal."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._left: dict[str, tuple[bytes, Begun]] = {}
        """What earlier runs left behind, by key."""
        self._note_of: dict[str, int] = {}
        notes = db.execute("SELECT * FROM notes ORDER BY number").fetchall()
        for number, at, since, claims in notes:
            for key, request, stood in json.loads(claims):
                if not db.execute(_LANDED, (key, since)).fetchone():
                    self._left[key] = bytes.fromhex(request), Begun(at, stood)
                    self._note_of[key] = number
        self._out = Counter(self._note_of.values())
        """How many rows of each note are still out."""
        self._drop({number for number, *_ in notes} - self._out.keys())

    def begun(self, claim: Claim) -> Begun | None:
        """What an earlier run noted of this very row and left at that."""
        request, begun = self._left.get(claim[0], (None, None))
        return begun if request == claim[1] else None

    def add(self, at: float, rows: Sequence[tuple[Claim, str | None]]) -> None:
        """Note rows that set out, each with what stands in its place (see ``identity``)."""
        if rows:
            claims = json.dumps([(key, request.hex(), stood) for (key, request), stood in rows])
            number = self._db.execute(_NOTE, (at, claims)).lastrowid or 0
            self.land(key for (key, _), _ in rows)  # A row has one note, the last.
            self._note_of.update((key, number) for (key, _), _ in rows)
            self._out[number] = len(rows)

    def land(self, keys: Iterable[str]) -> None:
        """Rows have told how they ended: the journal has them."""
        emptied = set()
        for key in keys:
            if number := self._note_of.pop(key, None):
                self._out[number] -= 1
                if not self._out[number]:
                    emptied.add(number)
        self._drop(emptied)

    def _drop(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._db.execute("DELETE FROM notes WHERE number = ?", (number,))
            del self._out[number]
