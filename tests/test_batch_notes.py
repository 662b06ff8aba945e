"""Notes of rows that set out: kept until each has told how it ended."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from step_tts._batch._journal import JournalFile
from step_tts._batch._notes import TABLE, Notes
from step_tts._batch._records import Facts, Finding, Record

if TYPE_CHECKING:
    from pathlib import Path

REQUEST, OLD = b"r" * 16, b"o" * 16


def failed(key: str) -> Record:
    return Record(REQUEST, Facts(key))


def left(directory: Path, keys: str, request: bytes = REQUEST) -> str:
    """Which rows an earlier run is known to have left, after a kill of one that claims none."""
    journal = JournalFile(directory, {})
    found = journal.look_up([(key, request) for key in keys])
    journal._db.close()
    return "".join(
        k for k, f in zip(keys, found, strict=True) if isinstance(f, Finding) and f.begun
    )


def notes(directory: Path) -> int:
    journal = JournalFile(directory, {})
    (count,) = journal._db.execute("SELECT count(*) FROM notes").fetchone()
    journal.close()
    return int(count)


def test_rows_that_set_out_together_land_one_by_one(tmp_path: Path) -> None:
    """Their note goes with the last."""
    journal = JournalFile(tmp_path, {})
    journal.claim([(key, REQUEST) for key in "abc"])
    journal.record([failed("b")])
    journal.close()
    assert left(tmp_path, "abc") == "ac"

    journal = JournalFile(tmp_path, {})
    journal.claim([("a", REQUEST)])
    journal.record([failed("a"), failed("c")])
    journal.close()
    assert left(tmp_path, "abc") == ""
    assert notes(tmp_path) == 0


def test_a_record_from_before_the_note_is_not_how_it_ended(tmp_path: Path) -> None:
    """Nor is one after it overlooked, where it replaces the newest of all."""
    journal = JournalFile(tmp_path, {})
    journal.record([failed("a"), failed("b")])
    journal.claim([("a", REQUEST), ("b", REQUEST)])
    journal.record([failed("b")])
    journal.close()

    assert left(tmp_path, "ab") == "a"


def test_the_last_note_of_a_row_counts(tmp_path: Path) -> None:
    """Audio of the request it names now must not be taken for that of the other."""
    journal = JournalFile(tmp_path, {})
    journal.claim([("a", OLD), ("b", OLD)])
    journal.claim([("a", REQUEST)])
    journal.close()

    assert left(tmp_path, "ab", OLD) == "b"
    assert left(tmp_path, "ab", REQUEST) == "a"


def test_a_note_whose_rows_were_all_noted_anew_goes(tmp_path: Path) -> None:
    """Or it would stay for ever."""
    journal = JournalFile(tmp_path, {})
    journal.claim([("a", OLD)])
    journal.claim([("a", REQUEST)])
    journal.close()

    assert notes(tmp_path) == 1


class Key(str):
    """Counts how often it is looked up anywhere."""

    __slots__ = ()
    looks = 0

    def __hash__(self) -> int:
        Key.looks += 1
        return super().__hash__()


def test_the_cost_of_a_row_does_not_grow_with_the_notes() -> None:
    """Rows that arrive one by one have a note each."""
    db = sqlite3.connect(":memory:")
    db.execute(TABLE)
    db.execute("CREATE TABLE rows (key)")
    notes, keys = Notes(db), [Key(number) for number in range(200)]
    for key in keys:
        notes.add(0.0, [(key, REQUEST)], {})
    for key in keys:
        notes.land([key])
    assert Key.looks < 10 * len(keys)
    assert db.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    db.close()


def test_a_note_that_outlived_its_rows_goes() -> None:
    """Whatever kept it: nothing of it is out."""
    db = sqlite3.connect(":memory:")
    db.execute(TABLE)
    db.execute("CREATE TABLE rows (key)")
    Notes(db).add(0.0, [("a", REQUEST)], {})
    db.execute("INSERT INTO rows VALUES ('a')")
    notes = Notes(db)
    notes.tidy()
    assert notes.left == {}
    assert db.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    db.close()
