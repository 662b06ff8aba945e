"""Tasks beside a block: what leaves it, and what is gone when it is left."""

from __future__ import annotations

import asyncio
from traceback import format_exception
from typing import TYPE_CHECKING

import anyio
import pytest

from step_tts._runtime import beside, task_group

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def fails_when_left() -> None:
    try:
        await anyio.sleep_forever()
    finally:
        raise LookupError


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
    """With its error as itself, whose own cause stays."""
    cause = ValueError()

    async def fails() -> None:
        raise LookupError from cause

    with pytest.raises(LookupError) as caught:
        async with beside(fails):
            await anyio.sleep_forever()
    assert caught.value.__cause__ is cause
    assert caught.value.__context__ is cause.__context__


async def test_a_step_that_fails_too_hides_nothing() -> None:
    """The block's error leaves; the step's is its cause, and what it came from is theirs."""
    cause = ValueError()

    with pytest.raises(KeyError) as caught:
        async with beside(fails_when_left):
            await anyio.lowlevel.checkpoint()
            raise KeyError from cause
    others = caught.value.__cause__
    assert isinstance(others, ExceptionGroup)
    assert [type(error) for error in others.exceptions] == [LookupError]
    assert others.__cause__ is cause


async def test_what_was_hidden_stays_hidden() -> None:
    """A context that was suppressed may hold what nobody is to see."""
    with pytest.raises(KeyError) as caught:
        async with beside(fails_when_left):
            await anyio.lowlevel.checkpoint()
            try:
                raise ValueError("a secret")  # noqa: TRY301  as a library would
            except ValueError:
                raise KeyError from None
    assert "LookupError" in "".join(format_exception(caught.value))
    assert "a secret" not in "".join(format_exception(caught.value))


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SystemExit(3)], ids=repr)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_ends_the_program_comes_before_all_else(backend: str, ending: BaseException) -> None:
    """As itself, and whatever fails at the same time."""

    async def ends() -> None:
        async with task_group() as tasks:
            tasks.start_soon(fails_when_left)
            await anyio.lowlevel.checkpoint()
            raise ending

    async def main() -> None:
        async with beside(ends):
            try:
                await anyio.sleep_forever()
            finally:
                raise KeyError

    with pytest.raises(type(ending)) as caught:
        anyio.run(main, backend=backend)
    assert caught.value is ending
    if backend == "trio":  # asyncio raises it past the tasks that wait, and logs what they raise.
        seen = "".join(format_exception(ending))
        assert "KeyError" in seen
        assert "LookupError" in seen


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_asyncio_closes_all_when_a_step_ends_the_program(ending: BaseException) -> None:
    """The runner raises it already; raised once more it would stop the loop that closes."""
    closed: list[str] = []

    async def pieces() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            closed.append("a generator")

    async def ends() -> None:
        raise ending

    async def main() -> None:
        await anext(left_open)
        async with beside(ends):
            await anyio.sleep_forever()

    left_open = pieces()
    with pytest.raises(type(ending)):
        anyio.run(main)
    assert closed == ["a generator"]


async def test_of_groups_within_groups_one_error_leaves() -> None:
    """The first; no group of a library's stays around it."""

    async def fails(error: Exception) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise error

    async def several() -> None:
        async with anyio.create_task_group() as tasks, anyio.create_task_group() as more:
            tasks.start_soon(fails, KeyError())
            more.start_soon(fails, KeyError())
            await anyio.lowlevel.checkpoint()
            raise LookupError

    with pytest.raises(LookupError) as caught:
        async with task_group() as tasks:
            tasks.start_soon(several)
    others = caught.value.__cause__
    assert isinstance(others, ExceptionGroup)
    assert not any(isinstance(error, ExceptionGroup) for error in others.exceptions)
    assert len(others.exceptions) == 2


async def test_a_cancellation_does_not_hide_an_error() -> None:
    """They may be in one group on trio."""
    with pytest.raises(LookupError) as caught, anyio.CancelScope() as scope:
        async with task_group() as tasks:
            tasks.start_soon(fails_when_left)
            tasks.start_soon(anyio.sleep_forever)
            await anyio.lowlevel.checkpoint()
            scope.cancel()
            await anyio.sleep_forever()
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_group_of_cancellations_is_not_swallowed() -> None:
    """Whoever made it: anyio lets none of its own come to that."""
    mine = BaseExceptionGroup("mine", [asyncio.CancelledError()])

    async def fails() -> None:
        raise mine

    with pytest.raises(BaseExceptionGroup) as caught:
        async with task_group() as tasks:
            tasks.start_soon(fails)
    assert caught.value.exceptions == (mine,)
