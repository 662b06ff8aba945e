"""A batch that is started again: nothing lost, nothing paid for twice."""

from __future__ import annotations

import asyncio
import copy
import errno
import gc
import hashlib
import json
import os
import pickle
import re
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import pytest
from batch_kit import Server, claim_of, options_of
from scripted import audio_in
from sounds import mp3, wav

import step_tts
from step_tts import BatchItem, SpeechRequest, _files, inspect
from step_tts._batch import _journal, _journal_processor, _processor, _resume
from step_tts._batch._records import Facts, Record
from step_tts._files._temp import Temp

if TYPE_CHECKING:
    from collections.abc import Iterator

JOURNAL = _journal.JOURNAL_NAME


async def test_the_second_run_pays_for_nothing(tmp_path: Path) -> None:
    """Every row still yields its file, its facts and where they came from."""
    server = Server(wav(streamed=True))
    first = await server.run(list("abc"), tmp_path)
    again = await server.run(list("abc"), tmp_path, order="input", durable=True)

    assert sorted(server.paid) == ["a", "b", "c"]
    assert [r.resumed for r in first] == [False] * 3
    assert [r.resumed for r in again] == [True] * 3
    for old, new in zip(first, again, strict=True):
        assert old.saved
        assert new.saved
        assert (new.saved.path, new.saved.asked) == (old.saved.path, old.saved.asked)
        assert new.saved.info == old.saved.info
        assert new.saved.receipt.sha256 == old.saved.receipt.sha256
        assert new.saved.receipt.request_id == old.saved.receipt.request_id
        for name in ("queued", "first_byte", "total"):  # To the microsecond.
            before, after = (getattr(each.receipt, name) for each in (old.saved, new.saved))
            assert after == pytest.approx(before, abs=2e-6)
        assert [a.outcome for a in new.attempts] == ["ok"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_journal_that_is_being_opened_is_let_go_when_its_task_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By asyncio itself, which stops for no shield of anyio's: the lock would stay behind."""
    opening, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    kept: list[_journal.JournalFile] = []

    def slowly(*args: Any, **kwargs: Any) -> _journal.JournalFile:
        loop.call_soon_threadsafe(opening.set)
        go_on.wait()
        kept.append(_journal.JournalFile(*args, **kwargs))
        return kept[0]

    monkeypatch.setattr(_resume, "JournalFile", slowly)
    task = asyncio.create_task(Server().run(["a"], tmp_path))
    await opening.wait()
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert kept
    monkeypatch.undo()
    assert len(await Server().run(["a"], tmp_path)) == 1


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_journal_that_is_being_closed_is_let_go_before_its_cancelled_task_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the next run would be told that the directory is in use."""
    closing, loop = asyncio.Event(), asyncio.get_running_loop()
    let_go: list[bool] = []

    def slowly(*_: object) -> None:
        loop.call_soon_threadsafe(closing.set)
        time.sleep(0.02)
        let_go.append(True)

    monkeypatch.setattr(_resume, "export", slowly)
    task = asyncio.create_task(Server().run(["a"], tmp_path))
    await closing.wait()
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert let_go


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_thread_of_a_journal_ends_with_its_batch(tmp_path: Path) -> None:
    """A program that runs batches all day must not gather threads until it collects garbage."""
    server, threads = Server(), set[int]()
    async with server.client() as tts:
        gc.disable()
        try:
            for number in range(6):
                async with tts.batch(["a"], to=tmp_path / str(number), durable=False) as results:
                    assert [result.ok async for result in results] == [True]
                    threads.add(threading.active_count())
        finally:
            gc.enable()
    assert max(threads) - min(threads) <= 1  # The last may just be ending.


async def test_rows_in_front_do_not_make_the_others_dear(tmp_path: Path) -> None:
    """By content: a row whose place has changed gets its new file without a request."""
    server = Server()
    await server.run(["one", "two"], tmp_path)
    again = await server.run(["zero", "one", "two"], tmp_path)

    assert server.paid[2:] == ["zero"]
    assert [r.shared for r in again] == [False, True, True]
    assert [r.name for r in again] == ["00000-zero", "00001-one", "00002-two"]
    assert all(r.saved and inspect(r.saved.path).duration for r in again)
    assert [r.resumed for r in await server.run(["zero", "one", "two"], tmp_path)] == [True] * 3


@pytest.mark.parametrize("name", ["{index:05d}-{slug}", "{index}", "{slug}-{index}"])
async def test_rows_are_found_whatever_way_their_names_ascend(tmp_path: Path, name: str) -> None:
    """Or do not, as where numbers grow by a digit."""
    server = Server()
    rows = [BatchItem(text, index=99_998 + n) for n, text in enumerate("decab")]
    first = await server.run(rows, tmp_path, name=name)
    again = await server.run(rows, tmp_path, name=name)

    assert len(server.paid) == 5
    assert [r.resumed for r in again] == [True] * 5
    assert [(r.index, r.name) for r in again] == [(r.index, r.name) for r in first]


async def test_a_row_that_is_changed_back_is_still_done(tmp_path: Path) -> None:
    """Two rows of the journal have its number then."""
    server = Server()
    for texts in ("ac", "bc", "ac", "bc"):
        results = await server.run(list(texts), tmp_path)
    assert sorted(server.paid) == ["a", "b", "c"]
    assert [r.name for r in results] == ["00000-b", "00001-c"]


async def test_a_row_that_loses_its_own_name_gets_one_of_the_template(tmp_path: Path) -> None:
    """Though its old one lies between those of its neighbours."""
    server = Server()
    await server.run([BatchItem("a", name="00000x"), "b"], tmp_path)
    named, other = await server.run(["a", "b"], tmp_path)

    assert sorted(server.paid) == ["a", "b"]
    assert (named.name, named.resumed, named.shared) == ("00000-a", False, True)
    assert (other.name, other.resumed) == ("00001-b", True)


@pytest.mark.parametrize("durable", [True, False])
async def test_equal_rows_share_one_synthesis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, durable: bool
) -> None:
    """Each has a file of its own, as safe as the first: what is done to one leaves the others."""
    flushed: list[int] = []
    monkeypatch.setattr("step_tts._files._temp._flush", flushed.append)
    server = Server()
    results = await server.run(["same"] * 9, tmp_path, durable=durable)

    assert server.paid == ["same"]
    assert sum(r.shared for r in results) == 8
    assert len({r.saved.path for r in results if r.saved}) == 9
    first, *others = audio_in(tmp_path)
    with first.open("r+b") as file:
        file.write(b"tags")
    assert {p.read_bytes() for p in others} == {wav()}
    assert not list(tmp_path.glob(".step_tts-*"))
    assert len(flushed) == (18 if durable else 0)


async def test_names_that_differ_in_their_suffix_are_told_apart(tmp_path: Path) -> None:
    """All would be ``take.wav``: two texts would be lost, and paid for again and again."""
    server = Server()
    rows = [BatchItem(name, name=name) for name in ("take.mp3", "take.wav", "take")]
    first, again = [await server.run(rows, tmp_path) for _ in range(2)]

    assert len(audio_in(tmp_path)) == len(server.paid) == 3
    files = [r.saved.path.name for r in first if r.saved]
    assert files == ["take.wav", "take.1.wav", "take.2.wav"]
    assert all(r.resumed for r in again)


async def test_equal_rows_share_a_failure(tmp_path: Path) -> None:
    """Those that waited for it do not try it again."""
    server = Server(status=400)
    results = await server.run(["same"] * 3, tmp_path)

    assert len(server.paid) < 3
    assert {type(r.error) for r in results} == {step_tts.BadRequestError}


async def test_a_changed_row_is_made_anew(tmp_path: Path) -> None:
    """A name's file belongs to the request that made it last."""
    server = Server()
    await server.run([BatchItem("old", name="x")], tmp_path)
    server.audio = mp3()
    for text in ("new", "new", "old"):
        await server.run([BatchItem(text, name="x")], tmp_path)

    assert server.paid == ["old", "new", "old"]


@pytest.mark.parametrize("harm", ["missing", "shorter"])
async def test_a_file_that_is_gone_or_altered_is_made_anew(tmp_path: Path, harm: str) -> None:
    """A record alone is not a file."""
    server = Server()
    (result,) = await server.run(["a"], tmp_path)
    assert result.saved
    if harm == "missing":
        result.saved.path.unlink()
    else:
        result.saved.path.write_bytes(b"x")
    (again,) = await server.run(["a"], tmp_path)

    assert server.paid == ["a", "a"]
    assert not again.resumed
    assert result.saved.path.read_bytes() == wav()


async def test_failed_rows_are_tried_again_unless_kept(tmp_path: Path) -> None:
    """Kept, they tell the earlier failure."""
    server = Server(status=400)
    await server.run(["a"], tmp_path)
    (kept,) = await server.run(["a"], tmp_path, keep_failures=True)
    server.status = 200
    (again,) = await server.run(["a"], tmp_path)

    assert isinstance(kept.error, step_tts.BatchRowError)
    assert kept.error.error == "BadRequestError"
    assert kept.resumed
    assert again.ok
    assert len(server.paid) == 2


async def test_a_wrong_key_is_not_the_rows_fault(tmp_path: Path) -> None:
    """Such failures are not kept."""
    server = Server(status=401)
    await server.run(["a"], tmp_path)
    server.status = 200
    (again,) = await server.run(["a"], tmp_path, keep_failures=True)

    assert again.ok


async def test_rows_that_cannot_be_asked_for_are_recorded_too(tmp_path: Path) -> None:
    """Without a request there is nothing to find again."""
    rows: list[Any] = [" ", SpeechRequest("x", extra={"bad": object()})]
    for _ in range(2):
        results = await Server().run(rows, tmp_path)
        assert [type(r.error) for r in results] == [step_tts.InvalidRequestError] * 2
    assert len((tmp_path / "manifest.jsonl").read_text().splitlines()) == 2


async def test_rows_keep_their_numbers_in_the_journal(tmp_path: Path) -> None:
    """A row whose number is taken is listed beside the one that has it, and harms it not."""
    server = Server()
    rows = [BatchItem("a", index=3), BatchItem("b", index=3), BatchItem("c", index=9)]
    for _ in range(2):
        results = await server.run(rows, tmp_path, order="input")
        assert [(r.index, r.ok) for r in results] == [(3, True), (3, False), (9, True)]

    assert server.paid == ["a", "c"]
    lines = map(json.loads, (tmp_path / "manifest.jsonl").read_text("utf-8").splitlines())
    assert {(line["index"], line["path"]) for line in lines} == {
        (3, "00003-a.wav"),
        (3, None),
        (9, "00009-c.wav"),
    }


async def test_a_second_run_at_once_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And told where, and what to do; the first does not notice."""
    journal = _journal.JournalFile
    monkeypatch.setattr(
        _resume, "JournalFile", lambda *args, **kwargs: journal(*args, **kwargs, patience=0.01)
    )
    server = Server()
    async with server.client() as tts:
        async with tts.batch(list("ab"), to=tmp_path) as results:
            await anext(results)
            with pytest.raises(step_tts.BatchInUseError, match=re.escape(str(tmp_path))):
                await server.run(list("ab"), tmp_path)
            assert len([r async for r in results]) == 1


async def test_other_options_are_named(tmp_path: Path) -> None:
    """All that differ, with both values and three ways on."""
    server = Server()
    await server.run(list("a"), tmp_path)
    with pytest.raises(step_tts.BatchOptionsError) as caught:
        await server.run(list("a"), tmp_path, {"model": "other"}, name="{index}")

    assert caught.value.differences["model"] == ("Step-Audio-TTS-3B", "other")
    assert set(caught.value.differences) == {"model", "name"}
    assert "now 'other'" in str(caught.value)
    assert len(await server.run(list("a"), tmp_path, {"model": "other"}, resume=False)) == 1


async def test_without_resume_nothing_is_kept(tmp_path: Path) -> None:
    """No journal, no manifest; every row is paid for."""
    server = Server()
    for _ in range(2):
        await server.run(["a", "a"], tmp_path, resume=False)

    assert server.paid == ["a"] * 4
    assert [p.name for p in tmp_path.iterdir() if p.name[0] == "." or p.suffix == ".jsonl"] == []


def manifest(directory: Path) -> list[dict[str, Any]]:
    """Its lines, by index."""
    lines = (directory / "manifest.jsonl").read_text("utf-8").splitlines()
    return sorted(map(json.loads, lines), key=lambda line: int(line["index"]))


def spoken(index: int, text: str, server: Server) -> dict[str, object]:
    """The line of a row that was spoken; its request is found by its text."""
    return {
        "index": index,
        "name": f"{index:05d}-{text}",
        "path": f"{index:05d}-{text}.wav",
        "format": "wav",
        "seconds": pytest.approx(0.1),
        "bytes": len(wav()),
        "sha256": hashlib.sha256(wav()).hexdigest(),
        "request_id": f"r-{1 + server.paid.index(text)}",
        "attempts": 1,
        "error": None,
        "message": None,
    }


async def test_the_manifest_lists_every_row(tmp_path: Path) -> None:
    """With the facts of its file, or why there is none: no more and no less."""
    server = Server(wrong={"bad"})
    results = await server.run(["a", " ", "bad", "b"], tmp_path)
    nothing = dict.fromkeys(["path", "format", "seconds", "bytes", "sha256"])

    assert manifest(tmp_path) == [
        spoken(0, "a", server),
        {
            "index": 1,
            "name": "00001-speech",
            **nothing,
            "request_id": None,
            "attempts": 0,
            "error": "InvalidRequestError",
            "message": "The text to speak is empty or blank: there is nothing to say.",
        },
        {
            "index": 2,
            "name": "00002-bad",
            **nothing,
            "request_id": f"r-{1 + server.paid.index('bad')}",
            "attempts": 1,
            "error": "BadRequestError",
            "message": getattr(results[2].error, "message", None),
        },
        spoken(3, "b", server),
    ]


async def test_the_manifest_of_a_run_that_was_stopped(tmp_path: Path) -> None:
    """It lists what was told, as fully; the next run's lists that too, as it was."""
    server, texts = Server(), list("abcdefghijklmnop")
    async with server.client() as tts:
        async with tts.batch(texts, to=tmp_path) as results:
            told = [await anext(results)]
            results.stop()
            told += [result async for result in results]
    assert len(told) < len(texts)
    indexes = sorted(result.index for result in told)
    assert manifest(tmp_path) == [spoken(index, texts[index], server) for index in indexes]
    await server.run(texts, tmp_path)

    assert manifest(tmp_path) == [spoken(*each, server) for each in enumerate(texts)]


async def test_a_directory_is_swept_as_far_as_it_is_worth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it after a run that was killed; else only what is looked at soon."""
    orphan = Temp(tmp_path)
    orphan.append(b"x")
    os.close(orphan._fd)  # What the kernel does to a killed process.
    path = Path(orphan._path)
    aside = path.rename(tmp_path / "aside")
    await Server().run(["a"], tmp_path)

    aside.rename(path)
    monkeypatch.setattr(_resume, "SWEPT_ENTRIES", 0)
    await Server().run(["a"], tmp_path)
    assert path.exists()
    with sqlite3.connect(tmp_path / JOURNAL) as journal:
        journal.execute("INSERT INTO facts VALUES ('running', '')")
    journal.close()
    await Server().run(["a"], tmp_path)
    assert not path.exists()

    path.write_bytes(b"x")
    monkeypatch.undo()
    await Server().run(["a"], tmp_path)
    assert not path.exists()


async def test_the_manifest_is_written_on_interruption(tmp_path: Path) -> None:
    """Cancelled in the middle, it lists what was done."""
    with anyio.CancelScope() as scope:
        async with Server().client() as tts:
            async with tts.batch(list("abcdef"), to=tmp_path) as results:
                await anext(results)
                scope.cancel()
                await anyio.lowlevel.checkpoint()

    assert (tmp_path / "manifest.jsonl").read_text().count("\n") >= 1


@pytest.mark.parametrize("error", ["time", "place"])
async def test_a_manifest_that_cannot_be_written_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    """The journal holds it all."""
    if error == "time":
        monkeypatch.setattr(_resume, "EXPORT_SECONDS", -1.0)
    else:
        (tmp_path / "manifest.jsonl").mkdir()
    assert len(await Server().run(list("ab"), tmp_path)) == 2
    assert not (tmp_path / "manifest.jsonl").is_file()
    assert not list(tmp_path.glob(".step_tts-*"))


@pytest.mark.parametrize(("status", "many"), [(401, True), (404, True), (400, False)])
async def test_what_fails_alike_for_all_stops_the_batch(
    tmp_path: Path, status: int, *, many: bool
) -> None:
    """After three rows, not ten thousand; what was under way is told first."""
    server, told = Server(status=status), 0
    async with server.client() as tts:
        async with tts.batch(map(str, range(60)), to=tmp_path) as results:
            if many:
                with pytest.raises(step_tts.BatchStoppedError) as caught:
                    async for result in results:
                        told += not result.ok
                assert isinstance(caught.value.__cause__, step_tts.APIStatusError)
            else:
                told = len([result async for result in results])

    assert told == len(server.paid)
    assert (len(server.paid) < 8) == many


async def test_a_batch_can_be_stopped(tmp_path: Path) -> None:
    """No more rows are begun; those under way are told; the next run goes on."""
    server = Server()
    async with server.client() as tts:
        async with tts.batch(map(str, range(60)), to=tmp_path, order="input") as results:
            await anext(results)
            results.stop()
            rest = [result async for result in results]
    assert 0 < len(rest) < 20
    assert len(server.paid) == len(rest) + 1
    assert len(await server.run(map(str, range(60)), tmp_path)) == 60
    assert sorted(server.paid) == sorted(map(str, range(60)))


async def test_a_leftover_of_other_words_is_not_adopted(tmp_path: Path) -> None:
    """A file from before the row began is not the row's, though its name is."""
    journal = _journal.JournalFile(tmp_path, options_of())
    old = tmp_path / "x.wav"
    old.write_bytes(wav(99))
    os.utime(old, (1, 1))
    journal.claim([claim_of("a", "x")])
    journal.close()
    server = Server()
    (result,) = await server.run([BatchItem("a", name="x")], tmp_path)

    assert server.paid == ["a"]
    assert not result.resumed


@pytest.mark.parametrize("whole", [True, False])
async def test_what_a_kill_left_is_checked_and_taken_up(tmp_path: Path, *, whole: bool) -> None:
    """Renamed but not recorded: verified, adopted, not paid for again."""
    journal = _journal.JournalFile(tmp_path, options_of())
    journal.claim([claim_of("a", "x")])
    journal.close()
    (tmp_path / "x.wav").write_bytes(wav() if whole else wav()[:200])
    server = Server()
    (result,) = await server.run([BatchItem("a", name="x.mp3")], tmp_path)

    assert server.paid == ([] if whole else ["a"])
    assert result.resumed is whole
    assert result.saved
    assert result.saved.receipt.sha256
    assert (await server.run([BatchItem("a", name="x.mp3")], tmp_path))[0].resumed


async def test_an_input_that_breaks_keeps_the_rows_before(tmp_path: Path) -> None:
    """Though several are looked up at once."""

    def broken() -> Iterator[str]:
        yield "a"
        yield "b"
        raise OSError("gone")

    told = 0
    async with Server().client() as tts:
        async with tts.batch(broken(), to=tmp_path) as results:
            with pytest.raises(OSError, match="gone"):
                async for _ in results:
                    told += 1
    assert told == 2


async def test_rows_that_are_slow_to_come_are_not_kept_waiting(tmp_path: Path) -> None:
    """The first is on its way before the third is there."""
    server, seen = Server(), []

    def slow() -> Iterator[str]:
        for text in "abc":
            seen.append(len(server.paid))
            time.sleep(0.015)
            yield text

    await server.run(slow(), tmp_path)
    assert seen[0] == 0
    assert len(server.paid) == 3


async def test_a_leader_that_breaks_leaves_its_rows_to_themselves(tmp_path: Path) -> None:
    """A bug is raised by one; the others do not wait for ever."""
    spoken: list[str] = []

    async def speak(_: SpeechRequest, name: str) -> Any:
        spoken.append(name)
        raise step_tts.BadRequestError("no")

    nobody: Any = None
    processor = _journal_processor.JournalProcessor(speak, nobody, nobody, keep_failures=False)
    await processor._awaited(_processor.Row(1, 1, "x", "text"), _processor.Row(0, 0, "y", "text"))
    assert spoken == ["x"]


def test_a_line_of_the_manifest_is_one_row_whatever_it_says(tmp_path: Path) -> None:
    """Many are encoded at once, and parted where no string can look like an end."""
    names = ['}, {"index": 1', "}, {", "],\n[", "},\n{", "\n", '"}\n{"', "\\", "你"]
    journal = _journal.JournalFile(tmp_path, {})
    journal.record([Record(b"", Facts(name, n, message=name)) for n, name in enumerate(names)])
    _resume.export(journal, tmp_path)
    journal.close()
    assert [(line["name"], line["message"]) for line in manifest(tmp_path)] == [
        (name, name) for name in names
    ]


async def test_a_twin_that_vanishes_is_spoken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the copy."""
    server = Server()
    await server.run(["a"], tmp_path)

    def gone(source: Path, target: Path, *, durable: bool) -> None:
        source.unlink()
        _files.copy(source, target, durable=durable)

    monkeypatch.setattr(_journal_processor, "copy", gone)
    (_, again) = await server.run(["b", "a"], tmp_path)

    assert server.paid == ["a", "b", "a"]
    assert again.saved


async def test_a_copy_for_which_there_is_no_room_is_not_paid_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is spoken anew would find no room either."""
    server = Server()
    await server.run(["a"], tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(_journal_processor, "copy", full)
    with pytest.raises(step_tts.BatchStoppedError, match="full"):
        await server.run([BatchItem("a", name="other")], tmp_path)

    assert server.paid == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="There is no SIGKILL on Windows.")
@pytest.mark.usefixtures("untraced")
def test_kills_lose_nothing(tmp_path: Path) -> None:
    """At every named step and a few random moments; ``python tests/kills.py`` does a hundred."""
    program = Path(__file__).with_name("kills.py")
    run = subprocess.run(
        [sys.executable, str(program), str(tmp_path), "3", "20261126"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("17 kills"), run.stdout


IN_ASCII = r"""
import asyncio, sys
from pathlib import Path
from batch_kit import Server
from step_tts import BatchItem

server = Server()
items = [("\u4f60\u597d", "hao"), ("a", "\u4f60"), ("b", "b"), ("b", "\u597d"), ("c", "c")]
rows = [BatchItem(text, name=name) for text, name in items]
results = asyncio.run(server.run(rows, Path(sys.argv[1])))
for result in results:
    print(ascii(result.name), result.resumed, ascii(str(result.error)))
print(server.paid)
"""


async def test_a_locale_that_has_no_bytes_for_a_name_costs_nothing(tmp_path: Path) -> None:
    """What is done stays done, and the rest is refused before it is paid for."""
    done = [BatchItem("你好", name="hao"), BatchItem("c", name="好好")]
    await Server().run(done, tmp_path)
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ran = await anyio.run_process(
        [sys.executable, "-c", IN_ASCII, str(tmp_path)],
        env=os.environ | environment | {"PYTHONPATH": str(Path(__file__).parent)},
        check=False,
    )

    *told, paid = ran.stdout.decode().splitlines()
    assert told, ran.stderr
    refused = (
        r"could not be saved: The name has characters that cannot be written in ASCII.*PYTHONUTF8=1"
    )
    expected = ["'hao' True 'None'", refused, "'b' False 'None'", refused, refused]
    assert paid == "['b']"
    for line, expects in zip(told, expected, strict=True):
        assert re.search(expects, line), told


async def test_a_resumed_result_can_be_copied_and_pickled(tmp_path: Path) -> None:
    """It is put together when looked at, and stands for what it says."""
    server = Server()
    async with server.client() as tts:
        for _ in range(2):
            async with tts.batch(["Hello."], to=tmp_path) as results:
                (result,) = [each async for each in results]

    assert result.resumed
    for twin in (pickle.loads(pickle.dumps(result)), copy.copy(result), attrs.evolve(result)):
        assert (twin.index, twin.name, twin.saved) == (0, result.name, result.saved)
        assert twin == result
        assert result == twin
        assert len({twin, result}) == 1
        assert repr(twin) == repr(result)
    assert attrs.evolve(result, index=5).index == 5


async def test_a_row_whose_equal_cannot_be_recorded_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of them: what is not written down is not done."""

    def full(*_: object) -> None:
        raise step_tts.SaveError(28, "The disk is full", "journal")

    monkeypatch.setattr(_journal.JournalFile, "record", full)
    async with Server().client() as tts:
        with pytest.raises(step_tts.SaveError, match="full"):
            async with tts.batch(["Same.", "Same."], to=tmp_path) as results:
                async for _ in results:
                    pytest.fail("nothing is recorded")
