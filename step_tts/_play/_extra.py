"""The optional package that decodes and plays, imported on first use."""

from __future__ import annotations

import importlib
from typing import Any

from step_tts._errors import MissingExtraError

__all__ = ["miniaudio"]


def miniaudio() -> Any:
    """The library.

    Raises:
        MissingExtraError: It is not installed; the message names the install line.
    """
    try:
        return importlib.import_module("miniaudio")
    except ImportError as error:
        raise MissingExtraError(
            "Playing needs the package miniaudio: pip install 'step_tts[play]'"
        ) from error
