"""Cues: the words of each segment in its time, readable, in files that players accept."""

from __future__ import annotations

import re

import pytest
from gold_set import LANGUAGES, PARTS, read
from hypothesis import given
from hypothesis import strategies as st
from text_kit import quick, texts

from step_tts._text import Cue, Segmentation, SubtitleFormat, Subtitles, cues, segments
from step_tts._text._subtitles import COLUMNS, _width

CALM = Segmentation(first_seconds=20.0)


def all_cues(text: str) -> list[Cue]:
    """Each segment is heard for ten seconds."""
    parts = segments(text, CALM)
    return [
        cue
        for number, part in enumerate(parts)
        for cue in cues(part.sentence_texts, 10 * number, 10 * number + 10)
    ]


def solid(text: str) -> str:
    return "".join(text.split())


class TestCues:
    def test_a_sentence_is_a_cue(self) -> None:
        """The time of the segment is shared by how long each takes to say."""
        first, second, third = all_cues("It rains. It pours all day long. 下雨了。")

        assert [cue.lines for cue in (first, second, third)] == [
            ("It rains.",),
            ("It pours all day long.",),
            ("下雨了。",),
        ]
        assert first.start == 0
        assert third.end == pytest.approx(10)
        assert (first.end, second.end) == (second.start, third.start)
        assert second.end - second.start > first.end - first.start

    def test_long_sentences_become_two_lines_then_several_cues(self) -> None:
        """Balanced, at clauses where they are near."""
        clause = "the old man walked along the river bank, "
        shown = [cue.lines for cue in all_cues(clause * 5 + "and home.")]

        assert len(shown) == 3
        assert all(len(lines) == 2 for lines in shown)
        assert all(lines[-1].endswith((",", ".")) for lines in shown)

    def test_no_line_of_chinese_begins_with_a_comma(self) -> None:
        """Nor ends with an opening mark."""
        lines = [
            line
            for cue in all_cues("他说：“今天天气（真的）很好，我们去公园吧，好吗。”" * 9)
            for line in cue.lines
        ]

        assert len(lines) > 9
        assert [line for line in lines if line[0] in "，。！？：”）" or line[-1] in "“（"] == []

    @quick
    @given(texts(), st.floats(0, 9000), st.floats(0.5, 60))
    def test_nothing_spoken_is_missing(self, text: str, start: float, length: float) -> None:
        """All sentences are shown, in order, in lines that fit, one cue after the other."""
        for segment in segments(text):
            found = cues(segment.sentence_texts, start, start + length)
            times = [time for cue in found for time in (cue.start, cue.end)]
            sentences = "".join(text[slice(*span)] for span in segment.sentences)
            shown = "".join(line for cue in found for line in cue.lines)

            assert times == sorted(times)
            assert _visible(shown) == _visible(sentences)
            assert all(_width(line) <= COLUMNS for cue in found for line in cue.lines)
            assert all(1 <= len(cue.lines) <= 2 for cue in found)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_gold(self, language: str) -> None:
        """Real sentences keep their words whole."""
        for part in PARTS:
            for passage in read(language, part):
                shown = [line for cue in all_cues(passage.text) for line in cue.lines]
                assert solid("".join(shown)) == solid(passage.text)


def _visible(text: str) -> str:
    return re.sub(r"\W", "", text)


CUE = Cue(3661.5, 3662.0, ("a < b & c", "--> <i>x</i>"))


class TestFormats:
    @pytest.mark.parametrize(
        ("kind", "written"),
        [
            (
                "vtt",
                """WEBVTT\n\n1\n01:01:01.500 --> 01:01:02.000\na &lt; b &amp; c
--&gt; &lt;i&gt;x&lt;/i&gt;\n\n""",
            ),
            (
                "srt",
                "1\n01:01:01,500 --> 01:01:02,000\na < b & c\n--\u2060> <\u2060i>x<\u2060/i>\n\n",
            ),
        ],
    )
    def test_written(self, kind: SubtitleFormat, written: str) -> None:
        """Times in the notation of each, and nothing in the text that reads as one."""
        subtitles = Subtitles(kind)

        assert subtitles.header + subtitles.add(CUE) == written

    @quick
    @given(st.lists(st.tuples(st.floats(0, 400_000), st.floats(0, 5)), max_size=9))
    def test_cues_never_overlap(self, spans: list[tuple[float, float]]) -> None:
        """Whatever times come in, each cue lasts and begins where the last ended or later."""
        subtitles, last = Subtitles("srt"), -1
        for start, length in spans:
            written = subtitles.add(Cue(start, start + length, ("x",)))
            begin, end = (
                int(h) * 3600000 + int(m) * 60000 + int(s) * 1000 + int(ms)
                for h, m, s, ms in re.findall(r"(\d{2,}):(\d\d):(\d\d),(\d{3})", written)
            )
            assert last <= begin < end
            last = end

    def test_numbers_count_up(self) -> None:
        """One cue at a time, as a stream is written."""
        subtitles = Subtitles("vtt")

        assert [subtitles.add(CUE).split("\n", 1)[0] for _ in range(3)] == ["1", "2", "3"]
