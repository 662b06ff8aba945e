"""Which rows have set out and not yet told how that ended.

A kill leaves whole files that no row owns up to: the notes say whose they may be. Rows that set
out together share one note, which goes when the last of them has landed. Blocking; runs inside
the transactions of the journal, whose table of rows tells what has landed since.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import repeat
from typing import TYPE_CHECKING

from step_tts._batch._keys import KEY_BYTES
from step_tts._batch._records import Begun

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from step_tts._batch._records import Claim

__all__ = ["TABLE", "Notes"]

TABLE = """
CREATE TABLE notes (number INTEGER PRIMARY KEY, at REAL, since INTEGER, keys, requests, stood)
"""
# Of the rows that have landed, those after ``since`` landed after the note: a row that is
# replaced gets a new number above all others.
_NOTE = """
INSERT INTO notes (at, since, keys, requests, stood)
SELECT ?, coalesce(max(rowid), 0), ?, ?, ? FROM rows
"""
_LANDED = "SELECT 1 FROM rows WHERE key = ? AND rowid > ?"


class Notes:
    """The notes of one journal."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.left: dict[str, tuple[bytes, Begun]] = {}
        """What earlier runs left behind, by key."""
        self._note_of: dict[str, int] = {}
        """The last note of each key that is still out."""
        self._out: dict[int, int] = {}
        """How many are, of each note."""
        self._over: list[int] = []
        """Notes of which none is."""
        notes = db.execute("SELECT * FROM notes ORDER BY number").fetchall()
        for number, at, since, keys, requests, stood in notes:
            there = json.loads(stood)
            out: list[str] = []
            for place, key in enumerate(json.loads(keys)):
                if not db.execute(_LANDED, (key, since)).fetchone():
                    request = requests[KEY_BYTES * place :][:KEY_BYTES]
                    self.left[key] = request, Begun(at, there.get(key))
                    out.append(key)
            self._set_out(number, out)

    def tidy(self) -> None:
        """Notes of which no row is out are dropped."""
        for number in self._over:
            self._db.execute("DELETE FROM notes WHERE number = ?", (number,))
        self._over.clear()

    def begun(self, claim: Claim) -> Begun | None:
        """What an earlier run noted of this very row and left at that."""
        request, begun = self.left.get(claim[0], (None, None))
        return begun if request == claim[1] else None

    def add(self, at: float, claims: Sequence[Claim], stood: Mapping[str, str | None]) -> None:
        """Note rows that set out, and by key what stands in their place (see ``identity``)."""
        if not claims:
            return
        keys = [key for key, _ in claims]
        requests = b"".join([request for _, request in claims])
        note = at, json.dumps(keys), requests, json.dumps(stood)
        number = self._db.execute(_NOTE, note).lastrowid or 0
        self._set_out(number, keys)
        self.tidy()

    def land(self, keys: Sequence[str]) -> None:
        """Rows have told how they ended: the journal has them."""
        self._take_in(keys)
        self.tidy()

    def _set_out(self, number: int, keys: Sequence[str]) -> None:
        self._take_in(keys)
        noted = dict.fromkeys(keys, number)
        self._note_of.update(noted)
        if noted:
            self._out[number] = len(noted)
        else:
            self._over.append(number)

    def _take_in(self, keys: Sequence[str]) -> None:
        """However many notes there are: rows that arrive singly have one each."""
        landed = Counter(filter(None, map(self._note_of.pop, keys, repeat(None))))
        for number, count in landed.items():
            self._out[number] -= count
            if not self._out[number]:
                del self._out[number]
                self._over.append(number)
