"""A lane that leads through no gate."""

from __future__ import annotations

import pytest

from step_tts._lane import Lane, Recalled


def test_there_is_always_room() -> None:
    """Whoever knows no gate is held back by none, taken back or not."""
    lane = Lane()
    lane.changed()
    lane.recall()
    assert lane.room() > 10**6


def test_what_was_recalled_goes_no_further() -> None:
    """Before the word, it does."""
    lane = Lane()
    lane.check()
    lane.recall()
    with pytest.raises(Recalled):
        lane.check()
