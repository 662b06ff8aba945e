"""The runner: a fixed crew of workers between two channels without buffers.

Rows are read only when a worker is free and results wait for their reader, so memory does not
grow with the input and an endless input is fine. A row that fails is a result like any other.
How a row is spoken is handed in; this module knows neither HTTP nor files.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self, TypeAlias, cast

import anyio
import attrs

from step_tts._errors import ConfigurationError, StepTTSError, StreamConsumedError
from step_tts._models import BatchItem, BatchResult, SavedSpeech, Speech, SpeechRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from step_tts._batch._names import Namer

__all__ = ["BatchRow", "SpeechBatch", "open_batch"]

BatchRow: TypeAlias = str | SpeechRequest | BatchItem
"""What a batch accepts as a row."""


CLOSE_GRACE_SECONDS = 2.0


@attrs.frozen
class _Row:
    index: int
    name: str
    input: object


class SpeechBatch:
    """The results of a batch, to be iterated once.

    Made by ``AsyncClient.batch``. What the input itself raises comes after every result that
    was under way.
    """

    def __init__(self, run: _Run, *, in_order: bool) -> None:
        self._run = run
        self._in_order = in_order
        self._early: dict[int, BatchResult] = {}
        self._next_index = 0
        self._started = False

    def __aiter__(self) -> Self:
        if self._started:
            raise StreamConsumedError("The results of a batch can be iterated once.")
        self._started = True
        return self

    async def __anext__(self) -> BatchResult:
        """The next result: as completed, or in the order of the input."""
        result = await (self._in_turn() if self._in_order else self._run.receive())
        self._run.emitted()
        return result

    async def _in_turn(self) -> BatchResult:
        """Hold results that came early; the window of the run bounds how many."""
        while self._next_index not in self._early:
            result = await self._run.receive()
            self._early[result.index] = result
        self._next_index += 1
        return self._early.pop(self._next_index - 1)


@asynccontextmanager
async def open_batch(
    rows: Iterable[BatchRow] | AsyncIterable[BatchRow],
    speak: Callable[[SpeechRequest, str], Awaitable[SavedSpeech | Speech]],
    *,
    workers: int,
    in_order: bool,
    namer: Namer,
) -> AsyncGenerator[SpeechBatch, None]:
    """Run a batch; leaving the block cancels what has not ended.

    The task group stays inside: an exception of the reader's own block leaves as itself, not
    in an ``ExceptionGroup``.

    Raises:
        ConfigurationError: ``rows`` is a single text.
    """
    if isinstance(rows, str | bytes):
        raise ConfigurationError("A batch takes many texts; this is one text. Put it in a list.")
    run = _Run(rows, speak, namer, window=2 * workers if in_order else None)
    raised: BaseException | None = None
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run.crew, workers)
            tasks.start_soon(run.feed)
            try:
                yield SpeechBatch(run, in_order=in_order)
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  raised again below
                raised = error
            tasks.cancel_scope.cancel()
    finally:
        run.close()
    if raised is not None:
        raise raised


class _StoppedError(Exception):
    """A worker broke: no more rows are read."""


class _Run:
    """The channels, the feeder and the workers of one batch."""

    def __init__(
        self,
        rows: Iterable[BatchRow] | AsyncIterable[BatchRow],
        speak: Callable[[SpeechRequest, str], Awaitable[SavedSpeech | Speech]],
        namer: Namer,
        window: int | None,
    ) -> None:
        self._rows = rows
        self._speak = speak
        self._namer = namer
        self._window = anyio.Semaphore(window) if window else None
        self._to_workers, self._from_feeder = anyio.create_memory_object_stream[_Row](0)
        self._to_reader, self._results = anyio.create_memory_object_stream[BatchResult](0)
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

    def emitted(self) -> None:
        """Note that the reader took one more result, so that one more row may be read."""
        if self._window:
            self._window.release()

    async def receive(self) -> BatchResult:
        """The next completed result; at the end, whatever broke the input."""
        try:
            return await self._results.receive()
        except anyio.EndOfStream:
            if self._broken:
                raise self._broken from None
            raise StopAsyncIteration from None

    async def feed(self) -> None:
        """Read a row when a worker is free to take it."""
        async with self._to_workers:
            try:
                if isinstance(self._rows, AsyncIterable):
                    await self._feed_async(self._rows)
                else:
                    for index, item in enumerate(self._rows):
                        await self._hand_on(index, item)
            except (_StoppedError, anyio.BrokenResourceError):
                pass
            except Exception as error:  # noqa: BLE001  the input's own error, for its reader
                self._broken = error

    async def _feed_async(self, rows: AsyncIterable[BatchRow]) -> None:
        """An async generator that was not read to its end is closed here, where it was read."""
        index = 0
        try:
            async for item in rows:
                await self._hand_on(index, item)
                index += 1
        finally:
            if isinstance(rows, AsyncGenerator):
                with anyio.move_on_after(CLOSE_GRACE_SECONDS, shield=True):
                    await rows.aclose()

    async def _hand_on(self, index: int, item: object) -> None:
        if self._broken:
            raise _StoppedError
        if self._window:
            await self._window.acquire()
        name = self._namer.name(index, _text_of(item), getattr(item, "name", None))
        await self._to_workers.send(_Row(index, name, item))

    async def _work(self) -> None:
        """Speak row after row; an unforeseen error ends the batch and is raised to its reader."""
        try:
            async for row in self._from_feeder:
                await self._to_reader.send(await self._result(row))
        except Exception as error:  # noqa: BLE001  raised by ``receive``
            self._broken = error

    async def _result(self, row: _Row) -> BatchResult:
        try:
            done = await self._speak(_request(row.input), row.name)
        except StepTTSError as error:
            return BatchResult(index=row.index, name=row.name, error=error)
        if isinstance(done, SavedSpeech):
            return BatchResult(index=row.index, name=row.name, saved=done)
        return BatchResult(index=row.index, name=row.name, speech=done)


def _request(row: object) -> SpeechRequest:
    """A row as a request.

    Raises:
        InvalidRequestError: It is nothing that can be spoken.
    """
    given = row.input if isinstance(row, BatchItem) else row
    if isinstance(given, SpeechRequest):
        return given
    return SpeechRequest(cast("str", given))  # Its validator refuses what is no text.


def _text_of(row: object) -> str:
    given = row.input if isinstance(row, BatchItem) else row
    text = given.input if isinstance(given, SpeechRequest) else given
    return text if isinstance(text, str) else ""
