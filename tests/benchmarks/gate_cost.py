"""CPU that the gate costs per call, with nothing behind it.

``python tests/benchmarks/gate_cost.py [CALLS]``: first a free slot and nobody in line, then 64
tasks for 16 slots, so that every call waits. Beside it, in the same run, what only counts slots
and learns nothing: ``anyio.CapacityLimiter``. Medians of five, taken in turn.
"""

from __future__ import annotations

import statistics
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

from step_tts._gate import Gate
from step_tts._policies import Concurrency

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator


async def gated(numbers: Iterator[int], gate: Gate, *, held: bool) -> None:
    """One call after the other; a slot that is held is held while others run."""
    for _ in numbers:
        async with gate.slot(characters=40) as slot:
            if held:
                await anyio.lowlevel.checkpoint()
            slot.ok(1e-6)


async def limited(numbers: Iterator[int], limiter: anyio.CapacityLimiter, *, held: bool) -> None:
    """The same through a plain limiter."""
    for _ in numbers:
        async with limiter:
            if held:
                await anyio.lowlevel.checkpoint()


async def cost(
    work: Callable[..., Coroutine[Any, Any, None]], slots: object, count: int, tasks: int
) -> float:
    """Seconds of CPU for all calls, by so many tasks."""
    numbers, before = iter(range(count)), time.process_time()
    async with anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(partial(work, numbers, slots, held=tasks > 1))
    return time.process_time() - before


async def both(count: int, tasks: int) -> tuple[float, float]:
    """The gate and the limiter."""
    return (
        await cost(gated, Gate(Concurrency(fixed=16)), count, tasks),
        await cost(limited, anyio.CapacityLimiter(16), count, tasks),
    )


def main(count: int) -> None:
    """Print the figures."""
    for name, tasks in (("a free slot", 1), ("in line", 64)):
        for backend in ("asyncio", "trio"):
            took = [anyio.run(both, count, tasks, backend=backend) for _ in range(5)]
            ours, plain = (
                1e6 * statistics.median(column) / count for column in zip(*took, strict=True)
            )
            print(f"{name}, {backend}: {ours:.1f} us per call, a limiter {plain:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
