"""The live display of a batch, on stderr: how far it is, what is in flight, and how fast it goes.

Progress is measured in bytes of input: a file's size is known without reading it, and the size of a
text says more about the time it takes than the number of rows. Only draws; the figures come from
elsewhere.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import attrs

from step_tts.cli._format import count_text, duration_text
from step_tts.cli._gauges import Gauges
from step_tts.cli._pace import Pace
from step_tts.cli._pipes import is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType, RichCast

    from step_tts.cli._options import Terms
    from step_tts.cli._summary import Tally

__all__ = ["Progress", "bar", "display_fits", "flight", "shown_on_stderr"]

REFRESH_PER_SECOND = 4


@attrs.define(kw_only=True)
class Progress:
    """The progress of a batch."""

    total: float | None
    """The whole input, in bytes or rows; ``None`` if it is not known beforehand."""
    tally: Tally
    gauges: Gauges = attrs.field(factory=Gauges)
    pace: Pace = attrs.field(factory=Pace)
    done: float = 0.0

    def advance(self, weight: float, audio: float | None, *, fresh: bool) -> None:
        """A row is done; ``fresh`` if it was not done by an earlier run."""
        self.done += weight
        if fresh:
            self.pace.add(weight, audio or 0.0)

    def counts(self) -> str:
        """``12 spoken, 1 failed``."""
        counts = f"{count_text(self.tally.spoken)} spoken, {count_text(self.tally.failed)} failed"
        return f"{counts}, {count_text(self.tally.kept)} done before" if self.tally.kept else counts

    def speed(self) -> str:
        """``3.4 rows/s, 12 s of audio/s``."""
        rows, audio = self.pace.rates()
        return f"{rows:.1f} rows/s, {audio:.1f} s of audio/s"

    def left(self) -> str:
        """``3:20 left``, if that can be estimated."""
        left = None if self.total is None else self.pace.left(max(0.0, self.total - self.done))
        return "" if left is None else f"{duration_text(left)} left"

    def __rich__(self) -> RenderableType:
        words = f"{self.counts()} · {flight(self.gauges)} · {self.speed()}"
        return bar(self.done, self.total, self.left(), words)


def flight(gauges: Gauges) -> str:
    """``4 of 16 in flight, 2 pauses``, or the current pause."""
    if not gauges.limit:
        return "none in flight yet"
    now = f"{gauges.in_flight} of {gauges.limit} in flight"
    if pause := gauges.pause:
        return f"{now}, paused for {duration_text(pause)}"
    if gauges.pauses:
        return f"{now}, {gauges.pauses} pause{'s' if gauges.pauses > 1 else ''}"
    return now


def bar(done: float, total: float | None, left: str, words: str) -> RenderableType:
    """A bar with its share and the time left, and words under it."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    line = Table.grid(padding=(0, 1))
    share = f"{100 * done / total:3.0f} %" if total else ""
    line.add_row(
        ProgressBar(total=total, completed=done, width=40, pulse=total is None), share, left
    )
    return Group(line, Text(words))


def display_fits(terms: Terms) -> bool:
    """Whether it is wanted, and stderr is a terminal that nothing else writes to."""
    report = terms.report
    others = report.quiet or report.debug or (report.as_json and is_terminal(sys.stdout))
    return is_terminal(sys.stderr) and not (terms.no_progress or others)


@contextlib.contextmanager
def shown_on_stderr(progress: RichCast, *, shown: bool) -> Iterator[None]:
    """Show a display while the block runs, if there is a terminal and the person wants it."""
    if not shown:
        yield
        return
    from rich.console import Console
    from rich.live import Live

    with Live(
        progress,
        console=Console(stderr=True),
        redirect_stdout=False,  # stdout is for data; rich would show it on stderr
        refresh_per_second=REFRESH_PER_SECOND,
        transient=True,
    ):
        yield
