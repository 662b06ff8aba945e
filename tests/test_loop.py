"""The loop that runs, and its clock."""

from __future__ import annotations

import asyncio

import anyio
import pytest
import trio

from step_tts._runtime._loop import Signal, asyncio_loop, now


async def test_the_time_is_the_loops() -> None:
    """Deadlines of scopes are in the same time."""
    before = anyio.current_time()

    assert before <= now() <= anyio.current_time()


async def test_only_asyncio_is_known(anyio_backend_name: str) -> None:
    """Trio runs no asyncio loop."""
    assert (asyncio_loop() is not None) == (anyio_backend_name == "asyncio")


def test_trio_as_a_guest_is_not_asyncio() -> None:
    """A trio program can run inside asyncio's loop: the tasks are trio's all the same."""
    seen: list[object] = []

    async def guest() -> None:
        seen.append(asyncio_loop())
        seen.append(now() - trio.current_time() < 1)

    async def host() -> None:
        over = asyncio.Event()
        trio.lowlevel.start_guest_run(
            guest,
            run_sync_soon_threadsafe=asyncio.get_running_loop().call_soon_threadsafe,
            done_callback=lambda _: over.set(),
        )
        await over.wait()

    asyncio.run(host())
    assert seen == [None, True]


def test_without_a_loop_there_is_no_time() -> None:
    """As anyio has it."""
    assert asyncio_loop() is None
    with pytest.raises(anyio.NoEventLoopError):
        now()


async def test_a_signal_wakes_all_who_wait() -> None:
    """And whoever comes later does not wait."""
    signal, woken = Signal(), []

    async def wait() -> None:
        await signal.wait()
        woken.append(True)

    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        assert not woken
        signal.set()
    await signal.wait()
    assert len(woken) == 2


async def test_a_signal_is_set_after_somebody_gave_up() -> None:
    """A cancelled wait leaves nothing behind that could be in the way."""
    signal = Signal()
    with anyio.move_on_after(0):
        await signal.wait()
    signal.set()
    await signal.wait()


async def test_a_signal_is_waited_for_until_a_time() -> None:
    """Whoever gave up is in nobody's way, and a signal that comes first ends the wait."""
    late, signal = Signal(), Signal()
    await late.wait(now())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(signal.wait, now() + 1e6)
        await anyio.wait_all_tasks_blocked()
        signal.set()
    late.set()
    await late.wait()
