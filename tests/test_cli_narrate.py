from __future__ import annotations

import contextlib
import io
import json
import random
import signal
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import rich.console
from cli_kit import sandbox_in_env, spoken, started, step_tts, wait_for
from scripted import audio_in

from step_tts import NarratedSegment, inspect
from step_tts._text import segments
from step_tts.cli import _narrate, _progress
from step_tts.cli._narration_progress import NarrationProgress
from step_tts.cli._pace import Pace
from step_tts.cli._parts import remove_parts
from step_tts.sandbox import Faults, ToneVoice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from step_tts.sandbox import Sandbox

BOOK = """\
# Two rivers

A word before.

## One

It rises in the hills. In spring it is loud.

## 第二章 长江

长江是亚洲最长的河流。
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def narrate(folder: Path, text: str, *arguments: str, name: str = "in.md") -> Result:
    """Narrate a file of this text into ``out``."""
    (folder / name).write_text(text, "utf-8")
    return step_tts("narrate", name, "-o", "out", *arguments)


def left(folder: Path) -> list[str]:
    """What stands there but the text."""
    return sorted(path.name for path in folder.iterdir() if path.name != "in.md")


def test_a_text_becomes_one_file(server: Sandbox, here: Path) -> None:
    """Words for people go to stderr; nothing else is left."""
    result = narrate(here, BOOK)
    assert (result.exit_code, result.stdout) == (0, "")
    info = inspect(here / "out.wav")
    assert result.stderr.startswith(f"out.wav: wav, {info.duration:.2f} s, 22050 Hz, mono, ")
    assert left(here) == ["out.wav"]
    assert sorted("\n\n".join(spoken(server)).split()) == sorted(BOOK.replace("#", "").split())
    assert narrate(here, BOOK, "-q").output == ""


def test_each_chapter_becomes_a_file_in_a_playlist(server: Sandbox, here: Path) -> None:
    """With names for any file system, and subtitles beside them."""
    result = narrate(here, BOOK, "--chapters", "--subtitles", "vtt", "--pause", "0.5")
    assert result.exit_code == 0, result.output
    names = ["01-Two-rivers", "02-One", "03-第二章-长江"]
    assert left(here) == ["out"]
    assert left(here / "out") == sorted(
        [*(name + suffix for name in names for suffix in (".wav", ".vtt")), "out.m3u8"]
    )
    seconds = [round(inspect(path).duration or 0) for path in sorted((here / "out").glob("*.wav"))]
    assert (here / "out/out.m3u8").read_text("utf-8") == (
        f"#EXTM3U\n#EXTINF:{seconds[0]},Two rivers\n01-Two-rivers.wav\n"
        f"#EXTINF:{seconds[1]},One\n02-One.wav\n"
        f"#EXTINF:{seconds[2]},第二章 长江\n03-第二章-长江.wav\n"
    )
    subtitles = (here / "out/02-One.vtt").read_text("utf-8")
    assert subtitles.startswith("WEBVTT\n\n1\n00:00:00.000 --> ")
    assert "It rises in the hills." in subtitles


def test_json_is_one_object_a_file(server: Sandbox, here: Path) -> None:
    """Nothing is said on stderr then."""
    result = narrate(here, BOOK, "--chapters", "--json", "--subtitles", "srt")
    assert result.stderr == ""
    first, second, _ = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["path"], first["subtitles"]) == ("out/01-Two-rivers.wav", "out/01-Two-rivers.srt")
    assert (second["title"], second["characters"], second["suspects"]) == ("One", 49, [])
    assert second["segments"] == second["attempts"] == 2
    assert first["duration"] == inspect(here / first["path"]).duration
    whole = json.loads(step_tts("narrate", "in.md", "-o", "whole", "--json").stdout)
    assert (whole["subtitles"], whole["segments"]) == (None, 3)


class Lazy(ToneVoice):
    """Says nothing of what it finds hard."""

    def speak(self, text: str) -> Iterator[bytes]:
        return (bytes(len(piece)) if "hard" in text else piece for piece in super().speak(text))


def test_suspects_are_reported_by_place_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, here: Path
) -> None:
    """Their words are not shown."""
    text = "This is easy. This one is hard to say. And so on."
    with sandbox_in_env(monkeypatch, voice=Lazy()) as server:
        result = narrate(here, text)
        assert result.exit_code == 0
        assert result.stderr.splitlines()[1:] == [
            "suspect: out.wav: segment 2 is silent (characters 14 to 49, heard at 0.74 s)"
        ]
        record = json.loads(narrate(here, text, "--json", "--retry-suspects").stdout)
        (suspect,) = record["suspects"]
        assert (suspect["segment"], suspect["suspect"]) == (2, "silent")
        assert (suspect["text_start"], suspect["text_end"]) == (14, 49)
        assert spoken(server).count("This one is hard to say. And so on.") == 3
        assert "suspect" not in narrate(here, text, "-q").stderr


def test_a_dash_streams_to_standard_output(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    """The audio and nothing but the audio; no file, and nothing kept."""
    (here / "in.md").write_text("This is easy. This one is hard to say. And so on.", "utf-8")
    with sandbox_in_env(monkeypatch, voice=Lazy(), faults=Faults(schedule=[None, "cut@4000"])):
        result = step_tts("narrate", "in.md", "-o", "-")
        quiet = step_tts("narrate", "in.md", "-o", "-", "-q")
    assert result.exit_code == 0, result.stderr
    assert left(here) == []
    first, second = result.stderr.splitlines()
    assert first.startswith("standard output: wav, ")
    assert second.startswith("suspect: standard output: segment 2 is silent ")
    assert quiet.output_bytes == result.stdout_bytes
    (here / "out.wav").write_bytes(result.stdout_bytes)
    assert inspect(here / "out.wav").duration


def test_standard_input_is_plain_text_unless_it_says_so(server: Sandbox, here: Path) -> None:
    """Markdown would be read aloud with its marks."""
    for form in ([], ["--input-format", "md"]):
        result = step_tts("narrate", "-", "-o", "out", *form, stdin="# 你好\r\n".encode())
        assert result.exit_code == 0, result.output
    assert spoken(server) == ["# 你好", "你好"]


def test_a_book_is_read(server: Sandbox, here: Path) -> None:
    """Told by its suffix."""
    with zipfile.ZipFile(here / "in.epub", "w") as archive:
        kind = 'media-type="application/xhtml+xml"'
        archive.writestr("META-INF/container.xml", '<rootfile full-path="o.opf"/>')
        archive.writestr("o.opf", f'<item id="a" href="a.html" {kind}/><itemref idref="a"/>')
        archive.writestr("a.html", "<h1>One</h1><p>First.<h1>Two</h1><p>Second.")
    result = step_tts("narrate", "in.epub", "-o", "out", "--chapters")
    assert result.exit_code == 0, result.output
    assert [path.name for path in sorted((here / "out").glob("*.wav"))] == [
        "01-One.wav",
        "02-Two.wav",
    ]


def test_plain_text_stays_as_it_is(server: Sandbox, here: Path) -> None:
    """In its own encoding too; joined again, its chapters are the text."""
    (here / "in.txt").write_bytes("第一章 甲\n正文。\n第二章 乙\n完。".encode("gb18030"))
    result = step_tts("narrate", "in.txt", "-o", "out", "--encoding", "gb18030", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["characters"] == 18
    assert (
        step_tts("narrate", "in.txt", "-o", "out", "--encoding", "gbk", "--chapters").exit_code == 0
    )
    assert [path.name for path in sorted((here / "out").glob("*.wav"))] == [
        "01-第一章-甲.wav",
        "02-第二章-乙.wav",
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["in.md"], "Missing option '-o'"),
        (["missing.txt", "-o", "out"], "does not exist"),
        (
            ["in.html", "-o", "out"],
            "name its format with --input-format; only the suffixes .epub, .markdown",
        ),
        (["in.html", "-o", "out", "--input-format", "epub"], "not an EPUB"),
        (["empty.md", "-o", "out"], "There is nothing to say: empty.md contains no words."),
        (["latin.txt", "-o", "out"], "latin.txt is not utf-8: name its encoding"),
        (["wide.txt", "-o", "out"], "wide.txt is not utf-8: name its encoding"),
        (["in.md", "-o", "out", "--encoding", "utf-9"], "There is no encoding 'utf-9'"),
        (["in.md", "-o", "out", "--subtitles", "ass"], "'ass' is not one of 'srt', 'vtt'"),
        (["in.md", "-o", "out", "--pause", "-1"], "x>=0"),
        (["in.md", "-o", "out", "-x", "-1"], "speed must be"),
        (["in.md", "-o", "."], "'.' cannot name what is saved"),
        (["in.md", "-o", "sub/.."], "'sub/..' cannot name what is saved"),
        (["in.md", "-o", "/", "--chapters"], "'/' cannot name what is saved"),
        (["in.md", "-o", "folder"], "folder is a directory: name a file in it"),
        (["in.md", "-o", "none/"], "none/ is a directory: name a file in it"),
        (["in.md", "-o", "-", "--chapters"], "write files: name them with -o"),
        (["in.md", "-o", "-", "--subtitles", "srt"], "write files: name them with -o"),
        (["in.md", "-o", "-", "--json"], "both write to standard output"),
    ],
)
def test_what_cannot_be_narrated_is_refused_before_anything_is_sent(
    server: Sandbox, here: Path, arguments: list[str], reason: str
) -> None:
    """Exit code 2: usage."""
    for name, data in {
        "in.md": b"A",
        "in.html": b"A",
        "empty.md": b"***",
        "latin.txt": b"\xe9",
        "wide.txt": "A book.".encode("utf-16-le"),
    }.items():
        (here / name).write_bytes(data)
    (here / "folder").mkdir()
    result = step_tts("narrate", *arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert server.requests == []


def test_options_hold_for_every_segment(server: Sandbox, here: Path) -> None:
    result = narrate(here, BOOK, "-v", "alloy", "-x", "1.5", "-c", "1", "--ahead", "0")
    assert result.exit_code == 0, result.output
    assert {(seen.json["voice"], seen.json["speed"]) for seen in server.requests} == {
        ("alloy", 1.5)
    }
    assert server.peak_in_flight == 1


def test_after_a_failure_only_what_is_missing_is_paid_for(server: Sandbox, here: Path) -> None:
    """The line that goes on is printed; a chapter that was whole is made of what was kept."""
    server.faults = Faults(by_number={4: "http-400"})
    result = narrate(here, BOOK, "--chapters", "-c", "1")
    assert (result.exit_code, result.stdout) == (1, "")
    *_, error, again = result.stderr.splitlines()
    assert again == "to continue, run: app narrate in.md -o out --chapters -c 1"
    assert error.startswith("error: ")
    assert left(here) == ["out", "out.parts"]
    whole = (here / "out/01-Two-rivers.wav").read_bytes()
    server.faults = None
    assert narrate(here, BOOK, "--chapters", "-c", "1").exit_code == 0
    assert (here / "out/01-Two-rivers.wav").read_bytes() == whole
    paid = [
        text
        for seen, text in zip(server.requests, spoken(server), strict=True)
        if seen.status == 200
    ]
    assert len(paid) == len(set(paid)) == 6
    assert left(here) == ["out"]


def test_nothing_is_kept_where_nothing_is_to_be(server: Sandbox, here: Path) -> None:
    """And nothing is looked for."""
    server.faults = Faults(by_number={3: "http-400"})
    result = narrate(here, BOOK, "-c", "1", "--no-resume")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert result.stderr.endswith("\nunfinished audio was not kept\n")
    assert left(here) == []
    server.faults = Faults(schedule=["cut@4000"])
    assert narrate(here, BOOK, "--no-resume").exit_code == 0
    assert left(here) == ["out.wav"]


def test_a_failure_before_any_answer_names_no_way_on(server: Sandbox, here: Path) -> None:
    server.faults = "http-401"
    result = narrate(here, BOOK)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


def test_only_what_is_ours_is_removed(here: Path) -> None:
    """A directory of that name may hold other things."""
    parts = here / "out.parts"
    for name in ("01", "02", "photos"):
        (parts / name).mkdir(parents=True)
        (parts / name / "file").touch()
    for name in ("01", "02"):
        (parts / name / ".step_tts.sqlite3").touch()
    remove_parts(parts)
    assert [path.name for path in parts.iterdir()] == ["photos"]


SENTENCES = "\n\n".join(
    f"Sentence number {number} of this book is not short." for number in range(24)
)


def finished(folder: Path) -> set[str]:
    """The words of the segments that stand in the directory of parts."""
    texts = [each.spoken for each in segments(SENTENCES) if each.spoken]
    return {texts[int(path.stem)] for path in audio_in(folder)}


def test_a_killed_narration_goes_on_and_ends_the_same(
    monkeypatch: pytest.MonkeyPatch, here: Path
) -> None:
    """To the byte; and what was finished is not paid for again."""
    chance = random.Random(1)
    with sandbox_in_env(monkeypatch, latency=0.02) as server:
        assert narrate(here, SENTENCES, "--pause", "0.2").exit_code == 0
        undisturbed = (here / "out.wav").read_bytes()
        (here / "out.wav").unlink()
        server.clear()
        for _ in range(2):
            before = len(server.requests)
            process = started("narrate", "in.md", "-o", "out", "--pause", "0.2", "-c", "2")
            wait_for(server, before + chance.randrange(2, 6))
            time.sleep(chance.uniform(0.0, 0.05))
            process.kill()
            process.communicate()
            kept = finished(here / "out.parts")
            seen = len(server.requests)
        assert not (here / "out.wav").exists()
        assert narrate(here, SENTENCES, "--pause", "0.2").exit_code == 0
    assert (here / "out.wav").read_bytes() == undisturbed
    assert kept
    assert not kept & set(spoken(server)[seen:])
    assert left(here) == ["out.wav"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, here: Path, number: int
) -> None:
    """Exit code 130, or 143."""
    (here / "in.md").write_text(SENTENCES)
    with sandbox_in_env(monkeypatch, latency=0.02) as server:
        process = started("narrate", "in.md", "-o", "out", "-c", "2", "--api-key", "sandbox-key")
        wait_for(server, 4)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + number, b"")
    assert err.decode() == (
        "interrupted; to continue, run: step-tts narrate in.md -o out -c 2 --api-key KEY\n"
    )
    assert finished(here / "out.parts")


def test_standard_input_is_to_be_sent_again(
    server: Sandbox, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read is gone."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_narrate._Job, "_speak", interrupt)
    result = step_tts("narrate", "-", "-o", "out", stdin=b"Hello")
    assert result.exit_code == 130
    assert result.stderr == (
        "interrupted; to continue, send the same input to: app narrate - -o out\n"
    )


@pytest.mark.parametrize(
    ("options", "shown"),
    [((), True), (("--no-progress",), False), (("-q",), False), (("--json",), False)],
)
def test_a_display_is_drawn_for_a_person(
    server: Sandbox, here: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str], shown: bool
) -> None:
    """On a terminal, unless it is not wanted or other lines go there."""
    seen: list[tuple[NarrationProgress, bool]] = []

    @contextlib.contextmanager
    def recorded(progress: Any, *, shown: bool) -> Iterator[None]:
        seen.append((progress, shown))
        yield

    monkeypatch.setattr(_narrate, "shown_on_stderr", recorded)
    monkeypatch.setattr(_progress, "is_terminal", lambda _: True)
    assert narrate(here, BOOK, "--chapters", *options).exit_code == 0
    ((progress, was_shown),) = seen
    assert was_shown is shown
    assert (progress.files, progress.file) == (3, 3)
    assert progress.characters == progress.total == 94


class Spoken:
    """A narration as far as the display knows it."""

    segments: tuple[NarratedSegment, ...] = ()

    def add(self, characters: int, seconds: float) -> None:
        """One more segment is finished."""
        self.segments += (
            NarratedSegment(
                text="", text_start=0, text_end=characters, sentences=(), start=0.0, end=seconds,
                request_id=None, attempts=1, suspect=None,
            ),
        )  # fmt: skip


def test_the_display_says_how_far_it_is() -> None:
    """What an earlier run had finished counts as done, and in no rate."""
    now = [100.0]
    progress = NarrationProgress(total=1000, files=2, pace=Pace(lambda: now[0]))
    assert progress.left() == ""
    narration: Any = Spoken()
    progress.begin(narration)
    narration.add(500, 60.0)
    progress.look()
    now[0] += 10
    progress.gauges.answers.add(1.0)
    narration.add(100, 20.0)
    narration.add(50, 10.0)
    progress.end()
    progress.look()
    assert progress.counts() == "file 1 of 2 · 650 of 1,000 characters · 1:30 of audio"
    assert progress.speed() == "2.0 s of audio/s"
    assert progress.left() == "35 s left"
    console = rich.console.Console(width=100, file=io.StringIO(), record=True)
    console.print(progress)
    assert "65 % 35 s left" in console.export_text()
