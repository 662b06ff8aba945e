"""The runner: bounded, lazy, in either order, and no row harms another."""

from __future__ import annotations

import traceback
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest

from step_tts._batch import Namer, Processor, SpeechBatch, open_batch
from step_tts._batch._intake import Intake
from step_tts._errors import (
    ConfigurationError,
    InvalidRequestError,
    RateLimitError,
    StreamConsumedError,
)
from step_tts._formats import AudioFormat
from step_tts._gate import Gate
from step_tts._models import AudioInfo, BatchItem, BatchResult, Receipt, Speech, SpeechRequest
from step_tts._policies import Concurrency

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from step_tts._batch._processor import Row
    from step_tts._lane import Lane

INFO = AudioInfo(format=AudioFormat.WAV, size=1)
RECEIPT = Receipt(request_id=None, attempts=(), queued=0, first_byte=0, total=0)


class Voice:
    """Speaks by echo; texts that are numbers take as many turns of the loop."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.at_once = self.peak = 0

    async def speak(self, request: SpeechRequest, name: str) -> Speech:
        self.started.append(request.input)
        self.at_once += 1
        self.peak = max(self.peak, self.at_once)
        try:
            if request.input == "forever":
                await anyio.sleep_forever()
            for _ in range(int(request.input) if request.input.isdecimal() else 1):
                await anyio.lowlevel.checkpoint()
        finally:
            self.at_once -= 1
        if request.input.startswith("fail"):
            raise RateLimitError("no")
        if request.input.startswith("bug"):
            raise LookupError("bug")
        return Speech(audio=request.input.encode(), info=INFO, receipt=RECEIPT)


def batch(
    rows: Any, voice: Voice, workers: int = 3, in_order: bool = False
) -> AbstractAsyncContextManager[SpeechBatch]:
    return open_batch(
        rows, Processor(voice.speak), workers=workers, in_order=in_order, namer=Namer()
    )


class GatedVoice:
    """Speaks through a gate, then has something to do for which no slot is needed."""

    def __init__(self, gate: Gate, lane: Lane, after: int = 0) -> None:
        self._gate, self._lane, self._after = gate, lane, after
        self.most_in_line = self.spoken = 0

    async def speak(self, request: SpeechRequest, name: str) -> Speech:
        async with self._gate.slot(lane=self._lane) as slot:
            for _ in range(5):
                self.most_in_line = max(self.most_in_line, self._lane.in_line)
                await anyio.lowlevel.checkpoint()
            slot.ok(None)
        for _ in range(self._after):
            await anyio.lowlevel.checkpoint()
        self.spoken += 1
        return Speech(audio=b"", info=INFO, receipt=RECEIPT)


@asynccontextmanager
async def gated(
    gate: Gate, rows: int, after: int = 0
) -> AsyncIterator[tuple[SpeechBatch, GatedVoice]]:
    with gate.lane() as lane:
        voice = GatedVoice(gate, lane, after)
        async with open_batch(
            map(str, range(rows)),
            Processor(voice.speak),
            workers=2 * gate.most,
            in_order=False,
            namer=Namer(),
            lane=lane,
        ) as results:
            yield results, voice


async def collect(rows: Any, voice: Voice | None = None, **options: Any) -> list[BatchResult]:
    async with batch(rows, voice or Voice(), **options) as results:
        return [result async for result in results]


async def arriving(texts: Iterable[str]) -> AsyncIterator[str]:
    for text in texts:
        await anyio.lowlevel.checkpoint()
        yield text


@pytest.mark.parametrize("kind", [list, tuple, iter])
async def test_every_row_is_spoken_once(kind: Callable[[Iterable[str]], Iterable[str]]) -> None:
    """Any iterable will do."""
    results = await collect(kind("abc"))

    assert {r.index: r.name for r in results} == {0: "00000-a", 1: "00001-b", 2: "00002-c"}
    assert {r.speech.audio for r in results if r.speech} == {b"a", b"b", b"c"}
    assert all(r.ok for r in results)


async def test_an_async_iterable_will_do() -> None:
    """Rows may arrive while others are spoken."""
    assert len(await collect(arriving("abcdefg"))) == 7


async def test_an_async_iterator_of_any_kind_will_do() -> None:
    """Not only generators: a channel is read to its end."""
    send, receive = anyio.create_memory_object_stream[str](3)
    for text in "abc":
        send.send_nowait(text)
    send.close()
    with receive:
        assert len(await collect(receive)) == 3


@pytest.mark.parametrize("text", ["hello", b"hello"])
async def test_a_single_text_is_not_a_batch(text: str | bytes) -> None:
    """A ``str`` is an iterable of characters, which nobody means."""
    with pytest.raises(ConfigurationError, match="one text"):
        await collect(text)


@pytest.mark.parametrize("rows", [None, 7, lambda: ["a"], SpeechRequest("a")])
async def test_what_cannot_be_read_is_not_a_batch(rows: object) -> None:
    """It is refused by name, and not taken for an empty one."""
    with pytest.raises(ConfigurationError, match=f"not {type(rows).__name__}"):
        await collect(rows)


async def test_whatever_iter_takes_will_do() -> None:
    """A sequence of the old kind, which has no ``__iter__``, is read to its end."""

    class Old:
        def __getitem__(self, index: int) -> str:
            return "abc"[index]

    assert len(await collect(Old())) == 3


@pytest.mark.parametrize("item", ["hush", SpeechRequest("hush"), BatchItem("hush", name="x")])
async def test_a_row_shows_no_text(item: object) -> None:
    """Not even in a traceback that prints its variables."""
    (row,) = await Intake([cast("str", item)], Namer("{index}")).block(1)

    assert "hush" not in repr(row)


async def test_no_rows_no_results() -> None:
    """An empty input ends at once."""
    assert await collect([]) == []


async def test_requests_and_items_are_rows() -> None:
    """A request brings its options, an item its name."""
    rows = [
        SpeechRequest("a", voice="v"),
        BatchItem("b", name="x/y"),
        BatchItem(SpeechRequest("c")),
    ]
    results = await collect(rows, in_order=True)

    assert [r.name for r in results] == ["00000-a", "x_y", "00002-c"]


@pytest.mark.parametrize("in_order", [False, True])
async def test_rows_may_bring_their_numbers(in_order: bool) -> None:
    """With gaps, as parts of a file have them; who brings none takes the next."""
    rows = [BatchItem("20", index=7), "a", BatchItem("b", index=30), BatchItem("c", name="c")]
    results = await collect(rows, in_order=in_order)

    named = {7: "00007-20", 8: "00008-a", 30: "00030-b", 31: "c"}
    assert {r.index: r.name for r in results} == named
    if in_order:
        assert [r.index for r in results] == list(named)


async def test_a_number_that_does_not_ascend_fails_its_row() -> None:
    """That row alone, by its number; no other loses its name to it."""
    rows = [BatchItem("a", index=5), BatchItem("a", index=5), BatchItem("b", index=2), "c"]
    results = await collect(rows, in_order=True)

    assert [r.ok for r in results] == [True, False, False, True]
    assert [r.index for r in results] == [5, 5, 2, 6]
    assert [r.name for r in results] == ["00005-a", "a", "b", "00006-c"]
    assert isinstance(results[2].error, InvalidRequestError)
    assert "has the number 2, but 6 or more is expected" in str(results[2].error)


@pytest.mark.parametrize(
    "row",
    [
        BatchItem("a", index=-1),
        BatchItem("a", index=2**63),
        BatchItem("a", index=True),
        BatchItem("a", index=cast("Any", "secret")),
        BatchItem("a", name=cast("Any", 7)),
    ],
)
async def test_what_is_no_number_and_no_name_fails_its_row(row: BatchItem) -> None:
    """And is not quoted."""
    first, second = await collect([row, "b"], in_order=True)

    assert isinstance(first.error, InvalidRequestError)
    assert "secret" not in str(first.error)
    assert (first.index, second.index, second.ok) == (0, 0, True)


async def test_failures_are_values() -> None:
    """A failing row is a result; the others do not notice."""
    results = await collect(["a", "fail", " ", "b", 7, None], in_order=True)

    assert [r.ok for r in results] == [True, False, False, True, False, False]
    assert isinstance(results[1].error, RateLimitError)
    assert isinstance(results[2].error, InvalidRequestError)
    assert "int" in str(results[4].error)


async def test_results_in_the_order_of_the_input() -> None:
    """Even when the first row is the slowest."""
    voice = Voice()
    results = await collect(["50", "1", "9", "1", "30", "1", "1", "2"], voice, in_order=True)

    assert [r.index for r in results] == list(range(8))


async def test_results_as_they_are_completed() -> None:
    """A slow row does not hold back the fast ones."""
    results = await collect(["500", "1", "2"])

    assert results[-1].index == 0


@pytest.mark.parametrize("in_order", [False, True])
async def test_an_endless_input_is_read_only_as_results_are_taken(in_order: bool) -> None:
    """Back-pressure: rows in hand stay within a fixed distance of the reader."""
    voice, read = Voice(), 0

    def endless() -> Iterator[str]:
        nonlocal read
        for read in count(1):  # noqa: B007  the test looks at it from outside
            yield "text"

    async with batch(endless(), voice, workers=4, in_order=in_order) as results:
        taken = 0
        async for _ in results:
            taken += 1
            for _ in range(30):
                await anyio.lowlevel.checkpoint()
            assert read - taken <= 2 * 4 + 1
            if taken == 50:
                break

    assert voice.peak <= 4
    assert voice.at_once == 0


async def test_a_slow_first_row_does_not_let_the_rest_run_away() -> None:
    """In the order of the input, what came early is bounded too."""
    voice = Voice()
    async with batch(["300", *("1" for _ in range(1000))], voice, in_order=True) as results:
        first = await anext(results)

    assert first.index == 0
    assert len(voice.started) <= 2 * 3 + 3


async def test_leaving_early_cancels_what_is_under_way() -> None:
    """No task outlives the block."""
    voice = Voice()
    async with batch(["forever"] * 5, voice):
        await anyio.wait_all_tasks_blocked()
        assert voice.at_once == 3

    assert voice.at_once == 0


@pytest.mark.parametrize("as_method", [False, True])
async def test_an_async_generator_is_closed_where_it_was_read(*, as_method: bool) -> None:
    """The input learns that nobody listens any more, be it what ``__aiter__`` makes."""
    closed = []

    class Endless:
        async def __aiter__(self) -> AsyncIterator[str]:
            reader = anyio.get_current_task().id
            try:
                while True:
                    yield "text"
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.lowlevel.checkpoint()
                closed.append(anyio.get_current_task().id == reader)

    async with batch(Endless() if as_method else aiter(Endless()), Voice()) as results:
        await anext(results)

    assert closed == [True]


async def test_an_input_that_breaks_is_told_after_its_results() -> None:
    """What was read before is not lost, and the reader learns why it ends."""

    def broken() -> Iterator[str]:
        yield "a"
        yield "b"
        raise OSError("disk gone")

    async with batch(broken(), Voice()) as results:
        assert {(await anext(results)).name, (await anext(results)).name} == {"00000-a", "00001-b"}
        with pytest.raises(OSError, match="disk gone"):
            await anext(results)


async def test_an_input_that_breaks_shows_what_it_was_handling() -> None:
    """The input's own error leaves with its whole story."""

    def broken() -> Iterator[str]:
        yield "a"
        try:
            int("b")
        except ValueError:
            raise LookupError("no such row")  # noqa: B904  as many do

    async with batch(broken(), Voice()) as results:
        await anext(results)
        with pytest.raises(LookupError) as raised:
            await anext(results)

    shown = "".join(traceback.format_exception(raised.value))
    assert "ValueError" in shown


async def test_the_readers_own_error_leaves_as_itself() -> None:
    """No ``ExceptionGroup`` for an exception of the caller's block."""
    with pytest.raises(LookupError, match="mine"):
        async with batch(["a"], Voice()):
            raise LookupError("mine")


async def test_an_unforeseen_error_ends_the_batch() -> None:
    """A bug is not a failed row: it is raised, plainly."""
    with pytest.raises(LookupError, match="bug"):
        async with batch(["a", "bug", *("c" for _ in range(100))], Voice()) as results:
            async for _ in results:
                pass


async def test_results_can_be_iterated_once() -> None:
    """A second loop is a mistake, and says so."""
    async with batch(["a"], Voice()) as results:
        assert len([r async for r in results]) == 1
        with pytest.raises(StreamConsumedError):
            aiter(results)


async def test_an_outer_cancellation_passes_through() -> None:
    """Cancelling the caller cancels the batch and nothing is swallowed."""
    voice = Voice()
    with anyio.CancelScope() as scope:
        async with batch(["forever"] * 9, voice) as results:
            scope.cancel()
            await anext(results)

    assert scope.cancelled_caught
    assert voice.at_once == 0


@pytest.mark.parametrize("after", [0, 3])
async def test_no_row_is_begun_before_it_can_go_and_no_slot_is_empty_for_long(after: int) -> None:
    """A worker that goes on takes the slot it freed; for one that does not, another is woken."""
    gate, empty = Gate(Concurrency(fixed=8)), 0

    async def look() -> None:
        nonlocal empty
        while voice.spoken < 180:
            await anyio.lowlevel.checkpoint()
            empty += 8 - gate.in_flight

    async with gated(gate, 200, after) as (results, voice), anyio.create_task_group() as tasks:
        tasks.start_soon(look)
        assert len([result async for result in results]) == 200
    assert voice.most_in_line == 0
    assert empty / 180 <= (2 if after else 0.2)  # Turns of the loop for each row.


async def test_slots_that_come_free_at_once_are_taken_at_once() -> None:
    """One in each turn of the loop would take eight; until then, one row waits in line."""
    gate = Gate(Concurrency(fixed=8))
    async with gated(gate, 50) as (results, voice):
        async with AsyncExitStack() as stack:
            for _ in range(8):
                await stack.enter_async_context(gate.slot())
            await anyio.wait_all_tasks_blocked()
            assert gate.in_line == 1
        for _ in range(3):
            assert voice.spoken == 0
            await anyio.lowlevel.checkpoint()
        assert gate.in_flight == 8
        assert len([result async for result in results]) == 50


async def test_a_batch_is_not_starved_by_other_calls() -> None:
    """As many as there are workers take half of the slots, no more."""
    gate, others = Gate(Concurrency(fixed=4)), 0

    async def other() -> None:
        nonlocal others
        while True:
            async with gate.slot():
                for _ in range(5):
                    await anyio.lowlevel.checkpoint()
            others += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(other)
        await anyio.lowlevel.checkpoint()
        async with gated(gate, 100) as (results, _):
            assert len([result async for result in results]) == 100
        tasks.cancel_scope.cancel()
    assert 60 < others < 160


async def test_rows_that_need_no_slot_wait_for_none_of_a_crowd() -> None:
    """One after the other they are refused, though all slots are taken by others."""
    gate = Gate(Concurrency(fixed=1))
    with gate.lane() as lane:
        voice = GatedVoice(gate, lane)
        async with (
            gate.slot(),
            open_batch(
                [" "] * 9,
                Processor(voice.speak),
                workers=2,
                in_order=True,
                namer=Namer(),
                lane=lane,
            ) as results,
        ):
            assert [result.ok async for result in results] == [False] * 9


class Remembering(Processor):
    """Knows some rows already, and breaks at others."""

    ahead = 4

    async def look_up(
        self, rows: Sequence[Row], name: Callable[[Row], None]
    ) -> Sequence[Row | BatchResult]:
        await anyio.lowlevel.checkpoint()
        if any(row.input == "broken" for row in rows):
            raise LookupError("the journal is broken")
        await super().look_up(rows, name)
        return [self._known(row) or row for row in rows]

    def _known(self, row: Row) -> BatchResult | None:
        if not str(row.input).startswith("known"):
            return None
        return BatchResult(index=row.index, name=row.name, error=RateLimitError("known"))


def remembered(rows: Any, workers: int = 2) -> AbstractAsyncContextManager[SpeechBatch]:
    processor = Remembering(Voice().speak)
    return open_batch(rows, processor, workers=workers, in_order=True, namer=Namer())


async def test_rows_known_already_wait_for_a_slow_reader() -> None:
    """The window holds for them as well, and their order."""
    async with remembered(f"known {number}" for number in range(60)) as results:
        await anyio.wait_all_tasks_blocked()
        found = []
        async for result in results:
            found.append(result.index)
            await anyio.wait_all_tasks_blocked()

    assert found == list(range(60))


async def test_rows_given_up_leave_no_hole() -> None:
    """Stopped, a row that was waiting for a worker is not spoken; those known are still told."""
    released = anyio.Event()

    async def speak(request: SpeechRequest, _: str) -> Speech:
        await released.wait()
        return Speech(audio=request.input.encode(), info=INFO, receipt=RECEIPT)

    async with open_batch(
        ["held", "held", "given up", "known"],
        Remembering(speak),
        workers=2,
        in_order=True,
        namer=Namer(),
    ) as results:
        await anyio.wait_all_tasks_blocked()
        results.stop()
        released.set()
        assert [result.index async for result in results] == [0, 1, 3]


async def test_a_look_up_that_fails_ends_the_batch() -> None:
    """Its error is the reader's."""
    with pytest.raises(LookupError, match="journal is broken"):
        async with remembered(["1", "broken"]) as results:
            async for _ in results:
                pass
