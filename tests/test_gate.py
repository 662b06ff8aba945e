"""The gate: who goes when, and that nobody is lost."""

from __future__ import annotations

import asyncio
import math
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
import trio
from trio.testing import MockClock

from step_tts._errors import UsageError
from step_tts._gate import Gate, Slot, TurnedAway
from step_tts._gate._standstill import Standstill
from step_tts._lane import Lane, Recalled
from step_tts._policies import Concurrency, Rate
from step_tts._wire import LimitHints

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


def fixed(slots: int) -> Gate:
    return Gate(Concurrency(fixed=slots), chance=lambda: 0.0)


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param if hasattr(request, "param") else "trio"


BOTH = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"], indirect=True)
CLOCKED = pytest.mark.parametrize(
    "anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})], indirect=True, ids=[""]
)


@BOTH
async def test_no_more_than_its_slots_at_once() -> None:
    """The rest wait, and each is let in once."""
    gate, inside, peak, done = fixed(3), 0, 0, 0

    async def work() -> None:
        nonlocal inside, peak, done
        async with gate.slot():
            inside += 1
            peak = max(peak, inside)
            assert inside <= gate.in_flight <= 3  # One that is let go is not inside yet.
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
            inside -= 1
            done += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(work)
    assert (peak, done, gate.in_flight, gate.limit, gate.most) == (3, 20, 0, 3, 3)


@BOTH
async def test_all_who_may_go_are_let_go_at_once() -> None:
    """One in each turn of the loop would leave slots empty that a whole line waits for."""
    gate, inside = fixed(3), 0

    async def work() -> None:
        nonlocal inside
        async with gate.slot():
            inside += 1

    async with anyio.create_task_group() as tasks:
        held = [gate.slot() for _ in range(3)]
        for slot in held:
            await slot.__aenter__()
        for _ in range(3):
            tasks.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        assert (gate.in_flight, inside) == (3, 0)
        for slot in held:
            await slot.__aexit__()
        assert (gate.in_flight, inside) == (3, 0)
    assert (gate.in_flight, inside) == (0, 3)


def test_one_that_is_let_go_and_cancelled_frees_its_slot() -> None:
    """A plain ``Task.cancel`` strikes there; the scopes of anyio and trio strike later."""

    async def work(gate: Gate) -> None:
        async with gate.slot():
            raise AssertionError

    async def main() -> None:
        gate = fixed(1)
        held = gate.slot()
        await held.__aenter__()
        waiting = asyncio.create_task(work(gate))
        await asyncio.sleep(0)
        await held.__aexit__()
        assert gate.in_flight == 1
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        assert gate.in_flight == 0

    asyncio.run(main())


@BOTH
async def test_who_has_no_patience_is_turned_away_and_the_rest_stays() -> None:
    """At the fourth failure in a row, without a task of its own, and cancelled meanwhile or not."""
    gate, ended = fixed(1), []

    async def work(name: str, patience: float) -> None:
        try:
            async with gate.slot(patience=patience):
                ended.append(name)
        except TurnedAway as reason:
            ended.append(f"{name}, {reason.failures} failed")

    async with anyio.create_task_group() as tasks:
        async with gate.slot() as slot:
            for name, patience in (("a", 0.0), ("b", math.inf), ("c", 0.0)):
                tasks.start_soon(work, name, patience)
            await anyio.wait_all_tasks_blocked()
            for _ in range(3):
                slot.late()
            gate.wake()
            assert gate.in_line == 3
            slot.late()
            gate.wake()
            assert (gate.in_line, gate.alone.in_line) == (1, 1)
    assert sorted(ended) == ["a, 4 failed", "b", "c, 4 failed"]
    assert gate.in_flight == 0


@CLOCKED
async def test_each_is_turned_away_when_its_own_patience_ends() -> None:
    """Whoever came first, was turned away before, or comes later."""
    gate, ended = fixed(1), []

    async def work(name: str, patience: float) -> None:
        with pytest.raises(TurnedAway):
            await gate.slot(patience=patience).__aenter__()
        ended.append(name)

    async with anyio.create_task_group() as tasks, gate.slot() as slot:
        for name, patience in (("ten", 10.0), ("five", 5.0)):
            tasks.start_soon(work, name, patience)
        await anyio.wait_all_tasks_blocked()
        for _ in range(4):
            slot.late()
        tasks.start_soon(work, "seven", 7.0)
        for seconds, told in ((4, 0), (2, 1), (2, 2), (3, 3)):
            await anyio.sleep(seconds)
            gate.wake()
            await anyio.wait_all_tasks_blocked()
            assert len(ended) == told
    assert ended == ["five", "seven", "ten"]


@CLOCKED
@pytest.mark.parametrize("asked", [None, 50.0])
@pytest.mark.parametrize("before", [0, 1])
async def test_nobody_is_turned_away_while_the_server_is_at_what_it_let_in(
    before: int, asked: float | None
) -> None:
    """But for a pause that it asked for; one of our own, however long, is not its word."""
    gate, ended = fixed(2), []

    async def work(patience: float) -> None:
        try:
            async with gate.slot(patience=patience):
                ended.append("served")
        except TurnedAway:
            ended.append("turned away")

    async with anyio.create_task_group() as tasks:
        async with gate.slot():
            await anyio.sleep(3)
            async with gate.slot() as refused:
                await anyio.sleep(1)
                for _ in range(before):
                    tasks.start_soon(work, 10.0)
                await anyio.wait_all_tasks_blocked()
                refused.throttled(asked)
                gate.controller.paused_until = anyio.current_time() + (asked or 20.0)
            tasks.start_soon(work, 10.0)
            await anyio.sleep(60)
    assert ended == ["turned away" if asked else "served"] * (before + 1)


@BOTH
async def test_a_long_line_is_not_gone_through_for_every_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only when somebody in it may have lost patience."""
    gate, looks, borne_until = fixed(1), 0, Standstill.borne_until

    def spied(standstill: Standstill, since: float, patience: float) -> float:
        nonlocal looks
        looks += 1
        return borne_until(standstill, since, patience)

    async def work() -> None:
        async with gate.slot(patience=600.0):
            pass

    monkeypatch.setattr(Standstill, "borne_until", spied)
    async with anyio.create_task_group() as tasks:
        async with gate.slot() as slot:
            for _ in range(50):
                tasks.start_soon(work)
            await anyio.wait_all_tasks_blocked()
            before = looks
            for _ in range(20):
                slot.throttled(100.0)
                gate.wake()
            assert looks == before
            tasks.cancel_scope.cancel()


def test_one_that_is_turned_away_and_cancelled_leaves_no_trace() -> None:
    """As with one that is let go."""

    async def work(gate: Gate) -> None:
        async with gate.slot(patience=0.0):
            raise AssertionError

    async def main() -> None:
        gate = fixed(1)
        async with gate.slot() as slot:
            waiting = asyncio.create_task(work(gate))
            await asyncio.sleep(0)
            for _ in range(4):
                slot.late()
            gate.wake()
            waiting.cancel()
            await asyncio.wait([waiting])
            assert waiting.cancelled()
            assert gate.in_line == 0
        assert gate.in_flight == 0

    asyncio.run(main())


@BOTH
async def test_first_come_first_served_and_retries_before_all() -> None:
    """A long batch must not starve what it has already begun."""
    gate, order = fixed(1), []

    async def work(name: str, again: Slot | None = None) -> None:
        async with gate.slot(again=again):
            order.append(name)

    async with anyio.create_task_group() as tasks:
        async with gate.slot() as failed:
            failed.fault()
            for name in ("a", "b"):
                tasks.start_soon(work, name)
                await anyio.wait_all_tasks_blocked()
            for name in ("again 1", "again 2"):
                tasks.start_soon(work, name, failed)
                await anyio.wait_all_tasks_blocked()
    assert order == ["again 1", "again 2", "a", "b"]


@BOTH
async def test_whoever_gives_up_waiting_takes_nothing_along() -> None:
    """First in line or not: the next one moves up."""
    gate = fixed(1)

    async def give_up(scope: anyio.CancelScope) -> None:
        with scope:
            async with gate.slot():
                raise AssertionError

    async def get_in() -> None:
        async with gate.slot() as slot:
            assert slot.queued >= 0

    first, third = anyio.CancelScope(), anyio.CancelScope()
    async with anyio.create_task_group() as tasks:
        async with gate.slot():
            for work in (first, None, third):
                tasks.start_soon(give_up, work) if work else tasks.start_soon(get_in)
                await anyio.wait_all_tasks_blocked()
            first.cancel()
            third.cancel()
            await anyio.wait_all_tasks_blocked()
    assert gate.in_flight == 0
    async with gate.slot():
        pass


@BOTH
async def test_a_slot_survives_every_way_out() -> None:
    """An error, a cancellation before the wait, a cancellation inside: the gate is whole."""
    gate = fixed(1)
    with pytest.raises(RuntimeError):
        async with gate.slot():
            raise RuntimeError
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with gate.slot():
            raise AssertionError
    with anyio.CancelScope() as scope:
        async with gate.slot():
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert gate.in_flight == 0


@BOTH
@pytest.mark.parametrize("crowded", [False, True])
async def test_a_cancellation_at_any_step_loses_nobody(*, crowded: bool) -> None:
    """After so many turns of the loop, whatever the call was at: the next one still gets in."""
    for turns in range(12):
        gate, scope = fixed(1), anyio.CancelScope()
        done: list[int] = []

        async def victim(gate: Gate = gate, scope: anyio.CancelScope = scope) -> None:
            with scope:
                async with gate.slot() as slot:
                    for _ in range(3):
                        await anyio.lowlevel.checkpoint()
                    slot.ok(None)

        async def other(gate: Gate = gate, done: list[int] = done) -> None:
            async with gate.slot():
                await anyio.lowlevel.checkpoint()
                done.append(1)

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                if crowded:
                    tasks.start_soon(other)
                tasks.start_soon(victim)
                tasks.start_soon(other)
                for _ in range(turns):
                    await anyio.lowlevel.checkpoint()
                scope.cancel()
        assert len(done) == 1 + crowded
        assert gate.in_flight == 0
        async with gate.slot() as slot:
            assert slot.queued >= 0


@CLOCKED
async def test_one_refusal_pauses_everybody() -> None:
    """Those in line wait too, then follow one after the other."""
    gate, started = Gate(Concurrency(initial=3), chance=lambda: 0.0), []

    async def work() -> None:
        async with gate.slot():
            started.append(trio.current_time())
            await trio.sleep(100)

    async with anyio.create_task_group() as tasks:
        async with gate.slot() as refused:
            refused.throttled(10.0)
            begun = trio.current_time()
            assert gate.paused_for == 10.0
            for _ in range(2):
                tasks.start_soon(work)
        await trio.sleep(50)
        tasks.cancel_scope.cancel()
    assert started[0] - begun == pytest.approx(10.0)
    assert gate.paused_for == 0.0


@CLOCKED
async def test_a_success_may_let_the_next_one_in_at_once() -> None:
    """The limit grows while the slot that proved it is still held, and stays held."""
    gate = Gate(Concurrency(initial=1), chance=lambda: 0.0)
    async with AsyncExitStack() as stack:
        slot = await stack.enter_async_context(gate.slot())
        async with anyio.create_task_group() as tasks:

            async def work() -> None:
                async with gate.slot() as other:
                    assert other.queued == 0.0
                    assert gate.in_flight == 2

            tasks.start_soon(work)
            await anyio.wait_all_tasks_blocked()
            slot.ok(None)
            gate.wake()
            assert gate.limit == 2


async def test_whoever_leaves_counts_no_more() -> None:
    """Else the next would be taken for one more than the server has, and its limit for higher."""
    gate, levels = Gate(Concurrency(initial=1), chance=lambda: 0.0), []

    async def work() -> None:
        async with gate.slot() as slot:
            levels.append(slot.ticket.level)
            await anyio.lowlevel.checkpoint()
            slot.ok(0.1)

    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(work)
    assert levels == [1, 1]


@CLOCKED
async def test_a_rate_is_kept_to_the_second() -> None:
    """Sixty a minute are one a second, whoever asks."""
    gate, sent = Gate(Concurrency(), Rate(requests_per_minute=60)), []

    async def work() -> None:
        async with gate.slot(characters=3):
            sent.append(trio.current_time())

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(work)
    assert sent[-1] - sent[0] == pytest.approx(9, abs=0.06)


@CLOCKED
async def test_the_words_of_the_server_are_passed_on() -> None:
    """As a pause for whoever comes next."""
    gate = fixed(2)
    async with gate.slot() as slot:
        slot.told(LimitHints(pause=5.0))
    async with gate.slot() as later:
        assert later.queued == pytest.approx(5.0)


@BOTH
async def test_whoever_is_taken_back_leaves_the_line() -> None:
    """Whoever was sent already stays, those of others too, and none is let in later."""
    gate, done = fixed(1), list[str]()

    async def work(name: str, lane: Lane | None) -> None:
        try:
            async with gate.slot(lane=lane):
                await anyio.wait_all_tasks_blocked()
                done.append(name)
        except Recalled:
            done.append(f"no {name}")

    with gate.lane() as mine:
        async with anyio.create_task_group() as tasks:
            for name, lane in [("a", mine), ("b", mine), ("c", None), ("d", mine)]:
                tasks.start_soon(work, name, lane)
                await anyio.lowlevel.checkpoint()
            mine.recall()
            tasks.start_soon(work, "e", mine)
        assert (mine.in_line, mine.in_flight) == (0, 0)
    assert sorted(done) == ["a", "c", "no b", "no d", "no e"]
    assert gate.in_flight == 0


@BOTH
async def test_a_lane_alone_begins_only_who_can_go_at_once() -> None:
    """Full, it is told when that has changed."""
    gate, told = fixed(2), list[int]()
    with gate.lane() as lane:
        lane.changed = lambda: told.append(lane.room())
        assert lane.room() == 2
        async with gate.slot(lane=lane):
            assert lane.room() == 1
            async with gate.slot(lane=lane):
                assert lane.room() == 0
            assert told == [1]
        assert told == [1, 2]
    async with gate.slot():
        pass
    assert told == [1, 2]


@BOTH
async def test_a_lane_beside_others_has_its_place_in_line() -> None:
    """One where others only hold slots, then as many as they have in line."""
    gate, room = fixed(1), list[int]()

    async def wait(lane: Lane | None) -> None:
        async with gate.slot(lane=lane):
            pass

    with gate.lane() as lane:
        async with anyio.create_task_group() as tasks, gate.slot():
            for of in (lane, None, None, lane, None):
                room.append(lane.room())
                tasks.start_soon(wait, of)
                await anyio.wait_all_tasks_blocked()
        assert room == [1, 0, 0, 1, 0]
        assert (gate.in_line, lane.in_line, lane.in_flight, lane.room()) == (0, 0, 0, 1)


@CLOCKED
async def test_one_of_a_lane_waits_for_a_time_that_must_come() -> None:
    """Else nobody would be there to go when it does; more only go when they can."""
    gate = fixed(4)
    with gate.lane() as lane:
        async with anyio.create_task_group() as tasks:
            async with gate.slot() as other:
                other.throttled(10.0)
            assert lane.room() == 1

            async def work() -> None:
                async with gate.slot(lane=lane):
                    assert trio.current_time() - begun == pytest.approx(10.0)
                    assert lane.room() == 3

            begun = trio.current_time()
            tasks.start_soon(work)
            await anyio.wait_all_tasks_blocked()
            assert lane.room() == 0


def in_a_thread(asks: Callable[[], Coroutine[object, object, None]], backend: str) -> None:
    """Run on another loop, while this one runs."""
    other = threading.Thread(target=anyio.run, args=(asks,), kwargs={"backend": backend})
    other.start()
    other.join()


@pytest.mark.parametrize("what", ["a call", "a batch", "a call that is about to go"])
@pytest.mark.parametrize("then", ["asyncio", "trio"])
@BOTH
async def test_two_loops_at_once_are_one_too_many(
    what: str, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wake-ups of one mean nothing to the other."""
    gate, refused = fixed(2), list[UsageError]()

    async def asks() -> None:
        try:
            async with gate.slot():
                raise AssertionError
        except UsageError as error:
            refused.append(error)

    def others_ask() -> bool:
        in_a_thread(asks, then)
        return True

    if what == "a batch":
        with gate.lane():
            others_ask()
    else:
        if what == "a call that is about to go":
            monkeypatch.setattr(gate, "is_free", lambda _: others_ask())
        async with gate.slot():
            if not refused:
                others_ask()
    assert "another event loop" in str(refused[0])
    assert gate.in_flight == 0


@pytest.mark.parametrize("then", ["asyncio", "trio"])
@BOTH
async def test_loops_may_take_turns(then: str) -> None:
    """While none of them has anything in flight."""
    gate, been = fixed(1), list[int]()

    async def calls() -> None:
        async with gate.slot():
            been.append(gate.in_flight)

    for _ in range(2):
        await calls()
        in_a_thread(calls, then)
    assert been == [1, 1, 1, 1]


def test_a_slot_that_is_left_after_all_leaves_nothing() -> None:
    """Its loop stood still, and another took the gate: what it held was freed then."""
    gate, loop = fixed(1), asyncio.new_event_loop()

    async def others() -> None:
        async with gate.slot():
            await anyio.to_thread.run_sync(loop.run_until_complete, slot.__aexit__())
            assert gate.in_flight == 1

    slot = loop.run_until_complete(gate.slot().__aenter__())
    in_a_thread(others, "asyncio")
    loop.close()
    assert gate.in_flight == 0


@pytest.mark.parametrize("first", ["asyncio", "trio"])
@pytest.mark.parametrize("then", ["asyncio", "trio"])
def test_what_an_ended_loop_left_in_flight_is_gone(first: str, then: str) -> None:
    """Also from one kind of loop to the other, whose clocks have nothing in common."""
    gate = fixed(1)

    async def leaves() -> None:
        lane = gate.lane().__enter__()
        lane.changed = told
        slot = await gate.slot(lane=lane).__aenter__()
        slot.throttled(100.0)

    async def asks() -> float:
        async with gate.slot() as slot:
            return slot.queued

    def told() -> None:
        raise AssertionError

    anyio.run(leaves, backend=first)
    gate.controller.paused_until = -math.inf if first == then == "asyncio" else math.nan
    assert anyio.run(asks, backend=then) < 1
    assert gate.in_flight == 0
