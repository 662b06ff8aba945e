"""The runner: a fixed crew of workers between two channels without buffers.

Rows are read only when a worker is free and results wait for their reader, so memory does not
grow with the input and an endless input is fine. A row that fails is a result like any other.
What becomes of a row is a desk's business; this module knows neither HTTP nor files.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, Self, TypeAlias, TypeGuard

import anyio

from step_tts._batch._circuit import Circuit
from step_tts._batch._desk import BatchRow, Row, text_of
from step_tts._batch._names import slug
from step_tts._errors import ConfigurationError, InvalidRequestError, StreamConsumedError
from step_tts._models import BatchItem, BatchResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from step_tts._batch._desk import Desk
    from step_tts._batch._names import Namer
    from step_tts._watch import BatchWatch

__all__ = ["SpeechBatch", "open_batch"]

_Turned: TypeAlias = tuple[int, BatchResult]

CLOSE_GRACE_SECONDS = 2.0
# Rows that are slow to come are not kept waiting for others to be looked up with.
GATHER_SECONDS = 0.01
# A journal keeps numbers in 64 bits; rows without one go on from here.
LAST_INDEX = 2**62


class SpeechBatch:
    """The results of a batch, to be iterated once.

    Made by ``AsyncClient.batch``. What the input itself raises comes after every result that
    was under way; so does ``BatchStoppedError``.
    """

    def __init__(self, run: _Run, *, in_order: bool) -> None:
        self._run = run
        self._in_order = in_order
        self._early: dict[int, BatchResult] = {}
        self._turn = 0
        self._started = False

    def __aiter__(self) -> Self:
        if self._started:
            raise StreamConsumedError("The results of a batch can be iterated once.")
        self._started = True
        return self

    async def __anext__(self) -> BatchResult:
        """The next result: as completed, or in the order of the input."""
        if self._in_order:
            result = await self._in_turn()
        else:
            _, result = await self._run.receive()
        self._run.emitted()
        return result

    def stop(self) -> None:
        """Take no more rows. Those under way end, and when their results are read, iteration."""
        self._run.stop()

    async def _in_turn(self) -> BatchResult:
        """Hold results that came early; the window of the run bounds how many."""
        while self._turn not in self._early:
            turn, result = await self._run.receive()
            self._early[turn] = result
        self._turn += 1
        return self._early.pop(self._turn - 1)


@asynccontextmanager
async def open_batch(
    rows: Iterable[BatchRow] | AsyncIterable[BatchRow],
    desk: Desk,
    *,
    workers: int,
    in_order: bool,
    namer: Namer,
    watch: BatchWatch | None = None,
) -> AsyncGenerator[SpeechBatch, None]:
    """Run a batch; leaving the block cancels what has not ended.

    The task group stays inside: an exception of the reader's own block leaves as itself, not
    in an ``ExceptionGroup``.

    Raises:
        ConfigurationError: ``rows`` is a single text.
    """
    if isinstance(rows, str | bytes):
        raise ConfigurationError("A batch takes many texts; this is one text. Put it in a list.")
    run = _Run(rows, desk, namer, window=2 * workers if in_order else None, watch=watch)
    raised: BaseException | None = None
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run.crew, workers)
            tasks.start_soon(run.feed)
            tasks.start_soon(desk.work)
            try:
                yield SpeechBatch(run, in_order=in_order)
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  raised again below
                raised = error
            tasks.cancel_scope.cancel()
    finally:
        run.close()
    if raised is not None:
        raise raised


class _Run:
    """The channels, the feeder and the workers of one batch."""

    def __init__(
        self,
        rows: Iterable[BatchRow] | AsyncIterable[BatchRow],
        desk: Desk,
        namer: Namer,
        window: int | None,
        watch: BatchWatch | None,
    ) -> None:
        self._rows = rows
        self._desk = desk
        self._namer = namer
        self._watch = watch
        self._window = anyio.Semaphore(window) if window else None
        self._to_workers, self._from_feeder = anyio.create_memory_object_stream[Row](0)
        to_reader = anyio.create_memory_object_stream[tuple[_Turned, ...]](0)
        self._to_reader, self._results = to_reader
        self._taken: deque[_Turned] = deque()
        self._circuit = Circuit()
        self._reading = anyio.CancelScope()
        self._turn = self._next_index = 0
        self._input_error: Exception | None = None
        self._broken: Exception | None = None

    async def crew(self, workers: int) -> None:
        """The workers; when the last has left, no more results come and no more rows are taken."""
        try:
            async with anyio.create_task_group() as tasks:
                for _ in range(workers):
                    tasks.start_soon(self._work)
        finally:
            self._from_feeder.close()
            self._to_reader.close()

    def close(self) -> None:
        """Close every end, also of tasks that were cancelled before they began."""
        for end in (self._to_workers, self._from_feeder, self._to_reader, self._results):
            end.close()

    def stop(self) -> None:
        """Take no more rows."""
        self._reading.cancel()

    def emitted(self) -> None:
        """Note that the reader took one more result, so that one more row may be read."""
        if self._window:
            self._window.release()

    async def receive(self) -> _Turned:
        """The next completed result and its turn; at the end, whatever broke the input."""
        try:
            if not self._taken:
                self._taken.extend(await self._results.receive())
        except anyio.EndOfStream:
            if self._broken:
                raise self._broken from self._broken.__cause__
            raise StopAsyncIteration from None
        return self._taken.popleft()

    async def feed(self) -> None:
        """Read rows when a worker is free to take one."""
        async with self._to_workers:
            try:
                with self._reading:
                    if isinstance(self._rows, AsyncIterable):
                        await self._feed_async(self._rows)
                    else:
                        rows = iter(self._rows)
                        while self._input_error is None and (block := self._gathered(rows)):
                            await self._hand_on(block)
                    self._broken = self._broken or self._input_error
            except Exception as error:  # noqa: BLE001  the input's own error, for its reader
                self._broken = self._broken or error

    async def _feed_async(self, rows: AsyncIterable[BatchRow]) -> None:
        """An async generator that was not read to its end is closed here, where it was read."""
        try:
            async for item in rows:
                await self._hand_on([self._row(item)])
        finally:
            if isinstance(rows, AsyncGenerator):
                with anyio.move_on_after(CLOSE_GRACE_SECONDS, shield=True):
                    await rows.aclose()

    def _gathered(self, rows: Iterator[BatchRow]) -> list[Row]:
        """As many rows as the desk looks up at once, or fewer where they are slow to come."""
        block: list[Row] = []
        until = anyio.current_time() + GATHER_SECONDS
        try:
            for item in islice(rows, self._desk.ahead):
                block.append(self._row(item))
                if anyio.current_time() >= until:
                    break
        except Exception as error:  # noqa: BLE001  raised when the rows before it are handed on
            self._input_error = error
        return block

    def _row(self, item: object) -> Row:
        """Number and name a row; one that says of itself what cannot be is refused."""
        turn, self._turn = self._turn, self._turn + 1
        index, given, text = self._next_index, None, text_of(item)
        if isinstance(item, BatchItem):
            if refused := _misplaced(item, least=index):
                # What its number or name stand for may be another row's.
                name = self._namer.name(turn, text, slug(text))
                return Row(
                    turn, item.index if _is_index(item.index) else index, name, item, refused
                )
            index, given = index if item.index is None else item.index, item.name
        self._next_index = index + 1
        return Row(turn, index, self._namer.name(index, text, given), item)

    async def _hand_on(self, block: Sequence[Row]) -> None:
        """Give rows to workers, and what is done already straight to the reader."""
        done: list[_Turned] = []
        for row, each in zip(block, await self._desk.look_up(block), strict=True):
            await self._enter_window(done)
            if isinstance(each, BatchResult):
                done.append((row.turn, each))
            else:
                await self._deliver(done)
                await self._to_workers.send(each)
        await self._deliver(done)

    async def _enter_window(self, done: list[_Turned]) -> None:
        """Wait for the reader to catch up; what it could read meanwhile is not held back."""
        if self._window:
            try:
                self._window.acquire_nowait()
            except anyio.WouldBlock:
                await self._deliver(done)
                await self._window.acquire()

    async def _deliver(self, done: list[_Turned]) -> None:
        if done:
            if self._watch:
                self._watch.ended(result for _, result in done)
            await self._to_reader.send(tuple(done))
            done.clear()

    async def _work(self) -> None:
        """Settle row after row; an unforeseen error ends the batch and is raised to its reader."""
        try:
            async for row in self._from_feeder:
                if self._watch:
                    self._watch.started(row.index)
                result = await self._desk.result(row)
                self._heed(result)
                if self._watch:
                    self._watch.ended((result,))
                await self._to_reader.send(((row.turn, result),))
        except Exception as error:  # noqa: BLE001  raised by ``receive``
            self._break(error)

    def _heed(self, result: BatchResult) -> None:
        """Stop before paying for what cannot succeed."""
        if not (result.resumed or result.shared):
            stopped = self._circuit.note(result.error)
            if stopped and self._broken is None:
                self._break(stopped)

    def _break(self, error: Exception) -> None:
        self._broken = error
        self._reading.cancel()


def _misplaced(item: BatchItem, *, least: int) -> InvalidRequestError | None:
    """Why a row cannot have the number or the name that it brings."""
    if not isinstance(item.name, str | None):
        return InvalidRequestError(f"A row's name must be a str, not {type(item.name).__name__}.")
    if item.index is None or (_is_index(item.index) and item.index >= least):
        return None
    if not _is_index(item.index):
        return InvalidRequestError("A row's number must be a whole number from 0 to 2**62.")
    return InvalidRequestError(
        f"This row is numbered {item.index}, where {least} or more may stand: numbers must ascend. "
        "Put the rows in their order, or leave the numbers out."
    )


def _is_index(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and 0 <= value <= LAST_INDEX
