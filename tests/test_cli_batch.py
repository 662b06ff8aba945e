from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from cli_kit import sandbox_in_env, step_tts
from scripted import audio_in

from step_tts import inspect
from step_tts._batch import _resume
from step_tts._batch._journal import JournalFile
from step_tts._batch._readers import read_rows
from step_tts.cli import _batch, _feed, _progress
from step_tts.sandbox import Answer, Faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from step_tts.sandbox import Sandbox


def batch(folder: Path, rows: str, *arguments: str, name: str = "rows.txt") -> Result:
    """Run a batch over a file of these rows into ``out``."""
    (folder / name).write_text(rows, "utf-8")
    return step_tts("batch", folder / name, "--to", folder / "out", *arguments)


def files(folder: Path) -> list[str]:
    """Names of what was made."""
    return sorted(path.name for path in audio_in(folder / "out"))


def records(result: Result) -> list[dict[str, Any]]:
    """What ``--json`` wrote."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_line_becomes_a_whole_file(server: Sandbox, tmp_path: Path) -> None:
    """The summary adds up; stdout stays empty."""
    result = batch(tmp_path, "Hello there.\n\n你好，世界。\n")
    assert (result.exit_code, result.stdout) == (0, "")
    assert files(tmp_path) == ["00000-Hello-there.wav", "00001-你好-世界.wav"]
    infos = [inspect(path) for path in audio_in(tmp_path / "out")]
    seconds = sorted(info.duration or 0 for info in infos)
    kilobytes = sum(info.size for info in infos) / 1000
    answers, summary = result.stderr.splitlines()
    assert answers.startswith("answers took ")
    assert summary.startswith(
        f"2 spoken, 0 failed; {sum(seconds):.2f} s of audio "
        f"({seconds[0]:.2f} s to {seconds[1]:.2f} s each), {kilobytes:.1f} kB, in "
    )


def test_malformed_rows_fail_and_the_rest_goes_on(server: Sandbox, tmp_path: Path) -> None:
    """They are named by line, and keep their number: names behind them do not change."""
    rows = '{"input": "One"}\n{"inptu": "Two"}\nThree\n{"input": "Four"}\n{"input": " "}\n'
    result = batch(tmp_path, rows, name="rows.jsonl")
    assert result.exit_code == 1
    assert files(tmp_path) == ["00000-One.wav", "00003-Four.wav"]
    assert len(server.requests) == 2
    *failures, answers, summary = result.stderr.splitlines()
    assert answers.startswith("answers took ")
    unknown, not_json, blank = sorted(failures, key=len, reverse=True)
    assert unknown.startswith("error: 1 × InvalidRequestError: Unknown field 'inptu'. ")
    assert unknown.endswith(" (line 2)")
    assert "not valid JSON" in blank + not_json
    assert {line[-8:] for line in (blank, not_json)} == {"(line 3)", "(line 5)"}
    assert summary.startswith("2 spoken, 3 failed; ")
    manifest = (tmp_path / "out" / "manifest.jsonl").read_text("utf-8").splitlines()
    assert any("Unknown field" in line for line in manifest)


def test_failures_are_grouped_and_name_rows_but_never_texts(
    server: Sandbox, tmp_path: Path
) -> None:
    """A row is its line, and the name its author gave it."""
    server.faults = "http-400"
    rows = "input,name\n" + "".join(f"My secret words {number},\n" for number in range(7))
    result = batch(tmp_path, rows + "Secret,greeting\n", "-c", "1", name="rows.csv")
    assert result.exit_code == 1
    failure, summary = result.stderr.splitlines()
    assert failure.startswith("error: 8 × BadRequestError: ")
    assert failure.endswith("(line 2, line 3, line 4, line 5, line 6 and 3 more)")
    assert summary.startswith("0 spoken, 8 failed; 0.00 s of audio, 0 B, in ")
    assert "ecret" not in result.output


def test_a_row_with_a_name_is_called_by_it(server: Sandbox, tmp_path: Path) -> None:
    """And so is its file."""
    server.faults = Faults(schedule=["http-400"])
    rows = '{"input": "One", "name": "first"}\n{"input": "Two", "name": "second"}\n'
    result = batch(tmp_path, rows, "-c", "1", name="rows.jsonl")
    assert "(line 1, first)" in result.stderr
    assert files(tmp_path) == ["second.wav"]


def test_options_hold_for_rows_that_say_nothing_else(server: Sandbox, tmp_path: Path) -> None:
    """A row wins over the option."""
    rows = '{"input": "One", "voice": "alloy"}\n{"input": "Two"}\n'
    result = batch(tmp_path, rows, *("-v", "echo", "-x", "1.5", "-c", "1"), name="rows.jsonl")
    assert result.exit_code == 0, result.output
    first, second = (seen.json for seen in server.requests)
    assert (first["voice"], first["speed"]) == ("alloy", 1.5)
    assert (second["voice"], second["speed"]) == ("echo", 1.5)


def test_another_model_is_another_batch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody pays for a directory twice by a slip of the option; a row may have its own."""
    rows = '{"input": "One", "model": "mine"}\n{"input": "Two"}\n'
    with sandbox_in_env(monkeypatch, models=()) as server:
        assert batch(tmp_path, rows, "-m", "first", "-c", "1", name="rows.jsonl").exit_code == 0
        assert [seen.json["model"] for seen in server.requests] == ["mine", "first"]
        for more in ([], ["--dry-run"]):
            result = batch(tmp_path, rows, "-m", "second", *more, name="rows.jsonl")
            assert result.exit_code == 2
            assert "model was 'first'" in result.stderr
        assert len(server.requests) == 2


def test_standard_input_needs_a_format(server: Sandbox, tmp_path: Path) -> None:
    """JSON spoken aloud would be paid for; so would any other wrong guess."""
    out = tmp_path / "out"
    result = step_tts("batch", "-", "--to", out, stdin=b"One\nTwo\n")
    assert result.exit_code == 2
    assert "name its format with --input-format" in result.stderr
    result = step_tts("batch", "-", "--input-format", "txt", "--to", out, stdin=b"One\nTwo\n")
    assert result.exit_code == 0, result.output
    assert files(tmp_path) == ["00000-One.wav", "00001-Two.wav"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            ["rows.md", "--to", "out"],
            "name its format with --input-format; only the suffixes .csv, .jsonl",
        ),
        (["missing.txt", "--to", "out"], "does not exist"),
        ([".", "--to", "out"], "is a directory"),
        (["rows.txt"], "Missing option '--to'"),
        (["rows.txt", "--to", "rows.txt"], "is a file"),
        (["rows.txt", "--to", "out", "-c", "0"], "x>=1"),
        (["rows.txt", "--to", "out", "--grace", "nan"], "not a finite number"),
        (["rows.txt", "--to", "out", "--name", "{text}"], "The name template"),
        (["rows.txt", "--to", "out", "--input-format", "csv"], "CSV header"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(
    server: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    reason: str,
) -> None:
    """Exit code 2, and no summary of nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("rows.txt", "rows.md"):
        (tmp_path / name).write_text("Hello\n")
    result = step_tts("batch", *arguments)
    assert result.exit_code == 2
    assert reason in " ".join(result.stderr.split())
    assert "spoken" not in result.stderr
    assert server.requests == []


def test_an_empty_file_is_an_empty_batch(server: Sandbox, tmp_path: Path) -> None:
    """All went well, and the summary says that it was nothing."""
    result = batch(tmp_path, "\n")
    assert result.exit_code == 0
    assert result.stderr.startswith("0 spoken, 0 failed; ")


def test_json_reports_every_row_in_the_order_of_the_input(server: Sandbox, tmp_path: Path) -> None:
    """Enough to make a manifest of it."""
    server.faults = Faults(by_number={1: Answer(400, "{}")})
    result = batch(
        tmp_path, "One\n\nTwo\nThree\n", *("--json", "-q", "--order", "input", "-c", "1")
    )
    failed, *spoken = records(result)
    assert (failed["line"], failed["index"], failed["error"]) == (1, 0, "BadRequestError")
    assert [(row["line"], row["index"]) for row in spoken] == [(3, 1), (4, 2)]
    assert all(inspect(row["path"]).duration == row["duration"] for row in spoken)


def test_json_names_malformed_rows_too(server: Sandbox, tmp_path: Path) -> None:
    """By the reason the reader gave, not by the one the batch would give."""
    (row,) = records(batch(tmp_path, "{", "--json", name="rows.jsonl"))
    assert (row["line"], row["error"]) == (1, "InvalidRequestError")
    assert "not valid JSON" in row["message"]


def test_quiet_still_says_what_failed(server: Sandbox, tmp_path: Path) -> None:
    """But not that all went well."""
    assert batch(tmp_path, "One\n", "-q").output == ""
    server.faults = "http-400"
    assert batch(tmp_path, "Two\n", "-q").stderr.startswith("error: 1 × BadRequestError")


def test_concurrency_bounds_what_is_in_flight(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As many as asked for, and no more."""
    with sandbox_in_env(monkeypatch, latency=0.02) as server:
        batch(tmp_path, "One\nTwo\nThree\nFour\nFive\nSix\n", "-c", "3")
        assert server.peak_in_flight == 3


def test_the_sandbox_serves_a_batch(tmp_path: Path) -> None:
    """The first try needs no key."""
    assert batch(tmp_path, "One\nTwo\n", "--sandbox").exit_code == 0
    assert len(files(tmp_path)) == 2


HOLDER = """
import sys
from pathlib import Path
from step_tts._batch._journal import JournalFile

journal = JournalFile(Path(sys.argv[1]), {})
print("held", flush=True)
sys.stdin.read()
"""


def test_a_directory_that_another_process_works_on_is_refused(
    server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clearly, with nothing sent; and the lock goes with its holder, however that ends."""
    monkeypatch.setattr(_resume, "JournalFile", partial(JournalFile, patience=0.0))
    out = tmp_path / "out"
    out.mkdir()
    command = [sys.executable, "-c", HOLDER, str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        result = batch(tmp_path, "One\n")
        other.kill()

    said = f"error: Another run is using {out}: wait for it to end, or use another directory.\n"
    assert (result.exit_code, result.stderr) == (1, said)
    assert not server.requests
    JournalFile(out, {}).close()


def test_without_a_key_there_is_no_summary(tmp_path: Path) -> None:
    """Nothing was tried."""
    result = batch(tmp_path, "One\n")
    assert result.exit_code == 2
    assert "STEP_TTS_API_KEY" in result.stderr
    assert result.stderr.count("\n") == 1


def test_input_that_breaks_off_is_a_failure_after_what_was_spoken(
    server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The summary still counts the rows before."""

    class Broken(io.BytesIO):
        def readline(self, size: int | None = -1) -> bytes:
            line = super().readline(size)
            if not line:
                raise OSError(5, "Input/output error")
            return line

    @contextlib.contextmanager
    def opened(_: str) -> Iterator[tuple[io.BytesIO, None]]:
        yield Broken(b"One\nTwo\n"), None

    monkeypatch.setattr(_batch, "opened", opened)
    result = batch(tmp_path, "")
    assert result.exit_code == 1
    _, summary, error, again = result.stderr.splitlines()
    assert summary.startswith("2 spoken, 0 failed; ")
    assert error == "error: [Errno 5] Input/output error"
    assert again.startswith("to continue, run: ")


def test_interruption_keeps_what_is_finished_and_says_so(
    server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 130; test_cli_main sends the real signal."""
    land = _feed.Feed.land

    def interrupted(self: _feed.Feed, index: int) -> object:
        if index == 1:
            raise KeyboardInterrupt
        return land(self, index)

    monkeypatch.setattr(_feed.Feed, "land", interrupted)
    result = batch(tmp_path, "One\nTwo\nThree\n", "--order", "input")
    assert result.exit_code == 130
    *_, summary, note = result.stderr.splitlines()
    rows, out = tmp_path / "rows.txt", tmp_path / "out"
    command = f"app batch {rows} --to {out} --order input"
    assert note == f"interrupted; to continue, run: {command}"
    assert summary.startswith("1 spoken, 0 failed; ")
    assert "00000-One.wav" in files(tmp_path)
    result = batch(tmp_path, "One\nTwo\n", "--order", "input", "--no-resume")
    assert result.stderr.endswith("interrupted; finished files are kept\n")


@pytest.mark.parametrize(
    ("options", "terminals", "shown"),
    [
        ([], {"stderr"}, True),
        ([], {"stderr", "stdout"}, True),
        ([], {"stdout"}, False),
        ([], set(), False),
        (["--no-progress"], {"stderr"}, False),
        (["-q"], {"stderr"}, False),
        (["--debug"], {"stderr"}, False),
        (["--json"], {"stderr"}, True),
        (["--json"], {"stderr", "stdout"}, False),
    ],
)
def test_the_bar_is_drawn_only_where_nothing_else_is(
    server: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    options: list[str],
    terminals: set[str],
    shown: bool,
) -> None:
    """On a terminal, unless it is not wanted or other lines go there."""
    seen: list[tuple[float | None, bool]] = []

    @contextlib.contextmanager
    def recorded(progress: Any, *, shown: bool) -> Iterator[None]:
        seen.append((progress.total, shown))
        yield

    monkeypatch.setattr(_batch, "shown_on_stderr", recorded)
    monkeypatch.setattr(
        _progress, "is_terminal", lambda stream: stream.name.strip("<>") in terminals
    )
    assert batch(tmp_path, "One\n", *options).exit_code == 0
    assert seen == [(4, shown)]


@pytest.mark.parametrize(
    ("error", "rows", "code", "lines"),
    [
        (KeyboardInterrupt(), 0, 130, 2),
        (KeyboardInterrupt(), 1, 130, 2),
        (OSError("no"), 0, 1, 1),
        (OSError("no"), 1, 1, 3),
        (ZeroDivisionError(), 1, 1, 0),
    ],
)
def test_a_batch_that_breaks_off_sums_up_what_it_did(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    error: BaseException,
    rows: int,
    code: int,
    lines: int,
) -> None:
    """If it did anything, or a person who pressed Ctrl-C wants to know."""

    def breaks_off(job: _batch._Job) -> None:
        job.tally.spoken = rows
        raise error

    monkeypatch.setattr(_batch._Job, "_speak_all", breaks_off)
    result = batch(tmp_path, "")
    assert (result.exit_code, result.stderr.count("\n")) == (code, lines)


def test_a_limit_takes_the_first_rows(server: Sandbox, tmp_path: Path) -> None:
    """Run again without it, the batch goes on."""
    rows = "One\nTwo\nThree\n"
    assert batch(tmp_path, rows, "--limit", "2").exit_code == 0
    assert files(tmp_path) == ["00000-One.wav", "00001-Two.wav"]
    result = batch(tmp_path, rows)
    assert "1 spoken, 0 failed, 2 done before; " in result.stderr
    assert len(server.requests) == 3


def test_shards_into_one_directory_make_the_files_of_the_whole(
    server: Sandbox, tmp_path: Path
) -> None:
    """Also where rows of different shards were given the same name."""
    rows = "".join(f'{{"input": "Text {n}", "name": "same"}}\n' for n in range(3))
    rows += '{"input": "Text 3"}\nno JSON\n{"input": "Text 5", "name": "other"}\n'
    whole = tmp_path / "whole"
    whole.mkdir()
    assert batch(whole, rows, name="rows.jsonl").exit_code == 1
    for number in (1, 2):
        shard = batch(tmp_path, rows, "--shard", f"{number}/2", "--json", name="rows.jsonl")
        assert {row["index"] % 2 for row in records(shard)} == {number - 1}
        assert {row["line"] for row in records(shard)} == {number, number + 2, number + 4}
    assert files(tmp_path) == files(whole) == [
        "00003-Text-3.wav", "other.wav", "same.1.wav", "same.2.wav", "same.wav"
    ]  # fmt: skip
    for path in audio_in(whole / "out"):
        assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes()


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "/2", "1/", "one/2", "-1/2", "1/2/3"])
def test_a_shard_says_which_of_how_many(tmp_path: Path, shard: str) -> None:
    """Anything else would leave rows out."""
    result = batch(tmp_path, "One\n", f"--shard={shard}")
    assert result.exit_code == 2
    assert "such as 2/8" in result.stderr


def test_a_price_without_a_dry_run_is_a_mistake(tmp_path: Path) -> None:
    """Whoever asks what it costs does not want to pay yet."""
    result = batch(tmp_path, "One\n", "--price-per-1k", "1")
    assert result.exit_code == 2
    assert "needs --dry-run" in result.stderr


def test_a_feed_remembers_only_rows_in_flight() -> None:
    """What has landed is forgotten, so memory does not grow with the batch."""
    rows = read_rows(io.BytesIO(b"one\ntwo\n").readline, "txt")
    feed = _feed.Feed(enumerate(rows))
    items = list(feed)
    assert [item.index for item in items] == [0, 1]
    assert [feed.land(1).line, feed.land(0).line] == [2, 1]
    with pytest.raises(KeyError):
        feed.land(0)


async def test_a_source_that_waits_does_not_block_the_loop() -> None:
    """Audio goes on arriving while the next row is not written yet."""
    gate = anyio.Event()

    def waiting() -> Iterator[Any]:
        anyio.from_thread.run(gate.wait, token=token)
        yield from read_rows(io.BytesIO(b"one\n").readline, "txt")

    token = anyio.lowlevel.current_token()
    feed = _feed.Feed(enumerate(waiting()))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_feed.PipedFeed(feed).__anext__)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert feed.land(0).line == 1
