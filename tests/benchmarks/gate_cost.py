"""CPU that the gate costs per call, with nothing behind it.

``python tests/benchmarks/gate_cost.py [CALLS]``: first a free slot and nobody in line, then 64
tasks for 16 slots, so that every call waits. Medians of five.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from step_tts._gate import Gate
from step_tts._models import Concurrency

if TYPE_CHECKING:
    from collections.abc import Iterator


async def calls(gate: Gate, numbers: Iterator[int], *, held: bool) -> None:
    """One call after the other; a slot that is held is held while others run."""
    for _ in numbers:
        async with gate.slot(characters=40) as slot:
            if held:
                await anyio.lowlevel.checkpoint()
            slot.ok(1e-6)


async def alone(count: int) -> float:
    """Seconds of CPU with a free slot."""
    gate, before = Gate(), time.process_time()
    await calls(gate, iter(range(count)), held=False)
    return time.process_time() - before


async def in_line(count: int) -> float:
    """Seconds of CPU where all but sixteen wait."""
    gate, numbers = Gate(Concurrency(fixed=16)), iter(range(count))
    before = time.process_time()
    async with anyio.create_task_group() as tasks:
        for _ in range(64):
            tasks.start_soon(lambda: calls(gate, numbers, held=True))
    return time.process_time() - before


def main(count: int) -> None:
    """Print the figures."""
    for name, run in (("a free slot", alone), ("in line", in_line)):
        for backend in ("asyncio", "trio"):
            took = [anyio.run(run, count, backend=backend) for _ in range(5)]
            print(f"{name}, {backend}: {1e6 * statistics.median(took) / count:.1f} us per call")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
