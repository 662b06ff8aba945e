"""The optional packages of the sandbox, imported on first use.

Knows the one install line that brings them all. None of them is a core dependency: the
espeak-ng binary is GPL-3.0 and lameenc holds LAME (LGPL).
"""

from __future__ import annotations

import importlib
from typing import Any

from step_tts._extras import extra

__all__ = ["installed", "package"]


def package(name: str, purpose: str) -> Any:
    """Import an optional package.

    Raises:
        MissingExtraError: It is not installed; the message names the install line.
    """
    with extra("sandbox", name, purpose):
        return importlib.import_module(name)


def installed(name: str) -> bool:
    """Whether an optional package can be imported."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True
