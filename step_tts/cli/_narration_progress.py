"""The live display of a narration, on stderr: how much of the text is spoken, and how fast.

Asks the narration itself each time it is drawn. Only draws; the figures come from elsewhere.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import attrs

from step_tts.cli._format import count_text, duration_text
from step_tts.cli._gauges import Gauges
from step_tts.cli._pace import Pace
from step_tts.cli._progress import bar, flight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from step_tts._models import NarratedSegment
    from step_tts._narrate import Narration

__all__ = ["NarrationProgress"]


@attrs.define(kw_only=True)
class NarrationProgress:
    """The progress of a narration, perhaps of several files."""

    total: int
    """Characters of all files."""
    files: int = 1
    gauges: Gauges = attrs.field(factory=Gauges)
    pace: Pace = attrs.field(factory=Pace)
    characters: int = 0
    audio: float = 0.0
    file: int = 0
    _narration: Narration | None = None
    _seen: int = 0
    _fresh: int = 0
    _lock: Lock = attrs.field(factory=Lock)
    """It is drawn in a thread of rich's."""

    def begin(self, narration: Narration) -> None:
        """The next file has begun."""
        with self._lock:
            self.file += 1
            self._narration, self._seen = narration, 0

    def end(self) -> None:
        """It is complete."""
        self.look()
        with self._lock:
            self._narration = None

    def look(self) -> None:
        """Take in the segments that were finished since the last time."""
        with self._lock:
            if self._narration is not None:
                new = self._narration.segments[self._seen :]
                self._seen += len(new)
                self._count(new)

    def _count(self, segments: Sequence[NarratedSegment]) -> None:
        """Segments of an earlier run are not counted in the pace: nothing was sent for them."""
        for segment in segments:
            length = segment.text_end - segment.text_start
            self.characters += length
            self.audio += segment.end - segment.start
            if self._fresh < self.gauges.answers.total:
                self._fresh += 1
                self.pace.add(length, segment.end - segment.start)

    def counts(self) -> str:
        """``file 2 of 3 · 850 of 73,000 characters · 2:05 of audio``."""
        facts = [f"file {max(1, self.file)} of {self.files}"] if self.files > 1 else []
        facts.append(f"{count_text(self.characters)} of {count_text(self.total)} characters")
        facts.append(f"{duration_text(self.audio)} of audio")
        return " · ".join(facts)

    def speed(self) -> str:
        """``12 s of audio/s``."""
        return f"{self.pace.rates()[1]:.1f} s of audio/s"

    def left(self) -> str:
        """``3:20 left``, if that can be estimated."""
        left = self.pace.left(self.total - self.characters)
        return "" if left is None else f"{duration_text(left)} left"

    def __rich__(self) -> RenderableType:
        self.look()
        words = f"{self.counts()} · {flight(self.gauges)} · {self.speed()}"
        return bar(self.characters, self.total, self.left(), words)
