"""Segments: lossless, within their limits, the same however the text arrives."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_kit import ATOMS, quick, texts

from step_tts import _errors as errors
from step_tts._text import Boundary, Segment, Segmentation, Segmenter, segments

if TYPE_CHECKING:
    from collections.abc import Iterable

CALM = Segmentation(first_seconds=20.0)
"""No hurry at the start."""

SMALL = st.builds(
    Segmentation,
    seconds=st.sampled_from([5.0, 20.0]),
    first_seconds=st.sampled_from([1.0, 5.0]),
    max_characters=st.sampled_from([20, 45, 400]),
    max_bytes=st.sampled_from([None, 80, 150]),
)


def feed(pieces: Iterable[str], options: Segmentation | None = None) -> list[Segment]:
    segmenter = Segmenter(options)
    closed = [segment for piece in pieces for segment in segmenter.feed(piece)]
    return closed + segmenter.flush()


def spoken(text: str, options: Segmentation | None = None) -> list[str]:
    return [segment.spoken for segment in segments(text, options)]


def said(text: str, options: Segmentation | None = None) -> list[str]:
    """The sentences, over all segments."""
    return [text[slice(*span)] for part in segments(text, options) for span in part.sentences]


class TestLossless:
    @quick
    @given(texts(), SMALL)
    def test_joined_they_are_the_text(self, text: str, options: Segmentation) -> None:
        """Not a character is lost, added or moved, and the offsets say where each came from."""
        found = segments(text, options)

        assert "".join(segment.text for segment in found) == text
        assert [text[segment.start : segment.end] for segment in found] == [s.text for s in found]

    @quick
    @given(texts(), SMALL, st.randoms(use_true_random=False))
    def test_arrival_makes_no_difference(
        self, text: str, options: Segmentation, chance: random.Random
    ) -> None:
        """In one piece, a character at a time, or in any pieces: the same segments."""
        pieces, rest = [], text
        while rest:
            size = chance.choice([1, 2, 7, 60])
            pieces.append(rest[:size])
            rest = rest[size:]

        assert feed(pieces, options) == feed(text, options) == segments(text, options)

    def test_cut_anywhere_makes_no_difference(self) -> None:
        """Also inside a note behind a full stop, and before an apostrophe; from a fixed seed."""
        chance = random.Random(5)
        drawn = ["".join(chance.choices(ATOMS, k=chance.randrange(9))) for _ in range(150)]
        for text in ["He left！[12] She stayed.", "No. I'm here.", *drawn]:
            whole = segments(text)
            assert all(feed([text[:at], text[at:]]) == whole for at in range(len(text)))

    @quick
    @given(texts(), SMALL)
    def test_limits_hold(self, text: str, options: Segmentation) -> None:
        """Characters and bytes, tags included."""
        for segment in segments(text, options):
            assert len(segment.spoken) <= options.max_characters
            assert len(segment.spoken.encode()) <= (options.max_bytes or 10**6)

    @quick
    @given(texts(), SMALL)
    def test_sentences_lie_inside_in_order(self, text: str, options: Segmentation) -> None:
        """Spans without white space around, which together hold every word that is sent."""
        for segment in segments(text, options):
            ends = [segment.start, *(place for span in segment.sentences for place in span)]
            assert ends == sorted(ends)
            assert ends[-1] <= segment.end
            assert bool(segment.sentences) == bool(segment.spoken)
            for start, end in segment.sentences:
                assert text[start:end] == text[start:end].strip() != ""

    @pytest.mark.parametrize("text", ["", " ", "\n", "\ud800", "\0", "x" * 5000, "\u0301" * 900])
    def test_odd_strings(self, text: str) -> None:
        """Nothing, one blank, half a character, no character, one that is far too long."""
        assert "".join(segment.text for segment in segments(text)) == text


class TestSize:
    def test_sentences_are_merged_up_to_the_aim(self) -> None:
        """Few requests, each with whole sentences."""
        found = segments("This is one of many sentences. " * 40, CALM)

        assert {segment.boundary for segment in found} == {Boundary.SENTENCE, Boundary.PARAGRAPH}
        assert all(5 <= len(segment.sentences) <= 15 for segment in found[:-1])

    def test_the_first_is_one_sentence_and_the_next_grow(self) -> None:
        """Sound soon, and then enough of it to fetch the next."""
        sizes = [len(s.sentences) for s in segments("This is one of many sentences. " * 60)]

        assert sizes[0] == 1
        assert sizes[1] < sizes[2] < sizes[3]
        assert max(sizes) - min(sizes[4:-1]) <= 1

    def test_a_long_first_sentence_ends_at_a_clause(self) -> None:
        """The last one within the time, else the first one after it."""
        late = "a very long way to go before there is any mark at which one could pause, and on"
        early = "Well, it is " + late

        assert segments(early + " " + late)[0].spoken == "Well,"
        assert segments(late + " " + late)[0].text == late[: late.index(" and") + 1]

    def test_a_long_first_sentence_without_a_clause_stays_whole(self) -> None:
        """Nothing is divided between two words to be fast."""
        long = "so many words that follow each other without any mark for a very long while"

        assert spoken(f"{long}. Then.")[0] == f"{long}."
        assert segments(f"{long},\n\nThen.")[0].boundary is Boundary.PARAGRAPH

    def test_a_paragraph_ends_a_segment_that_is_half_full(self) -> None:
        """The pause of a blank line is better at a joint than inside."""
        half = "This is one of many sentences. " * 5
        found = segments(f"{half}\n\n{half}", CALM)

        assert [segment.boundary for segment in found] == [Boundary.PARAGRAPH] * 2

    @pytest.mark.parametrize(
        ("text", "boundary", "first"),
        [
            ("one two three, four five six", Boundary.CLAUSE, "one two three,"),
            ("one two three four five six", Boundary.SPACE, "one two three four"),
            ("onetwothreefourfivesix", Boundary.CUT, "onetwothreefourfives"),
            (
                "一二三四五六七八九十一二三四五六七，九十一二三",
                Boundary.CLAUSE,
                "一二三四五六七八九十一二三四五六七，",
            ),
            (
                "一二三四五六七八九十一二三四五六iPhone手机",
                Boundary.CUT,
                "一二三四五六七八九十一二三四五六",
            ),
            ("one two (three four) five", Boundary.SPACE, "one two (three four)"),
            ("one (two three, four) five", Boundary.SPACE, "one"),
            ("one (two three, four five six) x", Boundary.CLAUSE, "one (two three,"),
            (
                "日本語《日本語の、長い題名の本》日本語の本",
                Boundary.CUT,
                "日本語《日本語の、長い題名の本》日本語の",
            ),
        ],
    )
    def test_what_is_too_long_is_divided_as_naturally_as_it_can(
        self, text: str, boundary: Boundary, first: str
    ) -> None:
        """Clause before space before cut, and around brackets that fit."""
        found = segments(text, Segmentation(max_characters=20, first_seconds=20.0))[0]

        assert (found.boundary, found.spoken) == (boundary, first)

    def test_bytes_are_a_limit_of_their_own(self) -> None:
        """For gateways that count them."""
        found = spoken("四" * 100, Segmentation(max_bytes=90))

        assert [len(text.encode()) for text in found] == [90, 90, 90, 30]

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"seconds": 0.0}, "seconds"),
            ({"first_seconds": float("nan")}, "first_seconds"),
            ({"first_seconds": 21.0}, "first_seconds <= seconds"),
            ({"seconds": "20"}, "seconds"),
            ({"max_characters": 19}, "max_characters"),
            ({"max_characters": "400"}, "max_characters"),
            ({"max_bytes": 79}, "max_bytes"),
        ],
    )
    def test_options_are_checked(self, options: dict[str, Any], named: str) -> None:
        """The message names the option."""
        with pytest.raises(errors.ConfigurationError, match=named):
            Segmentation(**options)

    def test_short_segments_begin_with_a_short_one(self) -> None:
        """Whoever names the aim need not name the first one's."""
        assert Segmentation().first_seconds == 4.0
        assert Segmentation(seconds=3.0).first_seconds == 3.0


class TestTags:
    def test_they_are_repeated_and_count(self) -> None:
        """The model obeys tags at the very start only, so each request begins with them."""
        text = "(四川话)（慢速1） 今天天气很好。" + "我们去公园吧。" * 12
        found = segments(text, Segmentation(max_characters=30))

        assert "".join(segment.text for segment in found) == text
        assert len(found) > 2
        assert all(s.spoken.startswith("(四川话)（慢速1） ") for s in found)
        assert all(len(s.spoken) <= 30 for s in found)
        assert said(text)[0] == "今天天气很好。"

    @pytest.mark.parametrize("text", ["(Rapidly) he ran. On.", "(rap) no. On.", "走(RAP)吧。走。"])
    def test_other_brackets_are_text(self, text: str) -> None:
        """Only the words that the model knows, and only at the start."""
        assert "".join(spoken(text)) == text.replace(". O", ".O")

    def test_tags_that_leave_no_room_are_text(self) -> None:
        """Repeating them would leave nothing to say."""
        text = "(四川话)(慢速1)(高兴1) " + "好" * 20
        found = spoken(text, Segmentation(max_characters=20))

        assert "".join(found).count("四川话") == 1

    def test_tags_alone_say_nothing(self) -> None:
        """There is nothing to pay for."""
        assert [(s.text, s.spoken) for s in segments("(RAP) ")] == [("(RAP) ", "")]


class TestSilence:
    def test_ornaments_are_not_sent(self) -> None:
        """Neither alone nor between what is said."""
        text = "***\n\nHe left.\n\n* * *\n\nShe stayed.\n\n---"

        assert spoken(text, CALM) == ["He left.\n\nShe stayed."]
        assert said(text) == ["He left.", "She stayed."]

    def test_a_silent_text_is_marked(self) -> None:
        """One that goes on without end is let go in parts."""
        assert spoken("👍🏽 ***") == [""]
        assert set(spoken("* " * 5000)) == {""}
        assert len(spoken("\n" * 5000)) > 1


class TestCut:
    def test_whole_sentences_are_not_held_back(self) -> None:
        """What waits only to be merged goes at once."""
        segmenter = Segmenter(CALM)

        assert segmenter.feed("It rains. It pours. The old") == []
        assert [segment.spoken for segment in segmenter.cut()] == ["It rains. It pours."]
        assert segmenter.pending == "The old"
        assert segmenter.cut() == []
        assert [segment.spoken for segment in segmenter.flush()] == ["The old"]

    @pytest.mark.parametrize(
        ("text", "weakest", "boundary", "cut"),
        [
            ("It rains.", Boundary.SENTENCE, Boundary.SENTENCE, "It rains."),
            ("下雨了。", Boundary.SENTENCE, Boundary.SENTENCE, "下雨了。"),
            ("Mr.", Boundary.CLAUSE, None, ""),
            ("It is 3.", Boundary.CLAUSE, None, ""),
            ("If it rains, we", Boundary.CLAUSE, Boundary.CLAUSE, "If it rains,"),
            ("If it rains, we", Boundary.SENTENCE, None, ""),
            ("If it rai", Boundary.SPACE, Boundary.SPACE, "If it"),
            ("If it rai", Boundary.CLAUSE, None, ""),
            ("We go (if it rains, or", Boundary.SPACE, Boundary.SPACE, "We go"),
            ("下雨了，我", Boundary.CLAUSE, Boundary.CLAUSE, "下雨了，"),
            ("", Boundary.SPACE, None, ""),
            ("...", Boundary.SPACE, None, ""),
            ("(RAP", Boundary.SPACE, None, ""),
        ],
    )
    def test_the_unfinished_sentence(
        self, text: str, weakest: Boundary, boundary: Boundary | None, cut: str
    ) -> None:
        """Ends at the last good place that is there, and no weaker than allowed."""
        segmenter = Segmenter()
        assert segmenter.feed(text) == []
        closed = segmenter.cut(weakest)

        assert [(segment.boundary, segment.spoken) for segment in closed] == (
            [] if boundary is None else [(boundary, cut)]
        )
        assert "".join(segment.text for segment in closed + segmenter.flush()) == text

    @quick
    @given(texts(), st.sampled_from(list(Boundary)))
    def test_cuts_lose_nothing_and_keep_the_limits(self, text: str, weakest: Boundary) -> None:
        """However often the listener runs dry."""
        segmenter = Segmenter(Segmentation(max_characters=20, max_bytes=80))
        closed: list[Segment] = []
        for character in text:
            closed += segmenter.feed(character)
            closed += segmenter.cut(weakest)
        closed += segmenter.flush()

        assert "".join(segment.text for segment in closed) == text
        assert all(len(segment.spoken.encode()) <= 80 for segment in closed)
