"""Optional packages, imported on first use, and the error if one is missing."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from step_tts._errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["extra", "import_extra"]


@contextmanager
def extra(name: str, package: str, purpose: str) -> Iterator[None]:
    """Import a package inside the block; if it is missing, the error says how to install it.

    Args:
        name: The extra that brings it: ``play``.
        package: What the extra brings: ``miniaudio``.
        purpose: What needs it, to begin the sentence with: ``Playing``.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(
            f"{purpose} needs the package {package}: pip install 'step_tts[{name}]'"
        ) from error


def import_extra(name: str, package: str, purpose: str) -> Any:
    """Import a package by the name under which it is installed.

    Raises:
        MissingExtraError: It is not installed.
    """
    with extra(name, package, purpose):
        return importlib.import_module(package)
