"""Blocking steps in threads: in order, cancelled or not, and gone when nobody needs them."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from step_tts._runtime._threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable


def ours() -> set[threading.Thread]:
    """The threads of every crew."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("step_tts")}


def until(true: Callable[[], bool]) -> None:
    """Wait for other threads, boundedly."""
    for _ in range(2000):
        if true():
            return
        time.sleep(0.001)
    raise AssertionError


async def test_a_step_gives_its_result() -> None:
    """From another thread than the loop's."""
    thread = await Threads(1).run(threading.get_ident)

    assert thread != threading.get_ident()


async def test_a_step_raises_its_error() -> None:
    """Whatever it is."""

    def fail() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        await Threads(1).run(fail)


async def test_steps_begin_in_order_and_never_more_at_once() -> None:
    """One thread runs one step after the other."""
    threads, begun, running = Threads(1), [], 0

    def step(number: int) -> None:
        nonlocal running
        running += 1
        assert running == 1
        begun.append(number)
        running -= 1

    async def run(number: int) -> None:
        await threads.run(lambda: step(number))

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(run, number)
    assert sorted(begun) == list(range(20))


async def test_as_many_at_once_as_there_are_threads() -> None:
    """Two steps that wait for each other need two threads."""
    threads, both = Threads(2), threading.Barrier(2, timeout=5)
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(threads.run, both.wait)


async def test_a_cancelled_step_ends_first() -> None:
    """Whoever cleans up afterwards finds nobody at work."""
    threads, begun, may_end = Threads(1), threading.Event(), threading.Event()
    ended: list[bool] = []

    def step() -> None:
        begun.set()
        assert may_end.wait(5)
        ended.append(True)

    async def end_it() -> None:
        await anyio.to_thread.run_sync(begun.wait)
        scope.cancel()
        may_end.set()

    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end_it)
            await threads.run(step)
    assert ended


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_task_cancelled_by_asyncio_waits_too() -> None:
    """A cancellation that knows no shields, however often it comes."""
    threads, may_end, ended = Threads(1), threading.Event(), []

    def step() -> None:
        assert may_end.wait(5)
        ended.append(True)

    task = asyncio.create_task(threads.run(step))
    for _ in range(3):
        await asyncio.sleep(0)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("first", ["the word", "the cancellation"])
async def test_a_cancellation_may_come_with_the_end(
    first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step has ended and its word is on the way: nobody waits for it in vain."""
    loop, told = asyncio.get_running_loop(), []
    tell = loop.call_soon_threadsafe

    def noted(*call: Any) -> None:
        tell(*call)
        told.append(True)

    monkeypatch.setattr(loop, "call_soon_threadsafe", noted)
    task = asyncio.create_task(Threads(1).run(int))
    for _ in range(2):
        await asyncio.sleep(0)
    until(lambda: bool(told))
    if first == "the word":
        loop.call_soon(task.cancel)
    else:
        task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_threads_end_with_their_owner() -> None:
    """Nothing is left to end but the owner itself."""
    before, threads = ours(), Threads(3)
    await asyncio.gather(*(threads.run(int) for _ in range(3)))
    assert len(ours() - before) == 3

    del threads
    gc.collect()

    until(lambda: not ours() - before)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_threads_that_are_dismissed_end_at_once() -> None:
    """What they were given is done; whoever asks again gets others."""
    before, threads, done = ours(), Threads(1), list[int]()
    threads.dismiss()
    await threads.run(lambda: done.append(1))
    threads.dismiss()
    until(lambda: not ours() - before)

    await threads.run(lambda: done.append(2))
    threads.dismiss()

    assert done == [1, 2]
    until(lambda: not ours() - before)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_came_just_before_they_are_dismissed_is_done() -> None:
    """It was gathered, and not yet handed over."""
    threads = Threads(2)
    tasks = [asyncio.create_task(threads.run(lambda: 7)) for _ in range(3)]
    await asyncio.sleep(0)

    threads.dismiss()

    with anyio.fail_after(5):
        assert await asyncio.gather(*tasks) == [7] * 3


def test_a_loop_may_be_closed_while_another_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ran a moment ago; its threads are dismissed all the same."""
    before, threads, loop = ours(), Threads(1), asyncio.new_event_loop()
    loop.run_until_complete(threads.run(int))
    loop.close()
    monkeypatch.setattr(loop, "is_running", lambda: True)

    assert asyncio.run(threads.run(lambda: 7)) == 7

    until(lambda: len(ours() - before) == 1)


def test_each_loop_gets_threads_of_its_own() -> None:
    """A client may outlive a loop; the threads of the old one are dismissed."""
    before, threads = ours(), Threads(1)
    for _ in range(3):
        assert asyncio.run(threads.run(lambda: 7)) == 7

    until(lambda: len(ours() - before) == 1)


def test_loops_that_run_at_the_same_time_take_no_step_from_each_other() -> None:
    """A client shared by threads, each with a loop: no call of theirs may wait for ever."""
    threads, done = Threads(1), list[int]()

    async def steps() -> None:
        for number in range(50):
            await threads.run(partial(done.append, number))

    loops = [
        threading.Thread(target=asyncio.run, args=[steps()], daemon=True, name=f"loop {number}")
        for number in range(3)
    ]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join(5)
    assert len(done) == 150


async def test_loops_that_run_at_the_same_time_wait_in_no_line_together(
    anyio_backend_name: str,
) -> None:
    """What ends a wait on one loop cannot wake the other."""
    threads = Threads(1)

    async def another() -> int:
        with anyio.fail_after(5):
            return await threads.run(lambda: 7)

    assert await threads.run(lambda: anyio.run(another, backend=anyio_backend_name)) == 7


def test_a_closed_loop_is_not_told() -> None:
    """The last step of an abandoned loop ends its thread."""
    before, threads, may_end = ours(), Threads(1), threading.Event()

    async def abandon() -> None:
        threads._crew = None
        task = asyncio.create_task(threads.run(may_end.wait))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(abandon())
    loop.close()
    may_end.set()

    until(lambda: not ours() - before)
