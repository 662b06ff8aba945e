"""Tasks beside a block: what leaves it, and what is gone when it is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from step_tts._runtime._beside import beside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.mark.parametrize(
    "raised",
    [KeyError("k"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()],
    ids=lambda error: type(error).__name__,
)
async def test_what_the_block_raises_leaves_as_itself(raised: BaseException) -> None:
    """Not in a group, which no ``except`` of the caller expects."""
    gone = anyio.Event()

    async def step() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            gone.set()

    with pytest.raises(type(raised)) as caught:
        async with beside(step):
            await anyio.lowlevel.checkpoint()
            raise raised
    assert caught.value is raised
    assert gone.is_set()


async def test_a_generator_that_is_closed_inside_the_block_just_ends() -> None:
    """As a web framework does with a response whose client has left."""

    async def pieces() -> AsyncIterator[int]:
        async with beside(anyio.sleep_forever):
            yield 1

    generator = pieces()
    assert await anext(generator) == 1
    await generator.aclose()  # type: ignore[attr-defined]


async def test_a_cancelled_block_stays_cancelled() -> None:
    """Cancellation is the task group's own business."""
    with anyio.CancelScope() as scope:
        async with beside(anyio.sleep_forever):
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught


async def test_a_step_that_fails_ends_the_block() -> None:
    """In a group, as from any task."""

    async def fails() -> None:
        raise LookupError

    with pytest.raises(ExceptionGroup) as caught:
        async with beside(fails):
            await anyio.sleep_forever()
    assert caught.group_contains(LookupError)


async def test_a_step_that_fails_too_hides_nothing() -> None:
    """What the block raises leaves as itself all the same, from the group of the steps' errors."""

    async def fails() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise LookupError

    with pytest.raises(KeyError) as caught:
        async with beside(fails):
            await anyio.lowlevel.checkpoint()
            raise KeyError
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert isinstance(caught.value.__cause__.exceptions[0], LookupError)
