"""Expected seconds: near what voices need, and bounds that cry wolf for none of them."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import pytest
from gold_set import LANGUAGES, PARTS, read
from hypothesis import given
from text_kit import quick, texts

from step_tts._text import expected_seconds, implausible
from step_tts.sandbox import EspeakVoice

LINES = Path(__file__).parents[1] / "docs" / "examples" / "lines.txt"
SHORT = [
    "Oh!",
    "Hm.",
    "K",
    "No",
    "嗯。",
    "啊？",
    "哦",
    "2024",
    "A",
    "OK!",
    "1,234,567",
    "$1.5 million",
]

needs_voice = pytest.mark.skipif(
    find_spec("espeakng_loader") is None, reason="espeakng-loader is not installed"
)


@cache
def spoken(text: str) -> float:
    voice = EspeakVoice()
    return sum(map(len, voice.speak(text))) / 2 / voice.sample_rate


def gold(language: str) -> list[str]:
    """The texts of the gold set; the paragraphs of each."""
    passages = (passage for part in PARTS for passage in read(language, part))
    return [line for passage in passages for line in passage.text.split("\n\n")]


@quick
@given(texts())
def test_a_longer_beginning_takes_longer(text: str) -> None:
    """The hurried first segment relies on it."""
    times = [expected_seconds(text[:length]) for length in range(len(text) + 1)]

    assert times == sorted(times)


@needs_voice
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_estimate_is_near_a_real_voice(language: str) -> None:
    """In the middle within two fifths of the sandbox's voice, which is slow in Chinese."""
    ratios = [spoken(text) / expected_seconds(text) for text in gold(language)[::6]]

    assert 0.7 < median(ratios) < 1.4


@needs_voice
@pytest.mark.parametrize("language", LANGUAGES)
def test_whole_speech_is_plausible(language: str) -> None:
    """Every text of the gold set, as the sandbox says it, at half and at twice the pace too."""
    for text in gold(language)[::5]:
        for speed in (0.5, 1.0, 2.0):
            assert implausible(text, spoken(text) / speed, speed) is None, text


@needs_voice
def test_lines_and_interjections_are_plausible() -> None:
    """The shortest sounds are never an alarm."""
    for text in [*LINES.read_text("utf-8").splitlines(), *SHORT]:
        assert implausible(text, spoken(text)) is None, text


@needs_voice
@pytest.mark.parametrize("language", LANGUAGES)
def test_truncated_speech_is_found(language: str) -> None:
    """The first fifth of anything that takes five seconds or more, and ten times as much."""
    long = [text for text in gold(language)[::6] if spoken(text) > 5]
    assert len(long) > 3

    assert {implausible(text, spoken(text) / 5) for text in long} == {"short"}
    assert {implausible(text, spoken(text) * 10) for text in long} == {"long"}


@pytest.mark.parametrize("text", SHORT)
@pytest.mark.parametrize("seconds", [0.15, 3.0])
def test_short_texts_are_not_judged_short(text: str, seconds: float) -> None:
    """A grunt or a drawl."""
    if expected_seconds(text) < 1.3:
        assert implausible(text, seconds) is None


def test_fast_and_slow_people_are_plausible() -> None:
    """Six Chinese characters a second or three; 20 English characters a second or ten."""
    chinese, english = "今天天气很好" * 20, "a word is four " * 20

    assert [implausible(chinese, 120 / rate) for rate in (6.5, 3)] == [None, None]
    assert [implausible(english, 300 / rate) for rate in (22, 10)] == [None, None]


def test_tags_do_not_count() -> None:
    """They are obeyed, not said."""
    assert implausible("(四川话)(慢速1)(高兴1)(四川话)(慢速1)好", 0.3) is None


@pytest.mark.parametrize("seconds", [0.0, 100.0])
@pytest.mark.parametrize("text", ["*** 👍🏽", "・・・", "゛"])
def test_nothing_to_say_has_no_length(text: str, seconds: float) -> None:
    """Whatever a voice makes of it; marks among the letters of a script are no letters."""
    assert expected_seconds(text) == 0
    assert implausible(text, seconds) is None


def test_marks_between_wide_characters_take_no_time() -> None:
    """The dot between two names, and a sound mark that stands for itself."""
    assert expected_seconds("ジョン・スミス") == expected_seconds("ジョンスミス")
    assert expected_seconds("か\u3099") == expected_seconds("が")
