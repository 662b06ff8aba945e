from __future__ import annotations

import json
import wave
from typing import TYPE_CHECKING

import pytest
from cli_kit import step_tts

from step_tts._formats import AudioFormat
from step_tts._inspect import OPEN_END
from step_tts._models import AudioInfo
from step_tts.cli import _sniff

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """Half a second of silence."""
    path = tmp_path / "你好.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 4000, "NONE", ""))
        file.writeframes(bytes(8000))
    return path


def test_a_table_for_people(wav: Path) -> None:
    """A line a file, whole even where the terminal is narrow or absent."""
    result = step_tts("sniff", wav, wav)
    assert (result.exit_code, result.stderr) == (0, "")
    header, first, second = map(str.rstrip, result.stdout.splitlines())
    assert header.split() == ["file", "format", "length", "rate", "channels", "size", "verdict"]
    assert first == second
    facts = first.removeprefix(str(wav)).split("  ")
    assert [fact.strip() for fact in facts if fact.strip()] == [
        "wav pcm_s16le",
        "0.50 s",
        "8000 Hz",
        "mono",
        "8.0 kB",
        "whole",
    ]


def test_a_dash_is_standard_input(wav: Path) -> None:
    """What another program writes is checked as it comes."""
    whole, cut = wav.read_bytes(), wav.read_bytes()[:-100]
    assert step_tts("sniff", "-", stdin=whole).stdout.splitlines()[1].rstrip().endswith("whole")
    result = step_tts("sniff", "-", "--json", stdin=cut)
    record = json.loads(result.stdout)
    assert (result.exit_code, record["path"], record["whole"]) == (1, "-", False)


def test_what_is_not_whole_says_why(wav: Path, tmp_path: Path) -> None:
    """Exit code 1 if any is not; the others are told all the same."""
    cut, page, missing = tmp_path / "cut.wav", tmp_path / "page.mp3", tmp_path / "missing"
    cut.write_bytes(wav.read_bytes()[:-100])
    page.write_bytes(b"<html>no</html>")
    result = step_tts("sniff", wav, cut, page, missing, tmp_path)
    assert result.exit_code == 1
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines[1].endswith("whole")
    assert len(lines) == 6
    assert "HTML" in lines[3]
    assert lines[4].endswith("No such file or directory")
    assert lines[5].endswith("Is a directory")


def test_json_is_a_line_a_file(wav: Path, tmp_path: Path) -> None:
    """With numbers, and the class of the error."""
    missing = tmp_path / "missing"
    result = step_tts("sniff", "--json", wav, missing)
    assert result.exit_code == 1
    whole, broken = (json.loads(line) for line in result.stdout.splitlines())
    assert whole == {
        "path": str(wav),
        "whole": True,
        "format": "wav",
        "codec": "pcm_s16le",
        "duration": 0.5,
        "sample_rate": 8000,
        "channels": 1,
        "size": 8044,
        "checked": "chunks",
        "warnings": [],
    }
    assert (broken["path"], broken["whole"]) == (str(missing), False)
    assert broken["error"] == "FileNotFoundError"
    assert step_tts("sniff", "--json", wav).exit_code == 0


def test_a_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Nor is it read as markup."""
    result = step_tts("sniff", tmp_path / "[red]\x1b[2J:smile:")
    assert "[red]\\x1b[2J:smile:" in result.stdout
    assert "\x1b" not in result.stdout


def test_a_terminal_has_a_width(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There long names are folded; nothing is cut off."""
    monkeypatch.setattr(_sniff, "is_terminal", lambda _: True)
    monkeypatch.setenv("COLUMNS", "60")
    result = step_tts("sniff", wav)
    assert max(map(len, result.stdout.splitlines())) <= 60
    folded = "".join(line.split(" ")[0] for line in result.stdout.splitlines())
    assert folded == f"file{wav}"


@pytest.mark.parametrize(
    ("info", "cells"),
    [
        (
            AudioInfo(format=AudioFormat.MP3, codec="mp3", size=1, checked="frames"),
            ("mp3", "length unknown", "", "", "1 B", "whole"),
        ),
        (
            AudioInfo(format=AudioFormat.AMR, size=1, warnings=("odd.", "old.")),
            ("amr", "length unknown", "", "", "1 B", "good head; odd.; old."),
        ),
        (
            AudioInfo(format=AudioFormat.WAV, size=1, checked="chunks", warnings=(OPEN_END,)),
            ("wav", "length unknown", "", "", "1 B", f"perhaps whole; {OPEN_END}"),
        ),
        (
            AudioInfo(format=AudioFormat.PCM, size=1, checked="nothing"),
            ("pcm", "length unknown", "", "", "1 B", "not checked"),
        ),
    ],
)
def test_the_verdict_says_how_deep_the_check_went(info: AudioInfo, cells: tuple[str, ...]) -> None:
    """Only what was walked to its end is called whole."""
    assert _sniff._cells(info) == cells
