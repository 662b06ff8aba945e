"""The event loop of a command: uvloop's, if that is installed.

This program may choose. The library never does: an application chooses its own loop.
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
    """Open ``/dev/null`` in place of standard streams that are closed.

    Otherwise the next file would get that number, and uvloop aborts the process when it closes it.
    """
    while (place := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(place)
