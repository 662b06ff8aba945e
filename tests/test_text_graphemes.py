"""Safe cuts: never inside what another implementation of UAX #29 holds to be one character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_kit import ATOMS, quick, texts

from step_tts._text._graphemes import is_safe_cut, last_safe_cut

CLUSTERS = [
    "\r\n",
    "e\u0301\u0301",
    "👨‍👩‍👧",
    "👍🏽",
    "1️⃣",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "🇩🇪",
    "각",
    "\u1100\u1161\u11a8",
    "\u1100\u1100\u1161",
    "가\u11a8",
    "각\u11a8",
    "\u1161\u1161\u11a8\u11a8",
    "क्ष",
    "क्\u200dष",
    "\u0600१",
    "か\u3099",
    "ｶﾞ",
    "நி",
]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_clusters_stay_whole(cluster: str) -> None:
    """With safe places only before and behind."""
    text = f"a{cluster}b"

    assert [at for at in range(1, len(text)) if is_safe_cut(text, at)] == [1, len(text) - 1]


def test_flags_go_in_pairs() -> None:
    """Counted from a place that is known to be safe."""
    assert [at for at in range(1, 6) if is_safe_cut("🇩🇪🇫🇷🇮🇹", at)] == [2, 4]


@pytest.mark.parametrize("text", ["한국", "ab", "你好", "\n\u0301", "a\u2029\u0301", "\u0301क"])
def test_neighbours_are_divided(text: str) -> None:
    """Also where the second of them could extend something else."""
    assert is_safe_cut(text, len(text) - 1)


def test_the_last_safe_cut() -> None:
    """At the end or before it; the end itself where all is one character."""
    assert last_safe_cut("ab👍🏽", 0, 3) == 2
    assert last_safe_cut("abc", 0, 2) == 2
    assert last_safe_cut("a\u0301\u0301\u0301", 0, 3) == 3


@quick
@given(st.one_of(texts(), st.lists(st.sampled_from([*ATOMS, *CLUSTERS])).map("".join)))
def test_an_oracle_finds_a_border_at_every_safe_cut(text: str) -> None:
    """It may find more: ours keeps on the safe side."""
    regex = pytest.importorskip("regex")
    borders = {found.end() for found in regex.finditer(r"\X", text)} | {0}

    assert {at for at in range(len(text) + 1) if is_safe_cut(text, at)} <= borders
