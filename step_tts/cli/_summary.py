"""The running count of a batch, and its summary.

Constant in size, however long the batch: failures of one kind are one group, with a count and a few
of their rows. Rows are named by line, and by the name they have in the file; a name made from the
spoken text is not shown.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import attrs

from step_tts.cli._format import bytes_text, seconds_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from step_tts._errors import StepTTSError
    from step_tts._models import AudioInfo

__all__ = ["Tally"]

GROUPS_SHOWN = 10
ROWS_SHOWN = 5

_NUMBERS = re.compile(r"\d+")


@attrs.define
class _Group:
    """Failures with the same message, except for numbers in it."""

    example: str
    count: int = 0
    rows: list[str] = attrs.field(factory=list)

    def add(self, row: str) -> None:
        self.count += 1
        if len(self.rows) < ROWS_SHOWN:
            self.rows.append(row)

    def __str__(self) -> str:
        more = self.count - len(self.rows)
        rows = ", ".join(self.rows) + (f" and {more} more" if more else "")
        return f"{self.count} × {self.example} ({rows})"


@attrs.define
class Tally:
    """The outcome of the rows so far."""

    spoken: int = 0
    failed: int = 0
    kept: int = 0
    seconds: float = 0.0
    shortest: float = math.inf
    longest: float = 0.0
    size: int = 0
    _groups: dict[str, _Group] = attrs.field(factory=dict)
    _ungrouped: int = 0

    @property
    def rows(self) -> int:
        """Rows that are done, one way or the other."""
        return self.spoken + self.failed + self.kept

    def speak(self, info: AudioInfo) -> None:
        """Count a spoken row."""
        self.spoken += 1
        self._measure(info)

    def keep(self, info: AudioInfo) -> None:
        """Count a row that an earlier run has spoken."""
        self.kept += 1
        self._measure(info)

    def _measure(self, info: AudioInfo) -> None:
        self.size += info.size
        if info.duration is not None:
            self.seconds += info.duration
            self.longest = max(self.longest, info.duration)
            self.shortest = min(self.shortest, info.duration)

    def fail(self, row: str, error: StepTTSError) -> None:
        """Count a failed row."""
        self.failed += 1
        key = _NUMBERS.sub("#", f"{type(error).__name__}: {getattr(error, 'message', error)}")
        if key not in self._groups and len(self._groups) >= GROUPS_SHOWN:
            self._ungrouped += 1
            return
        example = f"{type(error).__name__}: {error}"
        self._groups.setdefault(key, _Group(example)).add(row)

    def result(self, elapsed: float) -> str:
        """Say in one line how the batch went."""
        return (
            f"{self.spoken} spoken, {self.failed} failed{self._kept()}; "
            f"{seconds_text(self.seconds)} of audio{self._range()}, {bytes_text(self.size)}, "
            f"in {seconds_text(elapsed)}"
        )

    def _kept(self) -> str:
        return f", {self.kept} done before" if self.kept else ""

    def _range(self) -> str:
        """How long the files are, if they differ: an outlier shows here."""
        if self.shortest >= self.longest:
            return ""
        return f" ({seconds_text(self.shortest)} to {seconds_text(self.longest)} each)"

    def failures(self) -> Iterator[str]:
        """Say what failed and why, the most frequent reason first."""
        yield from map(str, sorted(self._groups.values(), key=lambda group: -group.count))
        if self._ungrouped:
            yield f"{self._ungrouped} more, for other reasons"
