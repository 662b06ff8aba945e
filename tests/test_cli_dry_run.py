from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cli_kit import contents, seal, step_tts

from step_tts._batch._journal import JOURNAL_NAME, JournalFile
from step_tts.cli._dry_run import Forecast, speech_seconds

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from step_tts.sandbox import Sandbox

ROWS = """\
{"input": "Hello there."}
{"input": "Hello there.", "name": "again"}
{"input": "你好，世界"}
{"inptu": "malformed"}
{"input": "A link", "prompt_audio_url": "ftp://no"}
{"input": "Slow", "speed": 0.5}
"""


def arguments(folder: Path, rows: str = ROWS) -> list[str | Path]:
    (folder / "rows.jsonl").write_text(rows, "utf-8")
    return ["batch", folder / "rows.jsonl", "--to", folder / "out"]


def dry(folder: Path, *more: str, rows: str = ROWS) -> dict[str, Any]:
    """The figures of a dry run."""
    result = step_tts(*arguments(folder, rows), "--dry-run", "--json", *more)
    return dict(json.loads(result.stdout))


def test_it_counts_and_needs_neither_key_nor_directory(tmp_path: Path) -> None:
    """Malformed rows and those the wire refuses are named, and the exit code says so."""
    result = step_tts(*arguments(tmp_path), "--dry-run", "--price-per-1k", "20")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "rows: 6",
        "characters: 33",
        "cannot be spoken: 2",
        "same as an earlier row: 1",
        "to send: 3, with 21 characters",
        "audio: about 3 s",
        "cost: 0.42",
    ]
    assert "(line 4)" in result.stderr
    assert "(line 5)" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.jsonl"]


def test_what_is_done_is_not_sent(server: Sandbox, tmp_path: Path) -> None:
    """Also where another row has it; and nothing is written into the directory."""
    step_tts(*arguments(tmp_path), "--limit", "1")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    found = dry(tmp_path)
    assert (found["done"], found["duplicates"], found["sent"]) == (1, 1, 2)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert len(server.requests) == 1
    assert step_tts(*arguments(tmp_path)).exit_code == 1
    assert len(server.requests) == 3
    found = dry(tmp_path)
    assert (found["done"], found["sent"], found["audio_seconds"]) == (4, 0, 0.0)
    assert "done already: 4" in step_tts(*arguments(tmp_path), "--dry-run").stdout


def test_it_reads_where_nothing_can_be_written(
    server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done is found on a read-only file system as well."""
    command = arguments(tmp_path)
    step_tts(*command)
    seal(tmp_path / "out", monkeypatch)
    before = contents(tmp_path)
    result = step_tts(*command, "--dry-run", "--json")
    assert json.loads(result.stdout)["done"] == 4
    assert contents(tmp_path) == before


def test_a_batch_that_was_killed_before_it_began_is_left_at_that(tmp_path: Path) -> None:
    """The tables of a journal are for a run to make, with the options that it has."""
    command = arguments(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / JOURNAL_NAME).touch()
    before = contents(tmp_path)
    result = step_tts(*command, "--dry-run", "--json")
    assert json.loads(result.stdout)["sent"] == 3
    assert contents(tmp_path) == before


def test_without_resuming_everything_is_sent(server: Sandbox, tmp_path: Path) -> None:
    """Equal rows too."""
    step_tts(*arguments(tmp_path), "--limit", "1")
    found = dry(tmp_path, "--no-resume")
    assert (found["done"], found["duplicates"], found["sent"]) == (0, 1, 4)


def test_failures_are_sent_again_unless_they_are_kept(server: Sandbox, tmp_path: Path) -> None:
    """As the run itself would do."""
    server.faults = "http-400"
    rows = '{"input": "One"}\n'
    step_tts(*arguments(tmp_path, rows))
    assert dry(tmp_path, rows=rows)["sent"] == 1
    found = dry(tmp_path, "--keep-failures", rows=rows)
    assert (found["sent"], found["kept"]) == (0, 1)
    shown = step_tts(*arguments(tmp_path, rows), "--dry-run", "--keep-failures").stdout
    assert "failed before, not retried: 1" in shown


def test_a_journal_that_another_run_holds_cannot_be_asked(tmp_path: Path) -> None:
    """That is said, and the rest is counted all the same."""
    (tmp_path / "out").mkdir()
    options = {"model": "Step-Audio-TTS-3B", "prompt_placement": "nested"}
    journal = JournalFile(tmp_path / "out", {**options, "name": "x", "repair": True})
    try:
        assert dry(tmp_path)["done"] is None
        shown = step_tts(*arguments(tmp_path), "--dry-run").stdout
        assert "another run is using the directory" in shown
    finally:
        journal.close()


def test_other_options_are_refused_as_by_the_run(server: Sandbox, tmp_path: Path) -> None:
    """The figures would be of something that cannot be."""
    step_tts(*arguments(tmp_path))
    options = ("--name", "{index}-{slug}", "--dry-run")
    result = step_tts(*arguments(tmp_path), *options)
    assert result.exit_code == 2
    assert "name" in result.stderr


def test_speech_takes_the_time_of_its_script() -> None:
    """Four and a half characters a second in Chinese, fourteen and a half in English."""
    assert speech_seconds("a" * 29) == 2.0
    assert speech_seconds("好" * 9) == 2.0
    assert speech_seconds("好" * 9 + "é" * 29) == 4.0


def test_a_price_of_nothing_is_a_price() -> None:
    """And no price is none."""
    assert Forecast(price=0.0, sent_characters=10).cost == 0.0
    assert Forecast(sent_characters=10).cost is None
    assert list(Forecast(price=0.0).lines())[-1] == "cost: 0"
    assert list(Forecast(price=1.0, sent_characters=1_500_000).lines())[-1] == "cost: 1,500.00"
