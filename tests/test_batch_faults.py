"""A disk that fills up or takes nothing, a directory that goes away, a clock that jumps."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from batch_kit import Server, claim_of, options_of
from scripted import audio_in
from sounds import wav

import step_tts
from step_tts import BatchItem, BatchStoppedError, SaveError, inspect
from step_tts._batch import _journal
from step_tts._files import _temp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MANY = list(map(str, range(60)))


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a small file system of its own, where that is allowed."""
    place = tmp_path / "mounted"
    place.mkdir()

    def mounted(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"cannot mount here: {error}")
        return place

    yield mounted
    subprocess.run(["umount", str(place)], check=False, capture_output=True)


async def stopped(server: Server, to: Path, rows: list[str]) -> tuple[BaseException, list[str]]:
    """What broke a batch off, and the texts of the rows that were told as spoken before."""
    told = []
    with pytest.raises((BatchStoppedError, SaveError)) as caught:
        async with server.client() as tts:
            async with tts.batch(rows, to=to) as results:
                async for result in results:
                    told += [rows[result.index]] if result.ok else []
    return caught.value, told


async def goes_on(server: Server, to: Path, told: list[str]) -> None:
    """The next run pays for nothing that was told, and ends."""
    before = len(server.paid)
    results = await server.run(MANY, to)
    assert all(result.saved and inspect(result.saved.path).duration for result in results)
    assert not set(told) & set(server.paid[before:])
    assert not list(to.glob(".step_tts-*"))


async def test_a_full_disk_stops_the_batch(mount: Callable[[str], Path]) -> None:
    """On a real one: whole files or none, few rows paid in vain, and the next run goes on."""
    to, server = mount("size=400k"), Server(wav(4000))
    ballast = to / ".ballast"
    ballast.write_bytes(b"x" * 200_000)
    error, told = await stopped(server, to, MANY)

    assert "No space left" in str(error)
    assert "Free some space" in str(error)
    assert len(server.paid) <= len(told) + 8
    assert all(inspect(path).duration for path in audio_in(to))
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=4m", str(to)], check=True)
    await goes_on(server, to, told)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
async def test_audio_that_cannot_be_written_stops_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """At once, since each further row would be paid for and lost."""
    server, real = Server(), _temp._write_all

    def failing(fd: int, block: bytes) -> None:
        if len(server.paid) > 10 and bytes(block[:4]) == b"RIFF":
            raise OSError(number, os.strerror(number))
        real(fd, block)

    monkeypatch.setattr(_temp, "_write_all", failing)
    error, told = await stopped(server, tmp_path, MANY)

    assert isinstance(error, BatchStoppedError)
    assert isinstance(error.__cause__, SaveError)
    assert error.__cause__.errno == number
    assert "finished rows are kept" in str(error)
    assert len(server.paid) < 20
    monkeypatch.undo()
    await goes_on(server, tmp_path, told)


async def test_a_journal_that_cannot_be_written_ends_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it could not take is not told, and not lost: the next run finds the files."""
    server, real, groups = Server(), _journal.JournalFile._put, 0

    def full(journal: Any, records: Any) -> None:
        nonlocal groups
        groups += 1
        if groups > 2:
            (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
            journal._db.execute(f"PRAGMA max_page_count = {pages}")
            journal._db.execute("CREATE TABLE ballast AS SELECT zeroblob(9999) AS x")
        real(journal, records)

    # The page limit of SQLite stands for the disk's.
    monkeypatch.setattr(_journal.JournalFile, "_put", full)
    error, told = await stopped(server, tmp_path, MANY)

    assert isinstance(error, SaveError)
    assert error.errno == errno.ENOSPC
    assert "Free some space" in str(error)
    assert len(server.paid) < len(MANY)
    monkeypatch.undo()
    paid = list(server.paid)
    await goes_on(server, tmp_path, told)
    assert sorted(server.paid) == sorted(MANY), paid


@pytest.mark.parametrize("resume", [True, False])
async def test_a_directory_that_is_read_only_is_refused(
    mount: Callable[[str], Path], *, resume: bool
) -> None:
    """Before anything is paid for; on a mount, since root may write where modes forbid it."""
    to, server = mount("size=400k,ro"), Server()
    with pytest.raises(SaveError, match="or use another") as caught:
        await server.run(["a"], to, resume=resume)

    assert caught.value.filename == str(to)
    assert server.paid == []


async def test_a_directory_removed_during_the_run_is_noticed(tmp_path: Path) -> None:
    """SQLite would go on writing where nobody finds it."""
    to, server = tmp_path / "out", Server()
    with pytest.raises(SaveError, match="removed while it ran") as caught:
        async with server.client() as tts:
            async with tts.batch(MANY, to=to) as results:
                await anext(results)
                shutil.rmtree(to, ignore_errors=True)
                async for _ in results:
                    pass

    assert "again" in str(caught.value)
    assert caught.value.errno == errno.ENOENT
    assert len(server.paid) < len(MANY)
    await goes_on(server, to, [])


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
async def test_a_clock_that_jumps_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """During a run, and between two."""
    server, real, real_coarse = Server(), time.time, _journal._coarse_time
    async with server.client() as tts:
        async with tts.batch(MANY, to=tmp_path) as results:
            await anext(results)
            monkeypatch.setattr(time, "time", lambda: real() + jump)
            monkeypatch.setattr(_journal, "_coarse_time", lambda: real_coarse() + jump)
            assert len([result async for result in results if result.ok]) == len(MANY) - 1
    monkeypatch.undo()
    again = await server.run(MANY, tmp_path)

    assert all(result.resumed for result in again)
    assert sorted(server.paid) == sorted(MANY)


@pytest.mark.parametrize("jump", [-3600.0, 0.0])
async def test_a_clock_set_back_makes_no_old_file_a_new_one(tmp_path: Path, jump: float) -> None:
    """A row that was to be spoken anew, killed before it was, does not take its old audio."""
    server = Server()
    await server.run([BatchItem("old", name="x")], tmp_path)
    (old,) = audio_in(tmp_path)
    os.utime(old, (time.time() - jump, time.time() - jump))  # As if the clock had gone back since.
    journal = _journal.JournalFile(tmp_path, options_of())
    journal.claim([claim_of("new", "x")])
    journal.close()
    (result,) = await server.run([BatchItem("new", name="x")], tmp_path)

    assert server.paid == ["old", "new"]
    assert not result.resumed


async def test_a_clock_set_back_before_a_kill_costs_the_clips_in_flight(tmp_path: Path) -> None:
    """A file that seems older than its row is paid for again, rather than mistaken."""
    server = Server()
    journal = _journal.JournalFile(tmp_path, options_of())
    journal.claim([claim_of("a", "x")])
    journal.close()
    (tmp_path / "x.wav").write_bytes(wav())
    os.utime(tmp_path / "x.wav", (time.time() - 3600, time.time() - 3600))
    await server.run([BatchItem("a", name="x")], tmp_path)

    assert server.paid == ["a"]
    assert step_tts.inspect(tmp_path / "x.wav").duration
