"""The gate admits a fixed number, first come, first served."""

from __future__ import annotations

import anyio
import pytest

from step_tts._gate import Gate


async def test_no_more_than_its_slots_at_once() -> None:
    """Everyone passes, in order, never too many at a time."""
    gate, inside, peak, order = Gate(3), 0, 0, []

    async def pass_through(number: int) -> None:
        nonlocal inside, peak
        async with gate.slot():
            inside, peak = inside + 1, max(peak, inside + 1)
            order.append(number)
            await anyio.lowlevel.checkpoint()
            inside -= 1

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(pass_through, number)

    assert peak == 3
    assert sorted(order) == list(range(20))


async def test_a_cancelled_wait_leaves_no_trace() -> None:
    """A slot that was waited for in vain goes to the next."""
    gate = Gate(1)
    async with gate.slot():
        with anyio.move_on_after(0):
            async with gate.slot():
                pytest.fail("There was no free slot.")
    async with gate.slot() as waited:
        assert waited >= 0


async def test_a_slot_is_given_back_when_its_holder_fails() -> None:
    """An error does not shrink the gate."""
    gate = Gate(1)
    with pytest.raises(LookupError):
        async with gate.slot():
            raise LookupError
    async with gate.slot():
        pass


def test_a_gate_needs_a_slot() -> None:
    """Zero would never let anyone through."""
    with pytest.raises(ValueError, match="concurrency"):
        Gate(0)
