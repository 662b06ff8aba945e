"""The event loop of a command: uvloop's where that is installed, which this program may choose.

An application's loop is its own choice; the library never makes it.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["run"]

T = TypeVar("T")


def run(main: Callable[..., Awaitable[T]], *args: object) -> T:
    """Run ``main`` until it ends."""
    import anyio

    _fill_standard_places()
    return anyio.run(main, *args, backend_options={"use_uvloop": find_spec("uvloop") is not None})


def _fill_standard_places() -> None:
    """Open nothing where standard input, output and errors should be, if they are closed.

    The next file would take the place, and uvloop aborts the process when it closes one of them.
    """
    while (place := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(place)
