"""The progress bar of a batch, on stderr.

Its measure is bytes of input: the total of a file is known without reading it, and a text's
bytes say more about the time it takes than its row does.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

    from step_tts.cli._summary import Tally

__all__ = ["Advance", "counts_text", "progress"]

SPEED_WINDOW_SECONDS = 120.0
"""What the time left is reckoned from. One text can take many seconds (wire.md §2.3)."""

Advance: TypeAlias = Callable[["Tally", int], None]
"""Called when a row is done: the count so far, and the bytes of input the row took."""


@contextlib.contextmanager
def progress(total: int | None, *, shown: bool) -> Iterator[Advance]:
    """Show how far a batch is, or nothing at all.

    Args:
        total: Bytes of input, or ``None`` when they are not known beforehand.
        shown: Whether there is a terminal and the person wants it.
    """
    if not shown:
        yield lambda _tally, _size: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(
        *_columns(known=total is not None),
        console=Console(stderr=True),
        redirect_stdout=False,  # stdout is for data; rich would draw it above the bar, on stderr
        speed_estimate_period=SPEED_WINDOW_SECONDS,
        transient=True,
    ) as bar:
        task = bar.add_task("", total=total, counts="")
        started = time.monotonic()

        def advance(tally: Tally, size: int) -> None:
            counts = counts_text(tally, time.monotonic() - started)
            bar.update(task, advance=size, counts=counts)

        yield advance


def _columns(*, known: bool) -> list[ProgressColumn]:
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    counts = TextColumn("{task.fields[counts]}")
    if not known:
        return [BarColumn(), counts]
    return [BarColumn(), TaskProgressColumn(), counts, TimeRemainingColumn(), TextColumn("left")]


def counts_text(tally: Tally, elapsed: float) -> str:
    """``12 spoken, 1 failed, 3.4/s``."""
    rate = tally.rows / elapsed if elapsed else 0.0
    return f"{tally.spoken} spoken, {tally.failed} failed, {rate:.1f}/s"
