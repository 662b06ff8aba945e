"""The runner: a fixed crew of workers between an input and its reader.

Rows are read only as workers become free, and workers wait for the reader of results, so memory
does not grow with the input and an endless input is fine. A row that fails is a result like any
other. What becomes of a row is a processor's business; this module knows neither HTTP nor files.

A row goes from the feeder, which reads it, to those that are ready; through a worker to those that
have ended; and through the keeper, who has the processor keep them group by group, to those that
are told to the reader. One that is done already goes from the feeder straight to the reader.
"""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Self

import anyio

from step_tts._batch._circuit import Circuit
from step_tts._batch._condition import Condition
from step_tts._batch._intake import Intake
from step_tts._errors import ConfigurationError, StepTTSError, StreamConsumedError
from step_tts._lane import Lane, Recalled
from step_tts._models import BatchResult
from step_tts._runtime import Signal, beside, task_group

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Sequence

    from step_tts._batch._names import Namer
    from step_tts._batch._processor import BatchRow, Processor, Row
    from step_tts._observe import BatchWatch

__all__ = ["SpeechBatch", "open_batch"]

GROUP_ROWS = 256  # kept at once, which costs little more than keeping one
FLUSH_SECONDS = 30.0  # at the end, for a disk that does not answer


class SpeechBatch:
    """The results of a batch, which can be iterated only once.

    Made by ``AsyncClient.batch``. An exception from the input itself is raised after the results
    of all rows in flight; so is ``BatchStoppedError``.
    """

    def __init__(self, run: _Run, *, in_order: bool) -> None:
        self._run = run
        self._in_order = in_order
        self._early: dict[int, BatchResult] = {}
        self._turn = 0
        self._started = False

    def __aiter__(self) -> Self:
        if self._started:
            raise StreamConsumedError("The results of a batch can be iterated only once.")
        self._started = True
        return self

    async def __anext__(self) -> BatchResult:
        """The next result: as completed, or in the order of the input."""
        if self._in_order:
            result = await self._in_turn()
        else:
            _, result = self._run.at_hand() or await self._run.receive()
        self._run.emitted()
        return result

    def stop(self) -> None:
        """Take no more rows; iteration ends once the rows in flight have finished and been read.

        A row that is waiting for a slot or for its next attempt is not in flight: it is given up
        without a result, and is spoken when the same batch is started again.
        """
        self._run.stop()

    async def _in_turn(self) -> BatchResult:
        """Hold results that came early; the window of the run bounds how many."""
        try:
            while self._turn not in self._early:
                turn, result = await self._run.receive()
                self._early[turn] = result
        except StopAsyncIteration:
            if not self._early:
                raise
            self._turn = min(self._early)  # Rows before it were given up when the run stopped.
        self._turn += 1
        return self._early.pop(self._turn - 1)


@asynccontextmanager
async def open_batch(
    rows: Iterable[BatchRow] | AsyncIterable[BatchRow],
    processor: Processor,
    *,
    workers: int,
    in_order: bool,
    namer: Namer,
    watch: BatchWatch | None = None,
    lane: Lane | None = None,
) -> AsyncGenerator[SpeechBatch, None]:
    """Run a batch; leaving the block cancels what has not ended.

    The task group stays inside: an exception of the reader's own block leaves as itself, not
    in an ``ExceptionGroup``.

    Raises:
        ConfigurationError: ``rows`` is a single text, or nothing that can be read.
    """
    if isinstance(rows, str | bytes):
        raise ConfigurationError("A batch takes many texts; this is one text. Put it in a list.")
    run = _Run(
        Intake(rows, namer), processor, workers, in_order=in_order, watch=watch, lane=lane or Lane()
    )
    try:
        async with beside(run.crew, run.feed, run.keep):
            try:
                yield SpeechBatch(run, in_order=in_order)
            finally:
                run.stop()
    finally:
        await run.flush()


class _Run:
    """The feeder, the workers and the keeper of one batch, and what lies between them."""

    def __init__(
        self,
        intake: Intake,
        processor: Processor,
        workers: int,
        *,
        in_order: bool,
        watch: BatchWatch | None,
        lane: Lane,
    ) -> None:
        self._intake = intake
        self._processor = processor
        self._workers = workers
        self._watch = watch
        self._lane = lane
        self._lane.changed = self._wake
        self._circuit = Circuit()
        self._reading = anyio.CancelScope()
        self._broken: Exception | None = None

        self._ready: deque[Row] = deque()
        """Rows for the workers."""
        self._ended: list[tuple[Row, BatchResult]] = []
        """Rows that workers are done with, for the keeper."""
        self._told: deque[tuple[int, BatchResult]] = deque()
        """Results for the reader, each with its row's turn."""

        self._most = 2 * workers
        """How many rows may be with workers, or have ended and not been taken by the reader."""
        self._in_hand = 0
        """How many there are of those."""
        self._busy = 0
        """How many of them are with workers."""
        self._window = self._most if in_order else None
        """How far the feeder may be ahead of the reader, in rows."""
        self._entered = self._emitted = 0
        """How many rows the feeder has handed on, and the reader has taken."""

        self._idle: deque[Signal] = deque()
        """One for each worker that waits for a row."""
        self._woken = 0
        """How many workers have been woken and not yet looked for a row."""
        self._hungry = Condition()
        """Tells the feeder that there may be room for more rows."""
        self._taken = Condition()
        """Tells the feeder that the reader has taken results."""
        self._ends = Condition()
        """Tells the keeper that rows have ended, or that none will any more."""
        self._news = Condition()
        """Tells the reader that there are results, or that all is over."""
        self._fed = self._left = self._over = False
        """Whether the feeder, the workers and the keeper are done."""

    def stop(self) -> None:
        """Take no more rows, and back those that were not sent."""
        self._reading.cancel()
        self._ready.clear()
        self._lane.recall()
        self._wake()

    # The reader's side.

    def at_hand(self) -> tuple[int, BatchResult] | None:
        """The next result and its turn, where others wait behind it."""
        return self._told.popleft() if len(self._told) > 1 else None

    async def receive(self) -> tuple[int, BatchResult]:
        """The next result and its turn; at the end, whatever broke the run."""
        while not self._told:
            if self._over and self._broken:
                raise self._broken
            if self._over:
                raise StopAsyncIteration
            await self._news.wait()
        told = self._told.popleft()
        if not self._told:
            self._taken.notify_all()
        return told

    def emitted(self) -> None:
        """Note that the reader took one more result, so that one more row may be begun."""
        self._emitted += 1
        self._in_hand -= 1
        if self._in_hand == self._most - 1:
            self._wake()
            self._hungry.notify_all()
        if self._window:
            self._taken.notify_all()

    def _tell(self, results: Sequence[tuple[int, BatchResult]]) -> None:
        if self._watch:
            self._watch.ended(result for _, result in results)
        self._told.extend(results)
        self._news.notify_all()

    # The feeder.

    async def feed(self) -> None:
        """Read rows as workers become free, and tell what is done already."""
        try:
            with self._reading:
                async with task_group() as tasks:
                    tasks.start_soon(self._intake.read)
                    await self._feed()
                    tasks.cancel_scope.cancel()
        finally:
            self._fed = True
            self._wake()

    async def _feed(self) -> None:
        while block := await self._read():
            try:
                await self._hand_on(block)
            except Exception as error:  # noqa: BLE001  raised by ``receive``
                self._break(error)

    async def _read(self) -> Sequence[Row]:
        """The next rows; none when the input has ended, or broken after those before."""
        try:
            return await self._intake.block(await self._wanted())
        except Exception as error:  # noqa: BLE001  the input's own error, for its reader
            self._broken = self._broken or error
            return ()

    async def _wanted(self) -> int:
        """How many rows to read; waits until that is worth a look-up."""
        while True:
            free = max(0, min(self._workers, self._most - self._in_hand))
            stock = self._processor.ahead + free
            lacking = stock - len(self._ready)
            if 2 * lacking > stock:
                return lacking
            await self._hungry.wait()

    async def _hand_on(self, block: Sequence[Row]) -> None:
        """Give rows to workers, and what is done already straight to the reader."""
        done: list[tuple[int, BatchResult]] = []
        found = await self._processor.look_up(block, self._intake.name)
        for row, each in zip(block, found, strict=True):
            if self._window:
                await self._enter_window(done)
            self._entered += 1
            if isinstance(each, BatchResult):
                done.append((row.turn, each))
            else:
                self._ready.append(each)
        self._wake()
        if done:
            await self._tell_done(done)

    async def _enter_window(self, done: list[tuple[int, BatchResult]]) -> None:
        """Wait for the reader to catch up; what it could read meanwhile is not held back."""
        while self._window is not None and self._entered - self._emitted >= self._window:
            self._wake()
            if done:
                await self._tell_done(done)
            else:
                await self._taken.wait()

    async def _tell_done(self, done: list[tuple[int, BatchResult]]) -> None:
        """Tell what was done already, once what was told before has been read."""
        while self._told:
            await self._taken.wait()
        self._in_hand += len(done)
        self._tell(done)
        done.clear()

    # The workers.

    async def crew(self) -> None:
        """The workers; when the last has left, nothing more ends."""
        try:
            async with task_group() as tasks:
                for _ in range(self._workers):
                    tasks.start_soon(self._work)
        finally:
            self._left = True
            self._ends.notify_all()

    async def _work(self) -> None:
        """Settle row after row; an unforeseen error ends the batch and is raised to its reader."""
        try:
            while row := await self._next_row():
                self._busy += 1
                try:
                    if self._watch:
                        self._watch.started(row.index)
                    result = await self._processor.result(row)
                except Recalled:
                    self._in_hand -= 1
                    continue
                finally:
                    self._busy -= 1
                self._heed(result)
                self._end(row, result)
        except Exception as error:  # noqa: BLE001  raised by ``receive``
            self._break(error)

    async def _next_row(self) -> Row | None:
        """The next row, as soon as there is one and the reader keeps up."""
        while not self._ready or self._in_hand >= self._most or not self._lane.room():
            if self._fed and not self._ready:
                return None
            woken = Signal()
            self._idle.append(woken)
            await woken.wait()
            self._woken -= 1
        self._in_hand += 1
        row = self._ready.popleft()
        self._wake()
        self._hungry.notify_all()
        return row

    def _wake(self) -> None:
        """Wake as many idle workers as can begin a row, or all when there will be none.

        Those who are on their way already look for themselves.
        """
        if self._fed and not self._ready:
            self._rouse(len(self._idle))
        elif self._ready and self._idle and not self._woken and self._in_hand < self._most:
            rows = min(len(self._ready), self._most - self._in_hand)
            self._rouse(min(len(self._idle), rows, self._lane.room()))

    def _rouse(self, workers: int) -> None:
        self._woken += workers
        for _ in range(workers):
            self._idle.popleft().set()

    def _heed(self, result: BatchResult) -> None:
        """Stop before paying for what cannot succeed."""
        if not (result.resumed or result.shared):
            stopped = self._circuit.note(result.error)
            if stopped:
                self._break(stopped)

    def _break(self, error: Exception) -> None:
        self._broken = self._broken or error
        self.stop()

    # The keeper.

    def _end(self, row: Row, result: BatchResult) -> None:
        if self._processor.linger is None:
            self._tell(((row.turn, result),))
            return
        self._ended.append((row, result))
        if len(self._ended) in {1, GROUP_ROWS} or not self._busy:
            self._ends.notify_all()

    async def keep(self) -> None:
        """Have the processor keep what has ended, group by group, and tell it."""
        try:
            while self._ended or not self._left:
                if self._ended:
                    await self._linger()
                    await self._keep_group()
                else:
                    await self._ends.wait()
        except Exception as error:  # noqa: BLE001  raised by ``receive``
            self._break(error)
            while not self._left:
                await self._ends.wait()
        finally:
            self._over = True
            self._news.notify_all()

    async def _linger(self) -> None:
        """Wait a moment for company, unless none will come."""
        with anyio.move_on_after(self._processor.linger):
            while self._busy and len(self._ended) < GROUP_ROWS:
                await self._ends.wait()

    async def _keep_group(self) -> None:
        group = self._ended[:GROUP_ROWS]
        await self._processor.keep(group)
        del self._ended[: len(group)]
        self._tell([(row.turn, result) for row, result in group])

    async def flush(self) -> None:
        """Have kept what nobody waits for any more, under a bounded shield.

        What cannot be is not lost: the next run finds its file.
        """
        with anyio.move_on_after(FLUSH_SECONDS, shield=True), suppress(StepTTSError):
            if self._ended:
                await self._processor.keep(self._ended)
