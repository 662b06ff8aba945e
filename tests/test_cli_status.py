"""``step-tts status``, and what Ctrl-C leaves behind."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import time
from threading import Event
from typing import TYPE_CHECKING, NoReturn

import anyio
import attrs
import pytest
from cli_kit import contents, sandbox_in_env, seal, started, step_tts
from scripted import answer, audio_in, client, library
from sounds import wav

from step_tts import AsyncClient
from step_tts._batch._journal import JOURNAL_NAME, JournalFile
from step_tts._batch._records import Facts, Record
from step_tts._batch._status import STATUS_NAME, StatusFile
from step_tts.cli import _batch, _interrupts
from step_tts.cli._interrupts import interruptible, unless_interrupted

if TYPE_CHECKING:
    from pathlib import Path

LIB = library("httpx")


def test_a_directory_without_a_batch(tmp_path: Path) -> None:
    """Usage, not failure."""
    result = step_tts("status", tmp_path)
    assert result.exit_code == 2
    assert "holds no batch" in result.stderr


def test_a_batch_that_was_killed_before_it_began(tmp_path: Path) -> None:
    """Looking makes nothing: the options of a journal are those of the run that begins it."""
    (tmp_path / JOURNAL_NAME).touch()
    before = contents(tmp_path)
    result = step_tts("status", tmp_path)
    assert result.exit_code == 2
    assert "holds no batch" in result.stderr
    assert contents(tmp_path) == before
    for _ in range(2):
        JournalFile(tmp_path, {"name": "x"}).close()


def test_a_batch_that_does_not_run(tmp_path: Path) -> None:
    """The journal itself is asked, however the run ended."""
    journal = JournalFile(tmp_path, {})
    done = Record(b"r", Facts("a"), "a.wav", seconds=61.0)
    journal.record([done, Record(b"", Facts("b", 1))])
    journal.close()
    (tmp_path / STATUS_NAME).write_text('{"running": true, "done": 99}')
    assert step_tts("status", tmp_path).output == "not running: 1 done, 1 failed; 1:01 of audio\n"
    record = json.loads(step_tts("status", tmp_path, "--json").stdout)
    assert record == {"running": False, "done": 1, "failed": 1, "seconds": 61.0}


def test_a_batch_on_a_read_only_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking changes nothing, and so it needs no leave to."""
    journal = JournalFile(tmp_path, {})
    journal.record([Record(b"r", Facts("a"), "a.wav", seconds=61.0)])
    journal.close()
    seal(tmp_path, monkeypatch)
    before = contents(tmp_path)
    assert step_tts("status", tmp_path).output == "not running: 1 done, 0 failed; 1:01 of audio\n"
    assert contents(tmp_path) == before


def test_what_stands_in_a_log_needs_leave_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To read on without it would tell an old state for the last."""
    live, killed = tmp_path / "live", tmp_path / "killed"
    live.mkdir()
    journal = JournalFile(live, {})
    journal.record([Record(b"r", Facts("a"))])
    shutil.copytree(live, killed)
    journal.close()
    seal(killed, monkeypatch)
    before = contents(killed)
    result = step_tts("status", killed)
    assert result.exit_code == 1
    assert f"{JOURNAL_NAME}-wal" in result.stderr
    assert "copy the directory" in result.stderr
    assert contents(killed) == before


def test_a_batch_that_runs(tmp_path: Path) -> None:
    """Its journal is locked; the figures stand beside it."""
    journal = JournalFile(tmp_path, {})
    journal.record([Record(b"r", Facts("a"))])
    for other in ("", "[]", "5", '{"running": true, "of": "another version"}'):
        (tmp_path / STATUS_NAME).write_text(other)
        assert step_tts("status", tmp_path).output == "running: just begun\n"
    status = StatusFile(tmp_path)
    status.count(done=2, failed=1, seconds=3.0)
    status.count(done=1, failed=0, seconds=3.0)  # not due yet
    shown = step_tts("status", tmp_path).output
    assert shown.startswith(f"running (process {os.getpid()}): 2 done, 1 failed; 3.00 s of audio; ")
    assert shown.endswith(" s ago\n")
    status.remove()
    assert not (tmp_path / STATUS_NAME).exists()
    journal.close()


@attrs.define
class Standing:
    """A gate, as it stands."""

    in_flight: int = 3
    limit: int = 8
    paused_for: float = 0.0


@pytest.mark.parametrize("pause", [0.0, 3600.0])
def test_a_batch_that_runs_tells_how_its_gate_stands(tmp_path: Path, pause: float) -> None:
    """What is in flight of how many, and the pause."""
    journal, status = JournalFile(tmp_path, {}), StatusFile(tmp_path)
    status.look(Standing(paused_for=pause))
    status.count(done=2)
    shown = step_tts("status", tmp_path).output
    paused = r", paused for (1:00:00|59:\d\d)" if pause else ""
    assert re.search(f"audio; 3 of 8 in flight{paused}; ", shown)
    record = json.loads(step_tts("status", tmp_path, "--json").stdout)
    assert (record["in_flight"], record["limit"]) == (3, 8)
    assert ("paused_until" in record) == (pause > 0)
    journal.close()


async def test_a_client_lets_its_batches_tell_of_its_gate(tmp_path: Path) -> None:
    """At most a second late."""
    async with AsyncClient(
        api_key="k", http_client=client(LIB, lambda _: answer(LIB, [wav()]))
    ) as tts:
        async with tts.batch(["a", "b"], to=tmp_path) as results:
            await anext(results)
            assert json.loads((tmp_path / STATUS_NAME).read_text())["limit"] >= 4


@pytest.mark.parametrize(
    ("number", "again"),
    [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGHUP, False)],
)
def test_a_signal_ends_a_batch_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, *, again: bool
) -> None:
    """First what is in flight may end; a second one, or the end of the grace, cancels it."""
    rows = tmp_path / "rows.txt"
    rows.write_text("".join(f"Row {n}\n" for n in range(200)))
    out = tmp_path / "out"
    with sandbox_in_env(monkeypatch, latency=30.0 if again else 0.2) as server:
        command = ("batch", rows, "--to", out, "-c", "2", "--grace", "60" if again else "20")
        with started(*command) as process:
            assert process.stderr
            for _ in range(3000):
                if server.peak_in_flight:
                    break
                time.sleep(0.01)
            process.send_signal(number)
            assert process.stderr.readline().startswith(b"stopping: no more rows are started")
            if again:
                process.send_signal(number)
            assert process.wait(20) == 128 + number
            shown = process.stderr.read().decode()
    assert "interrupted; to continue, run: step-tts batch " in shown.splitlines()[-1]
    assert (out / "manifest.jsonl").exists()
    assert not (out / STATUS_NAME).exists()
    assert not list(out.glob(".step_tts-*"))
    assert (len(audio_in(out)) == 0) == again
    status = step_tts("status", out).output
    assert status.startswith(f"not running: {len(audio_in(out))} done, 0 failed")


def test_a_batch_in_this_process_ends_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal comes with the first result; what is kept is said."""
    monkeypatch.setattr(_batch, "emit", lambda _: os.kill(os.getpid(), signal.SIGINT))
    (tmp_path / "rows.txt").write_text("".join(f"Row {n}\n" for n in range(99)))
    command = ("batch", tmp_path / "rows.txt", "--to", tmp_path / "out", "--json", "-c", "1")
    with sandbox_in_env(monkeypatch) as server:
        result = step_tts(*command, "--no-resume", "--grace", "0.2")
        assert len(server.requests) < 30
    assert result.exit_code == 130
    assert "interrupted; finished files are kept" in result.stderr


def test_parts_that_were_stopped_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard, limited and stopped by Ctrl-C: in the end every row is there, and paid for once."""
    texts = [f"Row {n}" for n in range(30)]
    rows, out = tmp_path / "rows.txt", tmp_path / "out"
    rows.write_text("\n".join(texts))
    command = ("batch", rows, "--to", out, "-c", "1", "--json")
    part = ("--shard", "1/2", "--limit", "12")
    heeded = Event()

    def interrupted(_: object) -> None:
        """The rows behind the first result wait for its reader, who waits here."""
        if not heeded.is_set():
            os.kill(os.getpid(), signal.SIGINT)
            assert heeded.wait(30)

    with sandbox_in_env(monkeypatch) as server:
        with monkeypatch.context() as patch:
            patch.setattr(_batch, "emit", interrupted)
            patch.setattr(_interrupts, "note", lambda _: heeded.set())
            assert step_tts(*command, *part).exit_code == 130
        assert 0 < len(audio_in(out)) < 12
        for options, done in ((part, 12), (("--shard", "2/2"), 27), ((), 30)):
            assert step_tts(*command, *options).exit_code == 0
            assert len(audio_in(out)) == done
        assert sorted(seen.json["input"] for seen in server.requests) == sorted(texts)
    assert f"{len(texts)} done, 0 failed" in step_tts("status", out).output


async def test_a_signal_before_the_batch_begins_cancels_at_once() -> None:
    """There is nothing to finish."""
    async with interruptible(60) as interrupts:
        await anyio.wait_all_tasks_blocked()
        os.kill(os.getpid(), signal.SIGTERM)
        await anyio.sleep_forever()
    assert interrupts.came == signal.SIGTERM


def test_what_a_parent_had_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is for the script in front, not for what it started in the background; ``nohup``."""
    deaf = {signal.SIGINT: signal.SIG_IGN, signal.SIGHUP: signal.SIG_IGN}
    with monkeypatch.context() as patch:
        patch.setattr(signal, "getsignal", deaf.get)
        assert _interrupts._heeded() == [signal.SIGTERM]


async def test_a_batch_is_stopped_though_nobody_can_be_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is in flight may still finish when the terminal has gone."""

    def gone(_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(_interrupts, "note", gone)
    stopped = anyio.Event()
    async with interruptible(60) as interrupts:
        interrupts.stop = stopped.set
        await anyio.wait_all_tasks_blocked()
        os.kill(os.getpid(), signal.SIGHUP)
        await stopped.wait()
        await anyio.wait_all_tasks_blocked()
    assert interrupts.came == signal.SIGHUP


async def test_what_ends_by_itself_gives_its_result() -> None:
    """And what a signal ended says which one it was."""

    async def ending(number: int | None) -> str:
        await anyio.wait_all_tasks_blocked()
        if number:
            os.kill(os.getpid(), number)
            await anyio.sleep_forever()
        return "all"

    assert await unless_interrupted(ending, None) == "all"
    with pytest.raises(KeyboardInterrupt) as caught:
        await unless_interrupted(ending, signal.SIGTERM)
    assert caught.value.args == (signal.SIGTERM,)


async def test_an_error_leaves_as_itself() -> None:
    """Not in a group."""
    with pytest.raises(LookupError):
        async with interruptible(60):
            raise LookupError


async def test_a_loop_without_signals_runs_the_batch_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Asyncio has none on Windows: there Ctrl-C ends the loop by itself."""

    def refuse(*_: object) -> NoReturn:
        raise NotImplementedError

    monkeypatch.setattr(anyio, "open_signal_receiver", refuse)
    async with interruptible(60) as interrupts:
        await anyio.wait_all_tasks_blocked()
    assert not interrupts.came
