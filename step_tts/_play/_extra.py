"""The optional package that decodes and plays, imported on first use."""

from __future__ import annotations

import importlib
from typing import Any

from step_tts._extras import extra

__all__ = ["miniaudio"]


def miniaudio() -> Any:
    """The library.

    Raises:
        MissingExtraError: It is not installed; the message names the install line.
    """
    with extra("play", "miniaudio", "Playing"):
        return importlib.import_module("miniaudio")
