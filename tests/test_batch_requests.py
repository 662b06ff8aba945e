"""Finished requests: found wherever they are kept, by few writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from step_tts._batch import _requests
from step_tts._batch._journal import JournalFile
from step_tts._batch._records import Facts, Finding, Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_requests, "AT_ONCE", 4)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[JournalFile]:
    journal = JournalFile(tmp_path, {})
    yield journal
    journal.close()


def request(number: int) -> bytes:
    return bytes([number]) * 16


def finish(journal: JournalFile, key: str, number: int) -> None:
    path = f"{key}.wav"
    (journal._directory / path).write_bytes(b"audio")
    journal.record([Record(request(number), Facts(key), path, 5)])


def twin(journal: JournalFile, number: int) -> str | None:
    """Whose file a new row with this request gets."""
    (found,) = journal.look_up([("new", request(number))])
    assert isinstance(found, Finding)
    return found.twin.facts.name if found.twin else None


def in_table(journal: JournalFile) -> int:
    (count,) = journal._db.execute("SELECT count(*) FROM requests").fetchone()
    return int(count)


def test_each_is_found_before_and_after_it_joins_the_table(journal: JournalFile) -> None:
    """They join it by so many at a time."""
    for number in range(10):
        finish(journal, f"row {number}", number)
        assert [twin(journal, each) for each in range(number + 2)] == [
            *(f"row {each}" for each in range(number + 1)),
            None,
        ]
    assert in_table(journal) == 8


def test_what_is_not_in_the_table_is_known_to_the_next_run(
    tmp_path: Path, journal: JournalFile
) -> None:
    """It is read from the rows."""
    for number in range(6):
        finish(journal, f"row {number}", number)
    journal.close()
    later = JournalFile(tmp_path, {})
    assert in_table(later) == 4
    assert [twin(later, number) for number in (1, 5)] == ["row 1", "row 5"]
    for number in (6, 7):
        finish(later, f"row {number}", number)
    assert in_table(later) == 8
    later.close()


@pytest.mark.parametrize("rows", [2, 6])
def test_where_a_file_is_gone_another_row_s_is_found(journal: JournalFile, rows: int) -> None:
    """Several rows may have finished one request."""
    for number in range(rows):
        finish(journal, f"row {number}", 7)
    for number in reversed(range(1, rows)):
        (journal._directory / f"row {number}.wav").unlink()
    assert twin(journal, 7) == "row 0"


@pytest.mark.parametrize("others", [0, 4])
def test_a_row_that_was_replaced_has_not_finished_its_old_request(
    journal: JournalFile, others: int
) -> None:
    """Whether that is in the table or not."""
    finish(journal, "row", 1)
    for number in range(others):
        finish(journal, f"other {number}", 50 + number)
    finish(journal, "row", 2)
    assert [twin(journal, number) for number in (1, 2)] == [None, "row"]


def test_rows_that_failed_count_as_rows(journal: JournalFile) -> None:
    """Or a run that begins after a million failures would read them all."""
    for number in range(4):
        journal.record([Record(request(number), Facts(f"row {number}"))])
    assert journal._requests._sorted_to == 4
    assert in_table(journal) == 0
    assert [twin(journal, number) for number in range(4)] == [None] * 4
