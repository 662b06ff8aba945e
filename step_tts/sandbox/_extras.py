"""The optional packages of the sandbox, imported on first use.

Knows the one install line that brings them all. None of them is a core dependency: the
espeak-ng binary is GPL-3.0 and lameenc holds LAME (LGPL).
"""

from __future__ import annotations

import importlib
from typing import Any

from step_tts._errors import MissingExtraError

__all__ = ["extra", "installed"]


def extra(name: str, purpose: str) -> Any:
    """Import an optional package.

    Raises:
        MissingExtraError: It is not installed; the message names the install line.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f"{purpose} needs the package {name}: pip install 'step_tts[sandbox]'"
        ) from error


def installed(name: str) -> bool:
    """Whether an optional package can be imported."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True
