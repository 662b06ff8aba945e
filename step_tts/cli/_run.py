"""The event loop of a command: uvloop's where that is installed, which this program may choose.

An application's loop is its own choice; the library never makes it.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["run"]

T = TypeVar("T")


def run(main: Callable[..., Awaitable[T]], *args: object) -> T:
    """Run ``main`` until it ends."""
    import anyio

    return anyio.run(main, *args, backend_options={"use_uvloop": find_spec("uvloop") is not None})
