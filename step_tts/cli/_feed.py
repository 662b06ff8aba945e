"""Rows on their way: read in a thread, handed to the batch, remembered until they land."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from step_tts._models import BatchItem
from step_tts.cli._pipes import left_behind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from step_tts._batch._readers import Row

__all__ = ["Feed", "row_text"]


class Feed:
    """An async iterable of a batch's rows that knows which row became which result.

    Only rows in flight are held. A file or pipe that is slow to read blocks a thread, never
    the audio that is arriving meanwhile.
    """

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._flying: dict[int, Row] = {}
        self._index = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BatchItem:
        row = await left_behind(next, self._rows, None)
        if row is None:
            raise StopAsyncIteration
        self._flying[self._index] = row
        self._index += 1
        # A malformed row flies as a blank text, which the batch refuses as it would any other.
        # So it keeps its place and its number, and the names of the files behind it do not
        # change on the day it is put right.
        return row.item if isinstance(row.item, BatchItem) else BatchItem("")

    def land(self, index: int) -> Row:
        """Give back the row with this place in the batch, and forget it."""
        return self._flying.pop(index)


def row_text(row: Row) -> str:
    """How to name a row to the author of the file: its line, and the name they gave it."""
    name = row.item.name if isinstance(row.item, BatchItem) else None
    return f"line {row.line}, {name}" if name else f"line {row.line}"
