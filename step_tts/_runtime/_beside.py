"""Tasks in a group, or beside a block of code; of what they raise, one error leaves, as itself.

A task group shows whoever waits inside it a ``BaseExceptionGroup``, which no ``except`` of a
caller expects: what runs in tasks here is our own affair. So a group that a caller waits inside
is opened by this module.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from step_tts._runtime._loop import asyncio_loop

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
    from typing import Any

    from anyio import CancelScope
    from anyio.abc import TaskGroup

__all__ = ["beside", "task_group"]


@asynccontextmanager
async def task_group() -> AsyncGenerator[TaskGroup, None]:
    """Tasks that end with a block, or end it when they fail.

    Raises:
        BaseException: The first error, but one that is no ``Exception`` before all others: it is
            to end the program. If there are others, they are its cause, in a group, and what was
            its cause is theirs.
    """
    errors: list[BaseException] = []
    try:
        async with anyio.create_task_group() as tasks:
            try:
                yield tasks
            except anyio.get_cancelled_exc_class():
                raise  # The task group's own business.
            except BaseException as error:  # noqa: BLE001  raised again below
                errors.append(error)
                tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        errors += _true_errors(group)
    if errors:
        _raise(_foremost(errors))


@asynccontextmanager
async def beside(
    *steps: Callable[[], Coroutine[Any, Any, None]],
) -> AsyncGenerator[CancelScope, None]:
    """Run steps beside a block; leaving it cancels them. Gives the scope of block and steps.

    Raises:
        BaseException: As in ``task_group``; the block's error comes before those of the steps.
    """
    async with task_group() as tasks:
        for step in steps:
            tasks.start_soon(step)
        yield tasks.cancel_scope
        tasks.cancel_scope.cancel()


def _true_errors(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """What is in a group and in the groups within, but for cancellations.

    trio puts those beside errors; one that leaves in the place of an error hides it. An asyncio
    task that raises ``KeyboardInterrupt`` stops the loop, whose runner raises it and runs the loop
    once more for what must be closed: that would stop where it were raised again as itself.
    """
    if asyncio_loop() and group.subgroup((KeyboardInterrupt, SystemExit)):
        return [group]
    cancelled = anyio.get_cancelled_exc_class()
    return [error for error in _leaves(group) if not isinstance(error, cancelled)] or [group]


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def _foremost(errors: list[BaseException]) -> BaseException:
    first = min(errors, key=lambda error: isinstance(error, Exception))
    if others := [error for error in errors if error is not first]:
        group = BaseExceptionGroup("These failed at the same time.", others)
        group.__cause__, group.__context__ = first.__cause__, first.__context__
        group.__suppress_context__ = first.__suppress_context__
        first.__cause__ = group
    return first


def _raise(error: BaseException) -> None:
    """Raise an error without the cancellation that it caused in the block as its context."""
    context = error.__context__
    try:
        raise error
    finally:
        error.__context__ = context
