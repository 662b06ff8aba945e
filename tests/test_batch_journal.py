"""The journal: what is committed stays, what it cannot do it says."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import step_tts
from step_tts import SpeechRequest
from step_tts._batch import _journal, _journal_reader
from step_tts._batch._async_journal import AsyncJournal
from step_tts._batch._journal import JOURNAL_NAME, JournalFile
from step_tts._batch._keys import request_key
from step_tts._batch._records import Facts, Finding, Found, Record, unpacked
from step_tts._batch._refusals import refusal


def done(key: str, request: bytes = b"r", path: str | None = None) -> Record:
    path = path or f"{key}.wav"
    return Record(request, Facts(key), path, len(request), 1.5)


def test_no_spoken_text_is_kept(tmp_path: Path) -> None:
    """Only digests, names and facts."""
    assert set(Record._fields) & {"text", "input"} == set()


def test_a_journal_is_flushed_down_to_the_disk(tmp_path: Path) -> None:
    """On macOS that must be asked for; elsewhere it is ``fsync`` all the same."""
    journal = JournalFile(tmp_path, {})
    assert journal._db.execute("PRAGMA fullfsync").fetchone() == (1,)
    journal.close()


def test_totals_are_by_state(tmp_path: Path) -> None:
    """Rows and seconds."""
    journal = JournalFile(tmp_path, {})
    journal.record([done("a"), done("b"), Record(b"", Facts("c"))])
    assert journal.totals() == (2, 1, 3.0)
    journal.close()


def test_to_record_no_rows_is_nothing(tmp_path: Path) -> None:
    """No error, and no flush."""
    journal = JournalFile(tmp_path, {})
    before = journal._db.total_changes
    journal.record([])
    assert (journal.totals(), journal._db.total_changes) == ((0, 0, 0.0), before)
    journal.close()


def test_rows_are_found_by_name_however_they_lie(tmp_path: Path) -> None:
    """In order, out of order, and with many others between."""
    journal = JournalFile(tmp_path, {})
    journal.record([Record(b"r", Facts(f"{n:02}")) for n in range(20)])
    for keys in (["03", "04"], ["04", "03"], ["00", "19"], []):
        found = journal.look_up([(key, b"r") for key in keys])
        assert [
            each.failed.name for each in found if isinstance(each, Finding) and each.failed
        ] == keys
    journal.close()


def test_rows_that_are_done_are_found_by_number_however_their_names_lie(tmp_path: Path) -> None:
    """Those of this request whose file is in place; by name 100 lies between 10 and 11."""
    journal = JournalFile(tmp_path, {})
    records = [done(f"{n}-x")._replace(place=n) for n in (8, 9, 10, 11, 100)]
    for record in records[:-1]:
        (tmp_path / str(record.path)).write_bytes(record.request)
    journal.record([*records, Record(b"r", Facts("12-x"), place=12), done("13-x")])
    asked = {8: b"other", **dict.fromkeys((9, 10, 12, 13, 100), b"r")}
    assert list(journal.done(asked)) == [9, 10]
    journal.close()


def test_it_tells_a_run_that_ended_from_one_that_was_killed(tmp_path: Path) -> None:
    """Of a first run there is nothing to tell."""
    for ended_before in (False, True):
        journal = JournalFile(tmp_path, {})
        assert journal.ended_before is ended_before
        journal.close()
    JournalFile(tmp_path, {})._db.close()
    journal = JournalFile(tmp_path, {})
    assert not journal.ended_before
    journal.close()


def test_a_failed_group_leaves_nothing_behind(tmp_path: Path) -> None:
    """All of it or none."""
    journal = JournalFile(tmp_path, {})
    nothing: Any = object()
    bad = done("b")._replace(seconds=nothing)
    with pytest.raises(step_tts.SaveError):
        journal.record([done("a"), bad])
    assert list(journal.rows()) == []
    journal.close()


def test_another_version_is_refused(tmp_path: Path) -> None:
    """Before anything is misread."""
    JournalFile(tmp_path, {}).close()
    with sqlite3.connect(tmp_path / JOURNAL_NAME) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(step_tts.SaveError, match="99"):
        JournalFile(tmp_path, {})


def test_a_journal_with_other_digests_is_refused(tmp_path: Path) -> None:
    """No row of it would be found again, and each be paid for again.

    Whoever changes the digest raises the version of the journal.
    """
    digests = {6: "a83b0799d82f2bde6edca825c35ab70a"}
    key = request_key(SpeechRequest("Hello"), model="m", placement="nested")
    assert (key or b"").hex() == digests[_journal_reader.SCHEMA]
    JournalFile(tmp_path, {}).close()
    with sqlite3.connect(tmp_path / JOURNAL_NAME) as other:
        other.execute("PRAGMA user_version = 1")
    other.close()
    with pytest.raises(step_tts.SaveError, match="this one uses 6"):
        JournalFile(tmp_path, {})


RUN = """
import os, sys
from pathlib import Path
from step_tts._batch._journal import JournalFile

here, held = Path(sys.argv[1]), Path(sys.argv[1]) / "held"
print("ready", flush=True)
for _ in sys.stdin:
    journal = JournalFile(here, {}, patience=30.0)
    os.close(os.open(held, os.O_CREAT | os.O_EXCL))
    held.unlink()
    journal.close()
    print("done", flush=True)
"""


def test_two_runs_at_once_take_turns(tmp_path: Path) -> None:
    """Never both, and neither waits for ever; whether the journal is new or there already."""
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    first, second = (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        for _ in range(2)
    )
    with first, second:
        for said in (b"ready\n", *[b"done\n"] * 12):
            for run in (first, second):
                assert run.stdout
                assert run.stdout.readline() == said
            for run in (first, second):
                assert run.stdin
                run.stdin.write(b"go\n")


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    """And says how to start over."""
    (tmp_path / JOURNAL_NAME).write_bytes(b"not a database, and long enough to see it" * 99)
    with pytest.raises(step_tts.SaveError, match="move it away"):
        JournalFile(tmp_path, {})


def test_a_directory_that_cannot_hold_it_is_named(tmp_path: Path) -> None:
    """Here because something else stands there."""
    (tmp_path / JOURNAL_NAME).mkdir()
    with pytest.raises(step_tts.SaveError) as caught:
        JournalFile(tmp_path, {})
    assert str(tmp_path) in str(caught.value.filename)


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (sqlite3.SQLITE_FULL, errno.ENOSPC),
        (sqlite3.SQLITE_READONLY, errno.EROFS),
        (sqlite3.SQLITE_IOERR, errno.EIO),
        (sqlite3.SQLITE_MISUSE, 0),
    ],
)
def test_the_systems_reasons_keep_their_numbers(code: int, number: int) -> None:
    """A full disk is told as one."""
    error = sqlite3.OperationalError("words")
    error.sqlite_errorcode = code
    refused = refusal(error, Path("d"), Path("d/j"))
    assert isinstance(refused, step_tts.SaveError)
    assert refused.errno == number


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_and_what_was_committed_stays(tmp_path: Path) -> None:
    """The page limit of SQLite stands for the disk's."""
    journal = JournalFile(tmp_path, {})
    journal.record([done("a")])
    (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    many = [done(f"{number:0200}", b"x" * 16) for number in range(200)]
    with pytest.raises(step_tts.SaveError, match="No space left"):
        journal.record(many)
    assert [record.facts.name for record in unpacked(list(journal.rows()))] == ["a"]
    journal.close()


class JournalMachine(RuleBasedStateMachine):
    """A journal beside a dictionary, with kills between any two groups and inside one."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.journal = JournalFile(self.directory, {}, durable=False)
        self.rows: dict[str, tuple[bytes, str]] = {}
        self.flights: dict[str, bytes] = {}
        self.left: set[tuple[str, bytes]] = set()
        self.harmed: set[str] = set()

    names = st.sampled_from("abcde")
    requests = st.sampled_from([b"1" * 16, b"2" * 16, b"3" * 16])

    @rule(keys=st.sets(names, min_size=1), request=requests)
    def claim(self, keys: set[str], request: bytes) -> None:
        """What is done is found; so is what another row has; what began is known to have."""
        claims = [(name, request) for name in sorted(keys)]
        for (name, _), found in zip(claims, self.journal.claim(claims), strict=True):
            self._check(name, request, found)

    def _check(self, name: str, request: bytes, found: Found) -> None:
        known = self.rows.get(name)
        standing = {row for key, row in self.rows.items() if key not in self.harmed}
        if known == (request, "done") and name not in self.harmed:
            assert isinstance(found, tuple)
            assert unpacked([found])[0].facts.name == name
            return
        assert isinstance(found, Finding)
        assert (found.failed is not None) == (known == (request, "failed"))
        assert (found.twin is not None) == ((request, "done") in standing)
        assert (found.begun is not None) == ((name, request) in self.left)
        if (name, request) not in self.left:
            self.flights[name] = request

    @rule(name=names, request=requests, fails=st.booleans())
    def finish(self, name: str, request: bytes, fails: bool) -> None:
        """A row ends."""
        if fails:
            record = Record(request, Facts(name, error="X"))
        else:
            (self.directory / f"{name}.wav").write_bytes(request)
            record = done(name, request)
        self.harmed.discard(name)
        self.journal.record([record])
        self.rows[name] = (request, "done" if record.path else "failed")
        self.flights.pop(name, None)

    @rule(name=names, gone=st.booleans())
    def harm(self, name: str, gone: bool) -> None:
        """Somebody removes or alters a file: its row is not done any more."""
        path = self.directory / f"{name}.wav"
        if path.exists():
            self.harmed.add(name)
            if gone:
                path.unlink()
            else:
                path.write_bytes(b"other")

    @rule()
    def sort(self) -> None:
        """The requests that ended last join the others."""
        with self.journal._group("NORMAL"):
            self.journal._requests._sort()

    @precondition(lambda self: self.rows)
    @rule()
    def kill(self) -> None:
        """The files as they are at this moment, opened by another process."""
        self._reopen_copy()

    @rule(name=names, request=requests)
    def kill_inside_a_group(self, name: str, request: bytes) -> None:
        """What was not committed has not been."""
        self.journal._db.execute("BEGIN")
        self.journal._put([done(name, request)])
        self._reopen_copy()

    def _reopen_copy(self) -> None:
        copy = Path(tempfile.mkdtemp())
        shutil.copytree(self.directory, copy, dirs_exist_ok=True)
        self.journal._db.close()
        shutil.rmtree(self.directory)
        self.directory = copy
        self.journal = JournalFile(copy, {}, durable=False)
        self.left = set(self.flights.items())

    @invariant()
    def the_rows_are_those_that_were_committed(self) -> None:
        """No more and no fewer."""
        found = [record for row in self.journal.rows() for record in unpacked([row])]
        assert self.rows == {
            record.facts.name: (record.request, "done" if record.path else "failed")
            for record in found
        }

    def teardown(self) -> None:
        """Clean up."""
        self.journal.close()
        shutil.rmtree(self.directory)


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(max_examples=15, stateful_step_count=15)


def test_options_are_kept_as_json(tmp_path: Path) -> None:
    """They are compared by value."""
    JournalFile(tmp_path, {"name": "x", "repair": True}).close()
    JournalFile(tmp_path, json.loads('{"repair": true, "name": "x"}')).close()
    with pytest.raises(step_tts.BatchOptionsError, match="repair was True, now None"):
        JournalFile(tmp_path, {"name": "x"})


def test_a_file_is_never_stamped_before_the_moment_it_was_begun(tmp_path: Path) -> None:
    """Linux may stamp by its last tick: so it does where nobody has asked for the stamp before."""
    for number in range(50):
        begun = _journal._coarse_time()
        path = tmp_path / str(number)
        file = os.open(path, os.O_CREAT | os.O_WRONLY)
        os.write(file, b"sound")
        os.close(file)
        assert path.stat().st_mtime >= begun


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_thread_ends_with_a_journal_that_cannot_be_closed() -> None:
    """As with any other."""

    def close() -> None:
        threads.append(threading.current_thread())
        raise OSError(28, "full")

    threads: list[threading.Thread] = []
    journal: Any = SimpleNamespace(close=close)
    with pytest.raises(OSError, match="full"):
        await AsyncJournal(journal).aclose()
    threads[0].join(5)
    assert not threads[0].is_alive()
