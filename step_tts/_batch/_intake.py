"""Reads the rows of an input in blocks, numbers and names them, and reads no more than asked for.

An exception from the input is raised after the rows before it. Knows nothing of what becomes of the
rows.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterable
from itertools import islice
from typing import TYPE_CHECKING, TypeGuard

from step_tts._batch._condition import Condition
from step_tts._batch._names import LAST_INDEX, slug
from step_tts._batch._processor import BatchRow, Row, text_of
from step_tts._errors import ConfigurationError, InvalidRequestError
from step_tts._models import BatchItem
from step_tts._runtime import close_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from step_tts._batch._names import Namer

__all__ = ["Intake"]

# Rows that come slowly do not wait for others to be looked up together.
GATHER_SECONDS = 0.01


class Intake:
    """The rows of one batch, as they are asked for.

    Raises:
        ConfigurationError: ``rows`` is not iterable.
    """

    def __init__(self, rows: Iterable[BatchRow] | AsyncIterable[BatchRow], namer: Namer) -> None:
        self._namer = namer
        self._arriving = aiter(rows) if isinstance(rows, AsyncIterable) else None
        self._at_hand = iter(()) if isinstance(rows, AsyncIterable) else _iterator(rows)
        self._turn = self._next_index = 0
        self._error: Exception | None = None
        self._arrived: list[Row] = []
        self._most = 0
        self._over = False
        self._asked, self._news = Condition(), Condition()

    async def read(self) -> None:
        """Read rows as they arrive, up to what was asked for; the task for an async input."""
        if self._arriving is None:
            return
        try:
            while True:  # An iterator need not be iterable itself.
                item = await anext(self._arriving)
                self._arrived.append(self._row(item))
                self._news.notify_all()
                while len(self._arrived) >= self._most:
                    await self._asked.wait()
        except StopAsyncIteration:
            pass
        except Exception as error:  # noqa: BLE001  raised by ``block``
            self._error = error
        finally:
            self._over = True
            self._news.notify_all()
            await close_source(self._arriving)

    async def block(self, most: int) -> list[Row]:
        """Up to this many rows, fewer if they come slowly, none at the end.

        Raises:
            Exception: Whatever the input raised.
        """
        if self._arriving is None:
            block = self._gathered(most)
        else:
            block = await self._taken(most)
        if not block and self._error:
            raise self._error
        return block

    def _gathered(self, most: int) -> list[Row]:
        block: list[Row] = []
        if self._error:
            return block
        until = time.monotonic() + GATHER_SECONDS  # The input blocks in real time.
        try:
            for item in islice(self._at_hand, most):
                block.append(self._row(item))
                if time.monotonic() >= until:
                    break
        except Exception as error:  # noqa: BLE001  raised when the rows before it are handed on
            self._error = error
        return block

    async def _taken(self, most: int) -> list[Row]:
        """What has arrived; the next block is what arrives while these are looked up."""
        self._most = most
        self._asked.notify_all()
        while not (self._arrived or self._over):
            await self._news.wait()
        block, self._arrived = self._arrived, []
        return block

    def name(self, row: Row) -> None:
        """Name a row by the template, unless it has a name."""
        if not row.name:
            row.name = self._namer.name(row.index, text_of(row.input))

    def _row(self, item: object) -> Row:
        """Number a row."""
        turn, self._turn = self._turn, self._turn + 1
        if isinstance(item, BatchItem):
            return self._own_row(turn, item)
        index, self._next_index = self._next_index, self._next_index + 1
        return Row(turn, index, "", item, index)

    def _own_row(self, turn: int, item: BatchItem) -> Row:
        """Keep a row's own name and number, or refuse the row if they are invalid."""
        least, text = self._next_index, text_of(item.input)
        if refused := _misplaced(item, least=least):
            # Its number or name may belong to another row.
            name = self._namer.name(turn, text, slug(text))
            number = item.index if _is_index(item.index) else least
            return Row(turn, number, name, refused)
        index = least if item.index is None else item.index
        self._next_index = index + 1
        if item.name:
            return Row(turn, index, self._namer.name(index, text, item.name), item.input)
        return Row(turn, index, "", item.input, index)


def _iterator(rows: Iterable[BatchRow]) -> Iterator[BatchRow]:
    try:
        return iter(rows)
    except TypeError as error:
        raise ConfigurationError(
            "A batch takes an iterable or async iterable of texts, such as a list, "
            f"not {type(rows).__name__}."
        ) from error


def _misplaced(item: BatchItem, *, least: int) -> InvalidRequestError | None:
    """Why a row cannot have its own number or name."""
    if not isinstance(item.name, str | None):
        return InvalidRequestError(f"A row's name must be a str, not {type(item.name).__name__}.")
    if item.index is None or (_is_index(item.index) and item.index >= least):
        return None
    if not _is_index(item.index):
        return InvalidRequestError("A row's number must be a whole number from 0 to 2**62.")
    return InvalidRequestError(
        f"This row has the number {item.index}, but {least} or more is expected: numbers must be "
        "ascending. Sort the rows, or leave the numbers out."
    )


def _is_index(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LAST_INDEX
