"""Rows on their way: taken from the file, handed to the batch, remembered until they are done."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Self, cast

import attrs

from step_tts._batch import Namer
from step_tts._models import BatchItem
from step_tts.cli._pipes import left_behind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from step_tts._batch._readers import Row

__all__ = ["Feed", "Part", "PipedFeed", "row_text", "taken"]


@attrs.frozen
class Part:
    """Which rows of a file are taken: every ``of``-th, beginning with the ``shard``-th."""

    shard: int = 1
    """From 1."""
    of: int = 1
    limit: int | None = None
    """How many of them, from the first."""


def taken(rows: Iterator[Row], part: Part, template: str) -> Iterator[tuple[int, Row]]:
    """The rows of a part with their numbers in the whole file, each when it is asked for.

    A row's size includes the rows skipped before it. A name that an earlier row of the file has is
    not used again, whichever shard has that row.
    """
    numbered: Iterator[tuple[int, Row]] = enumerate(rows)
    if part.of > 1:
        numbered = _shard(numbered, part, Namer(template))
    return islice(numbered, part.limit)


def _shard(rows: Iterator[tuple[int, Row]], part: Part, namer: Namer) -> Iterator[tuple[int, Row]]:
    size = 0
    for index, row in rows:
        size += row.size
        item = _named_apart(index, row.item, namer) if isinstance(row.item, BatchItem) else row.item
        if index % part.of == part.shard - 1:
            yield index, attrs.evolve(row, size=size, item=item)
            size = 0


def _named_apart(index: int, item: BatchItem, namer: Namer) -> BatchItem:
    """A row with the name that a batch of the whole file would give it."""
    if item.name is None:
        return item
    name = namer.name(index, "", item.name)
    return item if name == namer.proposed(index, "", item.name) else attrs.evolve(item, name=name)


class Feed:
    """An iterable of a batch's rows that knows which row became which result.

    Only rows in flight are held.
    """

    def __init__(self, rows: Iterator[tuple[int, Row]]) -> None:
        self._rows = rows
        self._flying: dict[int, Row] = {}

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> BatchItem:
        index, row = next(self._rows)
        self._flying[index] = row
        # A malformed row is handed on as the error, which the batch takes for its failure. So it
        # keeps its place and number, and the files after it keep their names when it is fixed.
        item = row.item if isinstance(row.item, BatchItem) else BatchItem(cast("str", row.item))
        return BatchItem(item.input, item.name, index)

    def land(self, index: int) -> Row:
        """Return the row with this number, and forget it."""
        return self._flying.pop(index)


class PipedFeed:
    """A feed from a pipe, which may block for ever: it blocks a thread instead of the loop."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BatchItem:
        item: BatchItem | None = await left_behind(next, self._feed, None)
        if item is None:
            raise StopAsyncIteration
        return item


def row_text(row: Row) -> str:
    """How to name a row to the author of the file: its place, and the name it has there."""
    name = row.item.name if isinstance(row.item, BatchItem) else None
    return f"{row.unit} {row.line}, {name}" if name else f"{row.unit} {row.line}"
