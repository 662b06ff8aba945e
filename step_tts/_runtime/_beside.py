"""Tasks beside a block of code, gone when the block is left.

A task group shows whoever waits inside it an ``ExceptionGroup``. A caller's own block must not
see one: what it raises leaves as itself.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from typing import Any

    from anyio import CancelScope

__all__ = ["beside"]


@asynccontextmanager
async def beside(
    *steps: Callable[[], Coroutine[Any, Any, None]],
) -> AsyncGenerator[CancelScope, None]:
    """Run steps beside a block; leaving it cancels them. Gives the scope of block and steps.

    A step that raises ends everything, in a group, unless the block raises too.
    """
    raised: BaseException | None = None
    try:
        async with anyio.create_task_group() as tasks:
            for step in steps:
                tasks.start_soon(step)
            try:
                yield tasks.cancel_scope
            except anyio.get_cancelled_exc_class():
                raise  # The task group's own business.
            except BaseException as error:  # noqa: BLE001  raised again below
                raised = error
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        if raised is None:
            raise
        raise raised from group
    if raised is not None:
        raise raised
